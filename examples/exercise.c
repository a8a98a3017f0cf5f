/* The exercise that this library grew from: two samples, a network 3-4-2 without biases, ReLU and softmax, worked with
 * the public interface alone and printed beside the numbers that NumPy and PyTorch gave.
 * Usage: exercise [DEVICE [SEEDS]]; the device is "reference" and the seeds 1000 unless given. */
#include <math.h>
#include <mlp_cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 2
#define INPUTS 3
#define HIDDEN 4
#define CLASSES 2
#define STEPS 100
#define RATE 0.4f
#define LEARNING_RATE 0.01f

#define TRY(call)                             \
  do {                                        \
    mlp_cl_status status_ = (call);           \
    if (status_ != MLP_CL_OK) return status_; \
  } while (0)

/* All parameters, so that they can also be read as one array. */
typedef struct weights {
  float w1[INPUTS][HIDDEN], w2[HIDDEN][CLASSES];
} weights;
#define WEIGHTS (sizeof(weights) / sizeof(float))

static const float x[SAMPLES][INPUTS] = {{1, 2, 3}, {4, 5, 6}};
static const int32_t labels[SAMPLES] = {1, 0}; /* y = [[0, 1], [1, 0]] */
static const weights initial = {{{.1f, .2f, .3f, .4f}, {.5f, .6f, .7f, .8f}, {.9f, 1.0f, 1.1f, 1.2f}},
                                {{.2f, .3f}, {.4f, .5f}, {.6f, .7f}, {.8f, .9f}}};

static const float expected_forward[SAMPLES][CLASSES] = {{0.13238887f, 0.86761113f}, {0.01448572f, 0.98551428f}};
/* w1: each row; for this start the gradient of w2 was not printed */
static const float expected_gradient[INPUTS] = {0.38096682f, 0.46627936f, 0.5515919f};
static const weights printed_by_pytorch = {
    {{.0439f, .1263f, .2244f, .2644f}, {.3837f, .4680f, .5300f, .6191f}, {.7234f, .8097f, .8356f, .9737f}},
    {{.2463f, .2537f}, {.4748f, .4252f}, {.6806f, .6194f}, {.7864f, .9136f}}};
static const weights printed_by_numpy = {
    {{.05097084f, .18139549f, .31182013f, .44224478f},
     {.46426742f, .57000749f, .67574755f, .78148762f},
     {.87756399f, .95861948f, 1.03967497f, 1.12073046f}},
    {{.18933791f, .31066209f}, {.44997597f, .45002403f}, {.71061402f, .58938598f}, {.97125207f, .72874793f}}};

static mlp_cl_status make_network(mlp_cl_context *context, mlp_cl_network **network, mlp_cl_error *error) {
  static const size_t widths[] = {INPUTS, HIDDEN, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .init = MLP_CL_INIT_ZERO};
  TRY(mlp_cl_network_create(context, &shape, 0, network, error));
  mlp_cl_status status = mlp_cl_network_set(*network, 0, &initial.w1[0][0], NULL, error);
  if (status == MLP_CL_OK) status = mlp_cl_network_set(*network, 1, &initial.w2[0][0], NULL, error);
  if (status == MLP_CL_OK) return status;
  mlp_cl_network_destroy(*network);
  *network = NULL;
  return status;
}

static mlp_cl_status forward(mlp_cl_context *context, float probabilities[SAMPLES][CLASSES], mlp_cl_error *error) {
  mlp_cl_network *network = NULL;
  TRY(make_network(context, &network, error));
  mlp_cl_status status = mlp_cl_network_predict(network, &x[0][0], SAMPLES, &probabilities[0][0], error);
  mlp_cl_network_destroy(network);
  return status;
}

/* d(sum of the two losses) / d(weights), one operation after the other. `mask` is NULL without dropout. With it, this
 * is the exercise's NumPy variant: the mask takes part in the forward pass and is forgotten in the backward pass. */
static mlp_cl_status backward(mlp_cl_context *context, const weights *w, const mlp_cl_mask *mask, weights *gradient,
                              mlp_cl_error *error) {
  float z[SAMPLES][HIDDEN], h[SAMPLES][HIDDEN], masked[SAMPLES][HIDDEN], logits[SAMPLES][CLASSES];
  float d_logits[SAMPLES][CLASSES], d_h[SAMPLES][HIDDEN], d_z[SAMPLES][HIDDEN];
  TRY(mlp_cl_matmul(context, MLP_CL_A_B, SAMPLES, HIDDEN, INPUTS, &x[0][0], &w->w1[0][0], &z[0][0], error));
  TRY(mlp_cl_relu(context, SAMPLES, HIDDEN, &z[0][0], &h[0][0], error));
  memcpy(masked, h, sizeof h);
  if (mask != NULL) TRY(mlp_cl_dropout(context, SAMPLES, HIDDEN, mask, &h[0][0], &masked[0][0], error));
  TRY(mlp_cl_matmul(context, MLP_CL_A_B, SAMPLES, CLASSES, HIDDEN, &masked[0][0], &w->w2[0][0], &logits[0][0], error));
  TRY(mlp_cl_cross_entropy(context, SAMPLES, CLASSES, &logits[0][0], labels, MLP_CL_SUM, NULL, NULL, &d_logits[0][0],
                           error));
  TRY(mlp_cl_matmul(context, MLP_CL_A_BT, SAMPLES, HIDDEN, CLASSES, &d_logits[0][0], &w->w2[0][0], &d_h[0][0], error));
  TRY(mlp_cl_relu_backward(context, SAMPLES, HIDDEN, &h[0][0], &d_h[0][0], &d_z[0][0], error));
  TRY(mlp_cl_matmul(context, MLP_CL_AT_B, HIDDEN, CLASSES, SAMPLES, &h[0][0], &d_logits[0][0], &gradient->w2[0][0],
                    error));
  return mlp_cl_matmul(context, MLP_CL_AT_B, INPUTS, HIDDEN, SAMPLES, &x[0][0], &d_z[0][0], &gradient->w1[0][0], error);
}

/* 100 steps as the exercise's NumPy code took them. */
static mlp_cl_status train_like_numpy(mlp_cl_context *context, uint64_t seed, weights *trained, mlp_cl_error *error) {
  const mlp_cl_recipe recipe = {.learning_rate = LEARNING_RATE};
  *trained = initial;
  for (uint32_t step = 0; step < STEPS; step++) {
    const mlp_cl_mask mask = {.rate = RATE, .unscaled = true, .seed = seed, .step = step};
    weights gradient;
    TRY(backward(context, trained, &mask, &gradient, error));
    TRY(mlp_cl_sgd(context, INPUTS, HIDDEN, &recipe, &gradient.w1[0][0], &trained->w1[0][0], NULL, error));
    TRY(mlp_cl_sgd(context, HIDDEN, CLASSES, &recipe, &gradient.w2[0][0], &trained->w2[0][0], NULL, error));
  }
  return MLP_CL_OK;
}

/* 100 steps as PyTorch takes them: kept values are divided by 0.6, and the mask holds in the backward pass too. */
static mlp_cl_status train_like_pytorch(mlp_cl_context *context, uint64_t seed, weights *trained, mlp_cl_error *error) {
  const mlp_cl_recipe recipe = {.seed = seed,
                                .epochs = STEPS,
                                .batch = SAMPLES,
                                .learning_rate = LEARNING_RATE,
                                .dropout = RATE,
                                .reduction = MLP_CL_SUM};
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_status status =
      mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, SAMPLES, INPUTS, 1.0f, labels, CLASSES, &data, error);
  if (status == MLP_CL_OK) status = make_network(context, &network, error);
  if (status == MLP_CL_OK) status = mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, error);
  if (status == MLP_CL_OK) status = mlp_cl_network_get(network, 0, &trained->w1[0][0], NULL, error);
  if (status == MLP_CL_OK) status = mlp_cl_network_get(network, 1, &trained->w2[0][0], NULL, error);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  return status;
}

typedef mlp_cl_status training(mlp_cl_context *context, uint64_t seed, weights *trained, mlp_cl_error *error);

/* What many runs that differ only in their masks come to. */
typedef struct distribution {
  double mean[WEIGHTS], deviation[WEIGHTS]; /* standard deviation of one run */
  double largest_drift;                     /* of a row sum of w2 from where it began, in any run */
} distribution;

/* Both columns of a row of w2 get opposite gradients: probabilities and labels sum to 1. */
static double drift_of(const weights *w) {
  double largest = 0;
  for (size_t j = 0; j < HIDDEN; j++) {
    double began = 0.5 + 0.4 * (double)j;
    largest = fmax(largest, fabs((double)w->w2[j][0] + (double)w->w2[j][1] - began));
  }
  return largest;
}

static mlp_cl_status distribute(mlp_cl_context *context, training *train, size_t seeds, distribution *d,
                                mlp_cl_error *error) {
  double sum[WEIGHTS] = {0}, squares[WEIGHTS] = {0};
  *d = (distribution){.largest_drift = 0};
  for (size_t seed = 1; seed <= seeds; seed++) {
    weights trained;
    TRY(train(context, seed, &trained, error));
    d->largest_drift = fmax(d->largest_drift, drift_of(&trained));
    for (size_t i = 0; i < WEIGHTS; i++) {
      double value = (double)((const float *)&trained)[i];
      sum[i] += value;
      squares[i] += value * value;
    }
  }
  double count = (double)seeds;
  for (size_t i = 0; i < WEIGHTS; i++) {
    d->mean[i] = sum[i] / count;
    d->deviation[i] = sqrt((squares[i] - sum[i] * d->mean[i]) / (count - 1));
  }
  return MLP_CL_OK;
}

static void print_distribution(const char *title, const weights *printed, const distribution *d) {
  printf("\n%s\n         printed       our mean    deviation   apart by\n", title);
  for (size_t i = 0; i < WEIGHTS; i++) {
    double wanted = (double)((const float *)printed)[i];
    size_t in_w1 = (size_t)INPUTS * HIDDEN;
    size_t row = i < in_w1 ? i / HIDDEN : (i - in_w1) / CLASSES, col = i < in_w1 ? i % HIDDEN : (i - in_w1) % CLASSES;
    printf("W%d[%zu][%zu] %11.8f  %11.8f  %11.8f  %5.2f deviations\n", i < in_w1 ? 1 : 2, row, col, wanted, d->mean[i],
           d->deviation[i], fabs(wanted - d->mean[i]) / d->deviation[i]);
  }
  printf("row sums of W2 stay within %.1e of 0.5, 0.9, 1.3, 1.7\n", d->largest_drift);
}

static mlp_cl_status print_all(mlp_cl_context *context, size_t seeds, mlp_cl_error *error) {
  float probabilities[SAMPLES][CLASSES];
  TRY(forward(context, probabilities, error));
  printf("Forward pass: class probabilities\n");
  for (size_t i = 0; i < SAMPLES; i++)
    printf("sample %zu   expected %.8f %.8f   here %.8f %.8f\n", i, (double)expected_forward[i][0],
           (double)expected_forward[i][1], (double)probabilities[i][0], (double)probabilities[i][1]);

  weights gradient;
  TRY(backward(context, &initial, NULL, &gradient, error));
  printf("\nGradient of W1, cross-entropy summed over the samples (the %d columns are equal)\n", HIDDEN);
  for (size_t i = 0; i < INPUTS; i++)
    printf("row %zu   expected %.8f   here %.8f %.8f %.8f %.8f\n", i, (double)expected_gradient[i],
           (double)gradient.w1[i][0], (double)gradient.w1[i][1], (double)gradient.w1[i][2], (double)gradient.w1[i][3]);

  distribution d;
  TRY(distribute(context, train_like_pytorch, seeds, &d, error));
  print_distribution("Dropout 0.4 and 100 steps as in PyTorch: one draw that it printed, and ours over many seeds",
                     &printed_by_pytorch, &d);
  TRY(distribute(context, train_like_numpy, seeds, &d, error));
  print_distribution("The same with an unscaled mask that the backward pass leaves out, as in the NumPy code",
                     &printed_by_numpy, &d);
  return MLP_CL_OK;
}

int main(int argc, char **argv) {
  const char *device = argc > 1 ? argv[1] : "reference";
  long seeds = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
  if (seeds < 2 || seeds > 1000000) {
    fprintf(stderr, "exercise: SEEDS is \"%s\": give 2 to 1000000\n", argv[2]);
    return 2;
  }
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_status status = mlp_cl_context_create(device, NULL, &context, &error);
  if (status == MLP_CL_OK) status = print_all(context, (size_t)seeds, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "exercise: %s\n", error.text);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
