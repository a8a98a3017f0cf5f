/* See plan.h. */
#include "train/plan.h"

#include <stdlib.h>
#include <string.h>

#include "input/source.h"
#include "terminal/report.h"

struct poptOption plan_options[] = {
    OPTION_VALUE("hidden", OPTION_HIDDEN,
                 "widths of the hidden layers, or 'none' (default: 64 for digits, tables and regression, else 512)",
                 "N,N,..."),
    OPTION_VALUE("activation", OPTION_ACTIVATION,
                 "between the layers: relu, leaky-relu, tanh, sigmoid or gelu (default: relu)", "NAME"),
    OPTION_FLAG("no-bias", OPTION_NO_BIAS, "layers without bias"),
    OPTION_VALUE("init", OPTION_INIT, "initial weights: he, pytorch or zero (default: he)", "NAME"),
    OPTION_VALUE("init-from", OPTION_INIT_FROM,
                 "begin with the layers and weights of this file: a model, or PyTorch's nn.Sequential (safetensors)",
                 "FILE"),
    OPTION_VALUE("epochs", OPTION_EPOCHS,
                 "passes over the training part (default: 30 for digits, tables and regression, else 10)", "N"),
    OPTION_VALUE("batch", OPTION_BATCH, "rows per step (default: 32 for digits, tables and regression, else 128)", "N"),
    OPTION_VALUE("optimiser", OPTION_OPTIMISER, "rule of the updates: sgd, adam or adamw (default: sgd)", "NAME"),
    OPTION_VALUE("lr", OPTION_LR,
                 "learning rate (default: 0.001 for Adam, 0.02 for digits, tables and regression, else 0.05)", "X"),
    OPTION_VALUE("schedule", OPTION_SCHEDULE, "of the learning rate: constant, step or cosine (default: constant)",
                 "NAME"),
    OPTION_VALUE("decay-epochs", OPTION_DECAY_EPOCHS, "epochs between two steps of --schedule step (default: 10)", "N"),
    OPTION_VALUE("decay-factor", OPTION_DECAY_FACTOR, "what each of them multiplies the rate with (default: 0.1)", "X"),
    OPTION_VALUE("warmup", OPTION_WARMUP, "epochs in which the rate rises from 0, before the schedule (default: 0)",
                 "N"),
    OPTION_VALUE("patience", OPTION_PATIENCE,
                 "stop after N epochs without a lower loss on the held-out part, and keep the best epoch's weights",
                 "N"),
    OPTION_VALUE("momentum", OPTION_MOMENTUM, "of stochastic gradient descent (default: 0.9)", "X"),
    OPTION_FLAG("nesterov", OPTION_NESTEROV, "Nesterov's form of the momentum"),
    OPTION_VALUE("weight-decay", OPTION_WEIGHT_DECAY, "added to the gradient as X times the weight (default: 0)", "X"),
    OPTION_VALUE("dropout", OPTION_DROPOUT, "chance that a hidden value is dropped in training (default: 0)", "X"),
    OPTION_FLAG("unscaled-dropout", OPTION_UNSCALED, "keep what is not dropped as it is, instead of divided by 1-X"),
    OPTION_VALUE("reduction", OPTION_REDUCTION, "the gradient is of the batch's loss: mean or sum (default: mean)",
                 "NAME"),
    OPTION_VALUE("clip-norm", OPTION_CLIP_NORM, "scale gradients down when the norm of all together is above X", "X"),
    OPTION_VALUE("label-smoothing", OPTION_LABEL_SMOOTHING, "spread this share of each label over all classes", "X"),
    OPTION_VALUE("class-weights", OPTION_CLASS_WEIGHTS,
                 "what rows of a rare class count: balanced or none (default: none)", "NAME"),
    OPTION_FLAG("no-shuffle", OPTION_NO_SHUFFLE, "take the rows in the file's order in every epoch"),
    OPTION_VALUE("seed", OPTION_SEED, "of initial weights, shuffles, dropout and rows that are held out (default: 1)",
                 "N"),
    POPT_TABLEEND};

static void set_defaults(const options *o, mlp_cl_task task, plan *p) {
  const char *source = source_name(o);
  bool small = task == MLP_CL_REGRESSION || strcmp(source, "digits") == 0 || mlp_cl_source_is_table(source);
  *p = (plan){.recipe = mlp_cl_recipe_default(), .hidden_count = 1, .init = MLP_CL_INIT_HE, .task = task};
  p->recipe.learning_rate = small ? 0.02f : 0.05f;
  p->recipe.epochs = small ? 30 : 10;
  p->recipe.batch = small ? 32 : 128;
  if ((p->hidden = malloc(sizeof *p->hidden))) p->hidden[0] = small ? 64 : 512;
}

static bool read_rates(const options *o, plan *p) {
  static const float_range lr = {0x1p-30f, 0x1p30f, true, "0, or a number from 1e-9 to 1e9, such as 0.05"};
  static const float_range momentum = {0x1p-30f, 0x1.fffffep-1f, true, "0, or a number below 1, such as 0.9"};
  static const float_range decay = {0x1p-30f, 1.0f, true, "0, or a number from 1e-9 to 1, such as 0.0001"};
  static const float_range dropout = {0x1p-30f, 0x1.fffffep-1f, true,
                                      "0, or a number from 1e-9 to below 1, such as 0.2"};
  static const float_range factor = {0x1p-30f, 1.0f, false, "a number above 0, up to 1, such as 0.1"};
  static const float_range clip = {0x1p-30f, 0x1p30f, true, "0, or a number from 1e-9 to 1e9, such as 1"};
  return options_float(o, OPTION_LR, &lr, &p->recipe.learning_rate) &&
         options_float(o, OPTION_CLIP_NORM, &clip, &p->recipe.clip_norm) &&
         options_float(o, OPTION_LABEL_SMOOTHING, &dropout, &p->recipe.label_smoothing) &&
         options_float(o, OPTION_DECAY_FACTOR, &factor, &p->recipe.decay_factor) &&
         options_float(o, OPTION_MOMENTUM, &momentum, &p->recipe.momentum) &&
         options_float(o, OPTION_WEIGHT_DECAY, &decay, &p->recipe.weight_decay) &&
         options_float(o, OPTION_DROPOUT, &dropout, &p->recipe.dropout);
}

static bool read_counts(const options *o, plan *p) {
  uint64_t epochs = p->recipe.epochs, batch = p->recipe.batch, decay = p->recipe.decay_epochs, warmup = 0, patience = 0;
  const char *count = "a whole number from 1 to 1000000000", *any_count = "a whole number from 0 to 1000000000";
  if (!options_unsigned(o, OPTION_DECAY_EPOCHS, 1, 1000000000, count, &decay) ||
      !options_unsigned(o, OPTION_WARMUP, 0, 1000000000, any_count, &warmup) ||
      !options_unsigned(o, OPTION_PATIENCE, 0, 1000000000, any_count, &patience) ||
      !options_unsigned(o, OPTION_EPOCHS, 1, 1000000000, count, &epochs) ||
      !options_unsigned(o, OPTION_BATCH, 1, 1 << 24, "a whole number from 1 to 16777216", &batch) ||
      !options_unsigned(o, OPTION_LOG_EVERY, 1, 1000000000, "a whole number of steps from 1", &p->log_every) ||
      !options_unsigned(o, OPTION_SEED, 0, UINT64_MAX, "a whole number from 0 to 18446744073709551615",
                        &p->recipe.seed) ||
      !options_unsigned(o, OPTION_VERIFY_EVERY, 0, UINT32_MAX, "a number of steps, such as 1000, or 0",
                        &p->verify_every) ||
      !options_list(o, OPTION_HIDDEN, 1 << 24, "widths from 1 to 16777216, such as 512,256, or none", &p->hidden,
                    &p->hidden_count))
    return false;
  p->recipe.epochs = (uint32_t)epochs;
  p->recipe.decay_epochs = (uint32_t)decay;
  p->recipe.warmup_epochs = (uint32_t)warmup;
  p->recipe.patience = (uint32_t)patience;
  p->recipe.batch = (uint32_t)batch;
  return true;
}

static bool read_words(const options *o, plan *p) {
  static const char *const inits[] = {"he", "pytorch", "zero", NULL};
  static const char *const reductions[] = {"mean", "sum", NULL};
  static const char *const weights[] = {"none", "balanced", NULL};
  OPTION_NAMES(activations, mlp_cl_activation_name);
  OPTION_NAMES(schedules, mlp_cl_schedule_name);
  OPTION_NAMES(optimisers, mlp_cl_optimiser_name);
  size_t init = MLP_CL_INIT_HE, reduction = MLP_CL_MEAN, activation = MLP_CL_RELU, optimiser = MLP_CL_SGD;
  size_t schedule = MLP_CL_CONSTANT, balanced = 0;
  if (!options_word(o, OPTION_CLASS_WEIGHTS, weights, &balanced) ||
      !options_word(o, OPTION_SCHEDULE, schedules, &schedule) || !options_word(o, OPTION_INIT, inits, &init) ||
      !options_word(o, OPTION_ACTIVATION, activations, &activation) ||
      !options_word(o, OPTION_OPTIMISER, optimisers, &optimiser) ||
      !options_word(o, OPTION_REDUCTION, reductions, &reduction))
    return false;
  p->init = (mlp_cl_init)init;
  p->activation = (mlp_cl_activation)activation;
  p->recipe.optimiser = (mlp_cl_optimiser)optimiser;
  p->recipe.schedule = (mlp_cl_schedule)schedule;
  p->balanced = balanced == 1;
  if (optimiser != MLP_CL_SGD && !options_has(o, OPTION_LR))
    p->recipe.learning_rate = mlp_cl_recipe_for(p->recipe.optimiser).learning_rate;
  p->recipe.reduction = (mlp_cl_reduction)reduction;
  return true;
}

/* What would be without effect is not what was meant. */
static bool go_together(const options *o, const plan *p) {
  const mlp_cl_recipe *r = &p->recipe;
  const char *wrong = NULL;
  if (r->optimiser != MLP_CL_SGD && (options_has(o, OPTION_MOMENTUM) || r->nesterov))
    wrong = "--momentum and --nesterov go with --optimiser sgd: leave them away";
  else if (r->nesterov && r->momentum == 0.0f)
    wrong = "--nesterov needs a momentum; leave --momentum 0 away or give one, such as 0.9";
  else if (!p->init_from && p->hidden_count == 0 && (r->dropout > 0 || options_has(o, OPTION_ACTIVATION)))
    wrong = "--dropout and --activation are for hidden layers, of which --hidden none has none: leave them away";
  else if (r->dropout_unscaled && r->dropout == 0.0f)
    wrong = "--unscaled-dropout needs a dropout: give one, such as --dropout 0.2";
  else if (r->schedule != MLP_CL_STEP && (options_has(o, OPTION_DECAY_EPOCHS) || options_has(o, OPTION_DECAY_FACTOR)))
    wrong = "--decay-epochs and --decay-factor go with --schedule step: give that, too";
  else if (p->balanced && p->task != MLP_CL_CLASSIFICATION)
    wrong = "--class-weights goes with --task classification: leave it away";
  else if (r->label_smoothing != 0.0f && p->task != MLP_CL_CLASSIFICATION)
    wrong = "--label-smoothing goes with --task classification: leave it away";
  else if (r->warmup_epochs > r->epochs)
    wrong = "--warmup takes more epochs than --epochs has: give at most as many";
  if (wrong) report_usage("%s", wrong);
  return !wrong;
}

bool plan_read(const options *o, plan *p) {
  mlp_cl_task task;
  if (!source_task(o, &task)) return false;
  set_defaults(o, task, p);
  if (!p->hidden) report_no_memory();
  bool good = read_rates(o, p) && read_counts(o, p) && read_words(o, p) && checkpoint_read(o, &p->checkpoints);
  p->bias = !options_has(o, OPTION_NO_BIAS);
  p->recipe.nesterov = options_has(o, OPTION_NESTEROV);
  p->recipe.dropout_unscaled = options_has(o, OPTION_UNSCALED);
  p->recipe.no_shuffle = options_has(o, OPTION_NO_SHUFFLE);
  p->init_from = options_text(o, OPTION_INIT_FROM, NULL);
  p->out = options_text(o, OPTION_OUT, NULL);
  p->verify = options_has(o, OPTION_VERIFY);
  good = good && go_together(o, p);
  if (!good) plan_free(p);
  return good;
}

bool plan_balance(plan *p, const mlp_cl_dataset *data) {
  size_t rows = mlp_cl_dataset_rows(data), classes = mlp_cl_dataset_classes(data);
  if (!p->balanced) return true;
  float *weights = calloc(classes, sizeof *weights);
  size_t *counts = calloc(classes, sizeof *counts);
  for (size_t i = 0; weights && counts && i < rows; i++) counts[mlp_cl_dataset_labels(data)[i]]++;
  for (size_t c = 0; weights && counts && c < classes; c++)
    weights[c] = counts[c] ? (float)((double)rows / ((double)classes * (double)counts[c])) : 1.0f;
  bool good = weights && counts;
  free(counts);
  p->recipe.class_weights = weights;
  p->recipe.class_weights_count = good ? classes : 0;
  return good;
}

void plan_free(plan *p) {
  free((float *)p->recipe.class_weights);
  free(p->hidden);
  p->hidden = NULL;
}

size_t *plan_widths(const plan *p, const mlp_cl_dataset *data, size_t *count) {
  *count = p->hidden_count + 2;
  size_t *widths = malloc(*count * sizeof *widths);
  if (!widths) return NULL;
  widths[0] = mlp_cl_dataset_width(data);
  for (size_t i = 0; i < p->hidden_count; i++) widths[1 + i] = p->hidden[i];
  widths[*count - 1] = p->task == MLP_CL_CLASSIFICATION ? mlp_cl_dataset_classes(data) : mlp_cl_dataset_outputs(data);
  return widths;
}
