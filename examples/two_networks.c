/* Two networks on one context, trained in turns, a few steps each, as an ensemble is: then each alone, and the mean of
 * their probabilities. Networks share the device and its kernels; each has its own parameters. Usage: two_networks
 * [DEVICE] */
#include <mlp_cl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 10, NETWORKS = 2, EPOCHS = 10, STEPS_A_TURN = 10 };

typedef struct member {
  mlp_cl_network *network;
  mlp_cl_trainer *trainer;
} member;

static mlp_cl_status make_member(mlp_cl_context *context, const mlp_cl_dataset *train, uint64_t seed, member *made,
                                 mlp_cl_error *error) {
  static const size_t widths[] = {64, 24, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.seed = seed;
  recipe.epochs = EPOCHS;
  recipe.learning_rate = 0.02f;
  mlp_cl_status status = mlp_cl_network_create(context, &shape, seed, &made->network, error);
  if (status != MLP_CL_OK) return status;
  return mlp_cl_trainer_create(made->network, train, NULL, &recipe, &made->trainer, error);
}

static mlp_cl_status train_in_turns(member members[NETWORKS], mlp_cl_error *error) {
  uint64_t taken = STEPS_A_TURN;
  while (taken == STEPS_A_TURN)
    for (int i = 0; i < NETWORKS; i++) {
      mlp_cl_status status = mlp_cl_trainer_steps(members[i].trainer, STEPS_A_TURN, &taken, error);
      if (status != MLP_CL_OK) return status;
    }
  return MLP_CL_OK;
}

/* The share of rows whose largest value is the label's. */
static double accuracy(const float *values, const int32_t *labels, size_t rows) {
  size_t right = 0;
  for (size_t i = 0; i < rows; i++) {
    const float *row = values + i * CLASSES;
    int best = 0;
    for (int c = 1; c < CLASSES; c++) best = row[c] > row[best] ? c : best;
    right += best == labels[i];
  }
  return (double)right / (double)rows;
}

static mlp_cl_status compare(const member members[NETWORKS], const mlp_cl_dataset *test, mlp_cl_error *error) {
  size_t rows = mlp_cl_dataset_rows(test), values = rows * CLASSES;
  const int32_t *labels = mlp_cl_dataset_labels(test);
  float *one = malloc(values * sizeof *one), *sum = calloc(values, sizeof *sum);
  mlp_cl_status status = MLP_CL_OK;
  if (one == NULL || sum == NULL) {
    *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "no memory for the probabilities"};
    status = error->status;
  }
  for (int i = 0; status == MLP_CL_OK && i < NETWORKS; i++) {
    status = mlp_cl_network_predict_dataset(members[i].network, test, 0, rows, one, error);
    for (size_t v = 0; status == MLP_CL_OK && v < values; v++) sum[v] += one[v];
    if (status == MLP_CL_OK) printf("network %d: %.4f\n", i, accuracy(one, labels, rows));
  }
  if (status == MLP_CL_OK) printf("together:  %.4f of %zu rows\n", accuracy(sum, labels, rows), rows);
  free(one);
  free(sum);
  return status;
}

int main(int argc, char **argv) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_dataset *digits = NULL, *train = NULL, *test = NULL;
  member members[NETWORKS] = {{NULL, NULL}};
  mlp_cl_status status = mlp_cl_context_create(argc > 1 ? argv[1] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) status = mlp_cl_dataset_open("digits", &digits, NULL, &error);
  if (status == MLP_CL_OK) status = mlp_cl_dataset_split(digits, 0.2, 1, &train, &test, &error);
  for (int i = 0; status == MLP_CL_OK && i < NETWORKS; i++)
    status = make_member(context, train, 1 + (uint64_t)i, &members[i], &error);
  if (status == MLP_CL_OK) status = train_in_turns(members, &error);
  if (status == MLP_CL_OK) status = compare(members, test, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "two_networks: %s\n", error.text);

  for (int i = 0; i < NETWORKS; i++) {
    mlp_cl_trainer_destroy(members[i].trainer);
    mlp_cl_network_destroy(members[i].network);
  }
  mlp_cl_dataset_destroy(test);
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(digits);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
