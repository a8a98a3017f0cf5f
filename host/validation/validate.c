/* Compares a device with the reference, bit by bit: each operation over many shapes, then whole training runs. */
#include "validation/validation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "context/context.h"
#include "context/self_test.h"
#include "context/trial.h"

/* Around the sizes of vectors and tiles (16, 32), of blocks and leaves (256), and what falls between; a batch of five
 * leaves is small enough for all. */
static const trial_shape small_shapes[] = {
    {1, 1, 1},   {1, 17, 1}, {2, 15, 16},  {15, 16, 17}, {16, 16, 16}, {17, 31, 15}, {31, 33, 10},
    {33, 1, 32}, {5, 64, 2}, {64, 32, 10}, {7, 2, 63},   {64, 64, 64}, {1100, 3, 2},
};
static const trial_shape large_shapes[] = {
    {1, 784, 10},   {1, 1, 257},     {2, 1000, 3},  {3, 7, 1000},   {255, 64, 17},  {256, 31, 33},
    {257, 3, 2},    {300, 257, 9},   {33, 256, 48}, {31, 255, 257}, {48, 300, 300}, {600, 16, 16},
    {1025, 5, 1},   {1300, 19, 3},   {100, 513, 7}, {7, 49, 513},   {128, 128, 96}, {513, 100, 100},
    {64, 784, 128}, {129, 130, 131}, {1100, 1, 70}, {1, 530, 271},
};

static float as_float(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

void validation_add(mlp_cl_check *check, const trial_result *result, const char *where) {
  if (check->mismatches == 0 && result->mismatches > 0)
    snprintf(check->first, sizeof check->first,
             "%s, element %zu: %08" PRIx32 " (%.9g) where the reference has %08" PRIx32 " (%.9g)", where, result->index,
             result->got, (double)as_float(result->got), result->wanted, (double)as_float(result->wanted));
  check->elements += result->elements;
  check->mismatches += result->mismatches;
  if (result->max_ulp > check->max_ulp) check->max_ulp = result->max_ulp;
}

static mlp_cl_status check_shapes(const validation *v, const trial *tried, const trial_shape *shapes, size_t count,
                                  mlp_cl_check *check, mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++) {
    trial_result result = {.tolerance = v->tolerance};
    TRY(trial_compare(tried, shapes[i], v->tested->backend, v->reference->backend, &result, error));
    char where[96];
    snprintf(where, sizeof where, "%zu rows, %zu to %zu", shapes[i].rows, shapes[i].in, shapes[i].out);
    validation_add(check, &result, where);
  }
  return MLP_CL_OK;
}

static mlp_cl_status check_all_shapes(const validation *v, const trial *tried, mlp_cl_check *check,
                                      mlp_cl_error *error) {
  TRY(check_shapes(v, tried, small_shapes, sizeof small_shapes / sizeof *small_shapes, check, error));
  if (v->quick) return MLP_CL_OK;
  return check_shapes(v, tried, large_shapes, sizeof large_shapes / sizeof *large_shapes, check, error);
}

/* By the kernels for large results and by those for small ones, where there are both. */
static mlp_cl_status check_operation(const validation *v, size_t i, mlp_cl_check *check, mlp_cl_error *error) {
  const trial *tried = i < trials_count ? &trials[i] : &seldom_trials[i - trials_count];
  mlp_cl_status status = MLP_CL_OK;
  check->name = tried->name;
  for (size_t k = 0; status == MLP_CL_OK && take_products(v->tested->backend, k); k++)
    status = check_all_shapes(v, tried, check, error);
  take_products(v->tested->backend, KERNELS_BY_SIZE);
  return status;
}

/* Runs do without those that are wrong, or cannot be: their sums of bits, one for each kind that the device takes. A
 * sum tells no distance: with a tolerance there are the runs alone. */
static void check_whole_steps(const validation *v, mlp_cl_check *check) {
  check->name = "whole training steps";
  for (int kind = 0; kind < STEP_KINDS && v->tolerance == 0; kind++) {
    const char *broken = NULL;
    bool taken = false;
    if (self_test_steps(v->tested->backend, (step_kind)kind, &broken, &taken, NULL) != MLP_CL_OK || !taken) continue;
    check->elements++;
    if (broken == NULL) continue;
    if (check->mismatches++ == 0)
      snprintf(check->first, sizeof check->first, "%s: other bits than launches of single operations",
               step_kind_names[kind]);
  }
}

static mlp_cl_status check_number(const validation *v, size_t i, mlp_cl_check *check, mlp_cl_error *error) {
  size_t operations = trials_count + seldom_trials_count;
  if (i < operations) return check_operation(v, i, check, error);
  if (i > operations) return validation_check_run(v, i - operations - 1, check, error);
  check_whole_steps(v, check);
  return MLP_CL_OK;
}

static mlp_cl_status check_all(const validation *v, mlp_cl_on_check *on_check, void *user, mlp_cl_error *error) {
  size_t failed = 0, told = 0, checks = trials_count + seldom_trials_count + 1 + validation_runs(v);
  const char *first_failed = "";
  for (size_t i = 0; i < checks; i++) {
    mlp_cl_check check = {.name = ""};
    double began = clock_now_s();
    TRY(check_number(v, i, &check, error));
    if (check.elements == 0) continue; /* whole steps, on a device that takes none */
    told++;
    check.seconds = clock_now_s() - began;
    if (check.mismatches > 0 && failed++ == 0) first_failed = check.name;
    if (on_check != NULL && !on_check(&check, user))
      return fail(error, MLP_CL_CANCELLED, "validation was cancelled after \"%s\"", check.name);
  }
  if (failed == 0) return MLP_CL_OK;
  return fail(error, MLP_CL_MISMATCH, "%s and the reference differ in %zu of %zu checks, first in \"%s\"",
              v->tested->backend->device.name, failed, told, first_failed);
}

mlp_cl_status mlp_cl_validate(mlp_cl_context *context, const mlp_cl_validate_options *options,
                              mlp_cl_on_check *on_check, void *user, mlp_cl_error *error) {
  if (context == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context is NULL: open a device first");
  validation v = {.tested = context};
  if (options != NULL) {
    v.quick = options->quick;
    v.tolerance = options->tolerance_ulp;
  }
  context_prove_steps(context, NULL, true);
  TRY(mlp_cl_context_create("reference", NULL, &v.reference, error));
  mlp_cl_status status = check_all(&v, on_check, user, error);
  mlp_cl_context_destroy(v.reference);
  return status;
}
