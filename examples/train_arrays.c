/* Trains on arrays in memory: two spirals, one inside the other, which no straight line parts. Prints the accuracy, the
 * receipt and what the network makes of three new points. Usage: train_arrays [DEVICE] */
#include <math.h>
#include <mlp_cl.h>
#include <stdio.h>

enum { ROWS = 600, CLASSES = 2 };

static float points[ROWS][2];
static int32_t labels[ROWS];

static void draw_spirals(void) {
  for (int i = 0; i < ROWS; i++) {
    float along = (float)(i / 2) / (ROWS / 2), turn = 1.5f * 6.2831853f * along;
    float side = i % 2 == 0 ? 1.0f : -1.0f;
    points[i][0] = side * along * cosf(turn);
    points[i][1] = side * along * sinf(turn);
    labels[i] = i % 2;
  }
}

static mlp_cl_status train(mlp_cl_network *network, const mlp_cl_dataset *data, mlp_cl_error *error) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 300;
  recipe.batch = 50;
  mlp_cl_status status = mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, error);

  mlp_cl_evaluation result;
  if (status == MLP_CL_OK) status = mlp_cl_network_evaluate(network, data, &result, NULL, error);
  char receipt[65];
  if (status == MLP_CL_OK) status = mlp_cl_network_sha256(network, receipt, error);
  if (status == MLP_CL_OK) printf("accuracy %.4f\nsha256   %s\n", result.accuracy, receipt);
  return status;
}

static mlp_cl_status ask(mlp_cl_network *network, mlp_cl_error *error) {
  static const float new_points[3][2] = {{0.4f, 0.1f}, {0.3f, -0.5f}, {0.0f, 0.8f}};
  float probabilities[3][CLASSES];
  mlp_cl_status status = mlp_cl_network_predict(network, &new_points[0][0], 3, &probabilities[0][0], error);
  for (int i = 0; status == MLP_CL_OK && i < 3; i++)
    printf("(%4.1f, %4.1f) is on spiral 0 with probability %.3f, on 1 with %.3f\n", (double)new_points[i][0],
           (double)new_points[i][1], (double)probabilities[i][0], (double)probabilities[i][1]);
  return status;
}

int main(int argc, char **argv) {
  static const size_t widths[] = {2, 32, 32, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 4, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;

  draw_spirals();
  mlp_cl_status status = mlp_cl_context_create(argc > 1 ? argv[1] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) /* copies the arrays; values are taken times 1 */
    status = mlp_cl_dataset_from_arrays(points, MLP_CL_FLOAT32, ROWS, 2, 1.0f, labels, CLASSES, &data, &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_create(context, &shape, 1, &network, &error);
  if (status == MLP_CL_OK) status = train(network, data, &error);
  if (status == MLP_CL_OK) status = ask(network, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "train_arrays: %s\n", error.text);

  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
