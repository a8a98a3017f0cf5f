/* Model files: what is saved comes back with the same bits, what does not fit is refused by name. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model_file/model.h"
#include "test.h"

static mlp_cl_context *context;

static void open_all(void) {
  test_folder_create();
  context = test_open_device();
}

static void close_all(void) {
  mlp_cl_context_destroy(context);
  test_folder_remove();
}

/* A network with He weights and, so that a lost bias shows, biases that are not 0. */
static mlp_cl_network *make_network(size_t layers, const size_t *widths, bool bias) {
  mlp_cl_shape shape = {.widths_count = layers + 1, .widths = widths, .bias = bias, .init = MLP_CL_INIT_HE};
  mlp_cl_network *network;
  ck_ok(mlp_cl_network_create(context, &shape, 5, &network, &test_error));
  for (size_t i = 0; bias && i < layers; i++) {
    float *values = test_floats(widths[i + 1]);
    for (size_t j = 0; j < widths[i + 1]; j++) values[j] = 0.25f * (float)(j + 1) - (float)i;
    ck_ok(mlp_cl_network_set(network, i, NULL, values, &test_error));
    free(values);
  }
  return network;
}

static void expect_same_network(mlp_cl_network *got, mlp_cl_network *wanted) {
  char got_hex[65], wanted_hex[65];
  ck_assert_uint_eq(mlp_cl_network_layers(got), mlp_cl_network_layers(wanted));
  for (size_t i = 0; i <= mlp_cl_network_layers(got); i++) {
    ck_assert_uint_eq(mlp_cl_network_width(got, i), mlp_cl_network_width(wanted, i));
  }
  ck_assert(mlp_cl_network_has_bias(got) == mlp_cl_network_has_bias(wanted));
  ck_ok(mlp_cl_network_sha256(got, got_hex, &test_error));
  ck_ok(mlp_cl_network_sha256(wanted, wanted_hex, &test_error));
  ck_assert_str_eq(got_hex, wanted_hex);
}

static void expect_load_fails(const char *name, const char *part) {
  mlp_cl_network *network;
  mlp_cl_model_info *info;
  ck_fails(mlp_cl_network_load(context, test_path(name), &network, &info, &test_error), MLP_CL_BAD_FILE, part);
  ck_assert_ptr_null(network);
  ck_assert_ptr_null(info);
}

START_TEST(networks_come_back) {
  static const size_t widths[][4] = {{1, 1}, {17, 15, 16}, {3, 33, 31, 2}, {64, 32, 10}, {257, 255, 1}};
  static const size_t layers[] = {1, 2, 3, 2, 2};
  for (size_t i = 0; i < 5; i++) {
    for (int bias = 0; bias < 2; bias++) {
      mlp_cl_network *network = make_network(layers[i], widths[i], bias), *loaded;
      mlp_cl_model_info *info;
      ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, NULL, &test_error));
      ck_ok(mlp_cl_network_load(context, test_path("model"), &loaded, &info, &test_error));
      expect_same_network(loaded, network);
      ck_assert_uint_eq(mlp_cl_model_info_classes(info), widths[i][layers[i]]);
      ck_assert_str_eq(mlp_cl_model_info_class_name(info, 0), "0");
      ck_assert_ptr_null(mlp_cl_model_info_class_name(info, widths[i][layers[i]]));
      ck_assert(mlp_cl_model_info_scale(info) == 0);
      mlp_cl_model_info_destroy(info);
      mlp_cl_network_destroy(network);
      mlp_cl_network_destroy(loaded);
    }
  }
}
END_TEST

static const safetensors_tensor *find_tensor(const safetensors *content, const char *name) {
  for (size_t i = 0; i < content->tensors_count; i++) {
    if (strcmp(content->tensors[i].name, name) == 0) return &content->tensors[i];
  }
  ck_abort_msg("there is no tensor %s", name);
  return NULL;
}

static safetensors save_and_read(mlp_cl_network *network, const mlp_cl_recipe *recipe, const mlp_cl_dataset *dataset) {
  safetensors content;
  ck_ok(mlp_cl_network_save(network, test_path("model"), recipe, dataset, &test_error));
  ck_ok(safetensors_read(test_path("model"), &content, &test_error));
  return content;
}

START_TEST(weights_have_pytorchs_names_and_orientation) {
  static const size_t widths[] = {2, 3, 1};
  mlp_cl_network *network = make_network(2, widths, true);
  static const float weight[6] = {1, 2, 3, 4, 5, 6}, bias[3] = {7, 8, 9};
  ck_ok(mlp_cl_network_set(network, 0, weight, bias, &test_error));
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  for (int dropout = 0; dropout < 2; dropout++) {
    recipe.dropout = dropout ? 0.5f : 0;
    safetensors content = save_and_read(network, &recipe, NULL);
    ck_assert_uint_eq(content.tensors_count, 4);
    const safetensors_tensor *first = find_tensor(&content, "0.weight");
    ck_assert_uint_eq(first->sizes[0], 3);
    ck_assert_uint_eq(first->sizes[1], 2);
    ck_same_bits(first->values, (float[]){1, 4, 2, 5, 3, 6}, 6, "0.weight");
    ck_same_bits(find_tensor(&content, "0.bias")->values, bias, 3, "0.bias");
    ck_assert_uint_eq(find_tensor(&content, dropout ? "3.weight" : "2.weight")->count, 3);
    ck_assert_str_eq(safetensors_find_metadata(&content, "format"), "pt");
    safetensors_destroy(&content);
  }
  mlp_cl_network_destroy(network);
}
END_TEST

static double recipe_number(const json_t *recipe, const char *key) {
  const json_t *value = json_object_get(recipe, key);
  ck_assert_msg(json_is_number(value), "recipe has no number %s", key);
  return json_number_value(value);
}

START_TEST(metadata_tells_the_run) {
  static const size_t widths[] = {1, 2};
  mlp_cl_network *network = make_network(1, widths, true);
  mlp_cl_recipe recipe = {.seed = UINT64_MAX,
                          .epochs = 3,
                          .batch = 17,
                          .learning_rate = 0.1f,
                          .momentum = 0x1.cccccep-1f,
                          .nesterov = true,
                          .weight_decay = 0x1.234568p-20f,
                          .dropout = 0.3f,
                          .reduction = MLP_CL_SUM};
  mlp_cl_dataset *dataset;
  ck_ok(mlp_cl_dataset_from_arrays((uint8_t[]){1, 2}, MLP_CL_UINT8, 2, 1, 1.0f / 255.0f, (int32_t[]){0, 1}, 2, &dataset,
                                   &test_error));
  safetensors content = save_and_read(network, &recipe, dataset);
  json_t *told = json_loads(safetensors_find_metadata(&content, MODEL_RECIPE), 0, NULL);
  ck_assert_str_eq(json_string_value(json_object_get(told, "seed")), "18446744073709551615");
  ck_assert((float)recipe_number(told, "learning_rate") == 0.1f);
  ck_assert((float)recipe_number(told, "momentum") == recipe.momentum);
  ck_assert((float)recipe_number(told, "weight_decay") == recipe.weight_decay);
  ck_assert((float)recipe_number(told, "dropout") == 0.3f);
  ck_assert(recipe_number(told, "epochs") == 3 && recipe_number(told, "batch") == 17);
  ck_assert(json_is_true(json_object_get(told, "nesterov")) && json_is_false(json_object_get(told, "no_shuffle")));
  ck_assert_str_eq(json_string_value(json_object_get(told, "reduction")), "sum");
  json_decref(told);
  ck_assert_str_eq(safetensors_find_metadata(&content, MODEL_CLASSES), "[\"0\",\"1\"]");
  ck_assert_str_eq(safetensors_find_metadata(&content, MODEL_VERSION), mlp_cl_version());
  char hex[65];
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_assert_str_eq(safetensors_find_metadata(&content, MODEL_WEIGHTS_SHA256), hex);
  safetensors_destroy(&content);

  mlp_cl_network *loaded;
  mlp_cl_model_info *info;
  ck_ok(mlp_cl_network_load(context, test_path("model"), &loaded, &info, &test_error));
  ck_assert(mlp_cl_model_info_scale(info) == 1.0f / 255.0f);
  ck_assert_str_eq(mlp_cl_model_info_class_name(info, 1), "1");
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(loaded);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(dataset);
}
END_TEST

START_TEST(same_network_gives_the_same_bytes) {
  static const size_t widths[] = {17, 16, 3};
  unsigned char *bytes[2];
  size_t counts[2];
  for (int i = 0; i < 2; i++) {
    mlp_cl_network *network = make_network(2, widths, true);
    mlp_cl_recipe recipe = mlp_cl_recipe_default();
    ck_ok(mlp_cl_network_save(network, test_path(i == 0 ? "first" : "second"), &recipe, NULL, &test_error));
    bytes[i] = test_file_read(test_path(i == 0 ? "first" : "second"), &counts[i]);
    mlp_cl_network_destroy(network);
  }
  ck_assert_uint_eq(counts[0], counts[1]);
  ck_assert_mem_eq(bytes[0], bytes[1], counts[0]);
  free(bytes[0]);
  free(bytes[1]);
}
END_TEST

/* One tensor of a file to be written. */
typedef struct planned {
  const char *name;
  size_t rank, sizes[3];
} planned;

static void write_model(const char *name, const planned *tensors, size_t count, const char *key, const char *value) {
  safetensors content = {0};
  if (key != NULL) ck_ok(safetensors_add_metadata(&content, key, value, &test_error));
  for (size_t i = 0; i < count; i++) {
    safetensors_tensor *tensor;
    ck_ok(safetensors_add(&content, tensors[i].name, tensors[i].sizes, tensors[i].rank, &tensor, &test_error));
    for (size_t j = 0; j < tensor->count; j++) tensor->values[j] = (float)(j + 10 * i) * 0.5f;
  }
  ck_ok(safetensors_write(test_path(name), &content, &test_error));
  safetensors_destroy(&content);
}

/* Layers in any order, with gaps between the numbers: 10 comes after 9. */
START_TEST(pytorchs_files_load) {
  static const planned tensors[] = {
      {"10.bias", 1, {2}}, {"9.weight", 2, {3, 4}}, {"10.weight", 2, {2, 3}}, {"9.bias", 1, {3}}};
  write_model("model", tensors, 4, NULL, NULL);
  mlp_cl_network *network;
  ck_ok(mlp_cl_network_load(context, test_path("model"), &network, NULL, &test_error));
  ck_assert_uint_eq(mlp_cl_network_layers(network), 2);
  ck_assert_uint_eq(mlp_cl_network_width(network, 0), 4);
  float weight[6], bias[2];
  test_canary_fill(weight, 6);
  test_canary_fill(bias, 2);
  ck_ok(mlp_cl_network_get(network, 1, weight, bias, &test_error));
  ck_same_bits(weight, (float[]){10, 11.5f, 10.5f, 12, 11, 12.5f}, 6, "10.weight");
  ck_same_bits(bias, (float[]){0, 0.5f}, 2, "10.bias");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(files_that_do_not_fit_are_named) {
  static const struct {
    planned tensors[3];
    size_t count;
    const char *part;
  } models[] = {
      {{{"x", 1, {1}}}, 0, "no tensor <number>.weight"},
      {{{"0.bias", 1, {1}}}, 1, "no tensor <number>.weight"},
      {{{"fc1.weight", 2, {1, 1}}}, 1, "tensor \"fc1.weight\" is no layer"},
      {{{"0.running_mean", 1, {1}}}, 1, "tensor \"0.running_mean\" is no layer"},
      {{{"00.weight", 2, {1, 1}}}, 1, "tensor \"00.weight\" is no layer"},
      {{{"9999999999.weight", 2, {1, 1}}}, 1, "is no layer"},
      {{{"0.weight", 3, {1, 1, 1}}}, 1, "tensor \"0.weight\" has shape [1, 1, 1]"},
      {{{"0.weight", 2, {0, 1}}}, 1, "has shape [0, 1]"},
      {{{"0.weight", 2, {3, 4}}, {"2.weight", 2, {2, 5}}},
       2,
       "tensor \"2.weight\" of shape [2, 5] takes 5 values, but \"0.weight\" of shape [3, 4] gives 3"},
      {{{"0.weight", 2, {3, 4}}, {"0.bias", 1, {4}}}, 2, "\"0.bias\" has shape [4], but \"0.weight\" has [3, 4]"},
      {{{"0.weight", 2, {3, 4}}, {"0.bias", 2, {3, 1}}}, 2, "\"0.bias\" has shape [3, 1]"},
      {{{"0.weight", 2, {3, 4}}, {"2.weight", 2, {2, 3}}, {"0.bias", 1, {3}}}, 3, "\"2.bias\" is missing"},
      {{{"0.weight", 2, {3, 4}}, {"1.bias", 1, {3}}}, 2, "\"1.bias\" has no weight"},
  };
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    write_model("model", models[i].tensors, models[i].count, NULL, NULL);
    expect_load_fails("model", models[i].part);
  }
}
END_TEST

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SPLIT(holdout, seed, sha256)                                                             \
  "{\"holdout\":" holdout ",\"validation\":0.0,\"seed\":\"" seed "\",\"train_sha256\":\"" sha256 \
  "\",\"test_sha256\":\"" sha256 "\",\"validation_sha256\":\"\"}"

static void expect_split(double holdout, uint64_t seed, const char *sha256) {
  mlp_cl_model_info *info;
  ck_ok(mlp_cl_model_info_open(test_path("model"), &info, &test_error));
  const mlp_cl_split *split = mlp_cl_model_info_split(info);
  ck_assert_ptr_nonnull(split);
  ck_assert(split->holdout == holdout && split->validation == 0.0 && split->seed == seed);
  ck_assert_str_eq(split->train_sha256, sha256);
  ck_assert_str_eq(split->test_sha256, sha256);
  ck_assert_str_eq(split->validation_sha256, "");
  mlp_cl_model_info_destroy(info);
}

START_TEST(metadata_that_lies_is_refused) {
  static const planned tensor = {"0.weight", 2, {2, 3}};
  static const struct {
    const char *key, *value, *part;
  } lies[] = {
      {MODEL_SCALE, "nan", "\"nan\"; a number"},
      {MODEL_SCALE, "1e-60", "\"1e-60\"; a number"},
      {MODEL_SCALE, "", "a number that is not 0"},
      {MODEL_SCALE, "\"1\"", "a number that is not 0"},
      {MODEL_CLASSES, "", "list of 2 strings"},
      {MODEL_CLASSES, "[\"a\"]", "list of 2 strings"},
      {MODEL_CLASSES, "[1,2]", "list of 2 strings"},
      {MODEL_CLASSES, "{\"a\":1,\"b\":2}", "list of 2 strings"},
      {MODEL_ACTIVATION, "swish", "\"swish\", which this version does not know"},
      {MODEL_TASK, "", "\"\", which this version does not know"},
      {MODEL_SPLIT, "", "is not an object of two shares, a seed and the SHA-256 of each part"},
      {MODEL_SPLIT, SPLIT("1.5", "1", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("-0.5", "1", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("\"a\"", "1", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("0.5", "-1", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("0.5", "18446744073709551616", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("0.0", "1", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, "[]", "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("0.5", "1x", SHA256), "is not an object of two shares"},
      {MODEL_SPLIT, SPLIT("0.5", "1", SHA256 "0"), "is not an object of two shares"},
      {MODEL_WEIGHTS_SHA256, "0123", "promises 0123: damaged or edited"},
  };
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    write_model("model", &tensor, 1, lies[i].key, lies[i].value);
    expect_load_fails("model", lies[i].part);
  }
  write_model("model", &tensor, 1, MODEL_SPLIT, SPLIT("0.5", "18446744073709551615", SHA256));
  expect_split(0.5, UINT64_MAX, SHA256);
  write_model("model", &tensor, 1, MODEL_CLASSES, "[\"ankle boot\",\"\"]");
  mlp_cl_network *network;
  mlp_cl_model_info *info;
  ck_ok(mlp_cl_network_load(context, test_path("model"), &network, &info, &test_error));
  ck_assert_str_eq(mlp_cl_model_info_class_name(info, 0), "ankle boot");
  ck_assert_str_eq(mlp_cl_model_info_class_name(info, 1), "");
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(network);
}
END_TEST

/* One flipped bit of a weight is found by the receipt, wherever it is. */
START_TEST(damaged_weights_are_noticed) {
  static const size_t widths[] = {2, 2};
  mlp_cl_network *network = make_network(1, widths, true);
  ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, NULL, &test_error));
  mlp_cl_network_destroy(network);
  size_t count;
  unsigned char *bytes = test_file_read(test_path("model"), &count);
  for (size_t bit = 8 * (count - 24); bit < 8 * count; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    test_file_write(test_path("model"), bytes, count);
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    expect_load_fails("model", "model: ");
  }
  free(bytes);
}
END_TEST

static const char *find_metadata(const mlp_cl_model_info *info, const char *wanted) {
  const char *key, *value;
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)) != NULL; i++) {
    if (strcmp(key, wanted) == 0) return value;
  }
  return NULL;
}

START_TEST(files_are_looked_at_without_a_device) {
  static const size_t widths[] = {17, 33, 2};
  mlp_cl_network *network = make_network(2, widths, true);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  mlp_cl_model_info *info;
  char hex[65];
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_ok(mlp_cl_network_save(network, test_path("model"), &recipe, NULL, &test_error));
  ck_ok(mlp_cl_model_info_open(test_path("model"), &info, &test_error));
  ck_assert_uint_eq(mlp_cl_model_info_layers(info), 2);
  for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(mlp_cl_model_info_width(info, i), widths[i]);
  ck_assert_uint_eq(mlp_cl_model_info_width(info, 3), 0);
  ck_assert(mlp_cl_model_info_has_bias(info));
  ck_assert_str_eq(mlp_cl_model_info_sha256(info), hex);
  ck_assert_str_eq(find_metadata(info, MODEL_WEIGHTS_SHA256), hex);
  ck_assert_ptr_nonnull(find_metadata(info, MODEL_RECIPE));
  ck_assert_ptr_null(find_metadata(info, "none"));
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(network);
}
END_TEST

/* Values that a device would store otherwise, and a receipt that is wrong, which is told and no error. */
START_TEST(receipts_of_files_are_those_of_their_networks) {
  safetensors content = {0};
  safetensors_tensor *tensor;
  ck_ok(safetensors_add(&content, "0.weight", (size_t[]){2, 3}, 2, &tensor, &test_error));
  memcpy(tensor->values, (float[]){1, -0.0f, 0x1p-31f, 0x1p-140f, -2, 3}, 6 * sizeof(float));
  ck_ok(safetensors_write(test_path("model"), &content, &test_error));
  mlp_cl_network *network;
  mlp_cl_model_info *info;
  char hex[65];
  ck_ok(mlp_cl_network_load(context, test_path("model"), &network, &info, &test_error));
  ck_assert_ptr_null(mlp_cl_model_info_sha256(info));
  mlp_cl_model_info_destroy(info);
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_ok(safetensors_add_metadata(&content, MODEL_WEIGHTS_SHA256, "0123", &test_error));
  ck_ok(safetensors_write(test_path("model"), &content, &test_error));
  ck_ok(mlp_cl_model_info_open(test_path("model"), &info, &test_error));
  ck_assert_str_eq(mlp_cl_model_info_sha256(info), hex);
  ck_assert_str_eq(find_metadata(info, MODEL_WEIGHTS_SHA256), "0123");
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(network);
  safetensors_destroy(&content);
}
END_TEST

/* What no file may say of a network, since it could not be read again. */
START_TEST(data_of_another_network_is_refused) {
  static const size_t widths[] = {2, 3};
  static const uint8_t features[] = {1, 2, 3, 4};
  static const float targets[] = {1, 0, 1, 0};
  const mlp_cl_shape numbers = {.widths_count = 2, .widths = widths, .task = MLP_CL_REGRESSION};
  mlp_cl_network *network = make_network(1, widths, true), *regression = NULL;
  mlp_cl_dataset *wide, *classes, *pair, *triple;
  ck_ok(mlp_cl_network_create(context, &numbers, 1, &regression, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, 1, 4, 1, (int32_t[]){0}, 3, &wide, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, 1, 2, 1, (int32_t[]){0}, 3, &classes, &test_error));
  ck_ok(mlp_cl_dataset_from_targets(features, MLP_CL_UINT8, 2, 2, 1, targets, 2, &pair, &test_error));
  ck_ok(mlp_cl_dataset_from_targets(features, MLP_CL_UINT8, 1, 2, 1, targets, 3, &triple, &test_error));
  const struct {
    mlp_cl_network *network;
    const mlp_cl_dataset *dataset;
    const char *part;
  } cases[] = {{network, wide, "2 inputs cannot be saved with a data set of 4 features"},
               {network, pair, "3 outputs for classification cannot be saved with a data set of 2 targets"},
               {network, triple, "3 outputs for classification cannot be saved with a data set of 3 targets"},
               {regression, classes, "3 outputs for regression cannot be saved with a data set of 3 classes"},
               {regression, pair, "3 outputs for regression cannot be saved with a data set of 2 targets"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_fails(mlp_cl_network_save(cases[i].network, test_path("model"), NULL, cases[i].dataset, &test_error),
             MLP_CL_BAD_SHAPE, cases[i].part);
  ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, classes, &test_error));
  ck_ok(mlp_cl_network_save(regression, test_path("model"), NULL, triple, &test_error));
  mlp_cl_dataset_destroy(wide);
  mlp_cl_dataset_destroy(classes);
  mlp_cl_dataset_destroy(pair);
  mlp_cl_dataset_destroy(triple);
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(regression);
}
END_TEST

START_TEST(failed_saves_keep_the_old_file) {
  static const size_t widths[] = {2, 2};
  mlp_cl_network *network = make_network(1, widths, true);
  test_file_write(test_path("model"), "old", 3);
  mlp_cl_dataset *dataset;
  ck_ok(mlp_cl_dataset_from_arrays((uint8_t[]){1, 2}, MLP_CL_UINT8, 1, 2, 1, (int32_t[]){0}, 3, &dataset, &test_error));
  ck_fails(mlp_cl_network_save(network, test_path("model"), NULL, dataset, &test_error), MLP_CL_BAD_SHAPE, "3 classes");
  ck_fails(mlp_cl_network_save(network, test_path("none/model"), NULL, NULL, &test_error), MLP_CL_IO, "none/model");
  ck_fails(mlp_cl_network_save(network, NULL, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  size_t count;
  unsigned char *bytes = test_file_read(test_path("model"), &count);
  ck_assert_str_eq((const char *)bytes, "old");
  ck_assert_uint_eq(test_folder_count(), 1);
  free(bytes);
  mlp_cl_dataset_destroy(dataset);
  mlp_cl_network_destroy(network);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model");
  TCase *cases = tcase_create("model");
  tcase_add_checked_fixture(cases, open_all, close_all);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, networks_come_back);
  tcase_add_test(cases, weights_have_pytorchs_names_and_orientation);
  tcase_add_test(cases, metadata_tells_the_run);
  tcase_add_test(cases, same_network_gives_the_same_bytes);
  tcase_add_test(cases, pytorchs_files_load);
  tcase_add_test(cases, files_that_do_not_fit_are_named);
  tcase_add_test(cases, metadata_that_lies_is_refused);
  tcase_add_test(cases, damaged_weights_are_noticed);
  tcase_add_test(cases, files_are_looked_at_without_a_device);
  tcase_add_test(cases, receipts_of_files_are_those_of_their_networks);
  tcase_add_test(cases, data_of_another_network_is_refused);
  tcase_add_test(cases, failed_saves_keep_the_old_file);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
