/* The kernels' parameters: what suits a device, what is worth trying on it, and what was found to be fastest there.
 * They are told as words, "tile_rows=8 tile_panels=2 unit_rows=48", and never change bits. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/identity.h"
#include "base/cache.h"
#include "base/size.h"
#include "opencl/internal.h"

/* ---- Limits ----------------------------------------------------------------------------------------------------- */

/* Whole quads of results for each part, and two slabs of each operand with what parts exchange in local memory. */
static bool tile_fits(const tile_shape *t, const mlp_cl_device *device) {
  enum { SLAB = 16, QUAD = 4 };
  size_t rows = (size_t)(t->group_rows * t->item_rows), cols = (size_t)(t->group_cols * t->item_cols);
  size_t parts = (size_t)t->parts, items = (size_t)t->group_rows * (size_t)t->group_cols * parts;
  size_t local = parts * 2 * SLAB * (rows + cols) + (parts > 1 ? parts * rows * cols : 0);
  return t->item_rows % QUAD == 0 && t->item_cols % QUAD == 0 && t->item_rows * t->item_cols % (QUAD * t->parts) == 0 &&
         items <= device->work_group_size && local * sizeof(float) <= device->local_memory_bytes;
}

/* What a compiler makes of its own accord may take so many that few work-groups find room beside each other. NVIDIA's
 * is told by an option (the extension cl_nv_compiler_options). */
enum { REGISTERS_MOST = 255 };

static bool registers_fit(int registers, const mlp_cl_device *device) {
  return registers == REGISTERS_MOST || (registers >= 64 && strstr(device->platform, "NVIDIA") != NULL);
}

/* The constants' own conditions (kernels/matmul_panel.h, dense.h, matmul_tile.h), and the device's limits. */
static bool fits(const opencl_tuning *u, const mlp_cl_device *device) {
  if (u->variant == VARIANT_PLAIN) return true;
  if (u->variant == VARIANT_PANEL) {
    int forward_rows = u->unit_rows / 2;
    return u->unit_rows % PANEL == 0 && u->unit_rows % u->tile_rows == 0 && forward_rows % u->tile_rows == 0 &&
           forward_rows % MASK_ROWS == 0;
  }
  return tile_fits(&u->large, device) && tile_fits(&u->small, device) && u->step_items % PANEL == 0 &&
         (size_t)u->step_items <= device->work_group_size &&
         (size_t)(u->output_rows * u->output_rows * PANEL) <= device->work_group_size &&
         registers_fit(u->registers, device);
}

/* ---- Defaults ---------------------------------------------------------------------------------------------------- */

/* What `kernels` may name. */
static const struct kernel_choice {
  const char *name;
  kernel_variant variant;
  bool whole_steps;
} choices[] = {
    {"plain", VARIANT_PLAIN, false}, {"panel", VARIANT_PANEL, false}, {"steps", VARIANT_PANEL, true},
    {"tile", VARIANT_TILE, false},   {"group", VARIANT_TILE, true},
};

static mlp_cl_status choose_kernels(opencl_tuning *tuning, const char *name, const mlp_cl_device *device,
                                    mlp_cl_error *error) {
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (strcmp(name, choices[i].name) == 0) {
      /* Its work-items wait for what others write, unless there is but one: caches of GPUs may never show them. */
      if (choices[i].variant == VARIANT_PANEL && choices[i].whole_steps && device->type != MLP_CL_DEVICE_CPU &&
          device->compute_units > 1)
        return fail(error, MLP_CL_BAD_ARGUMENT, "the kernels \"%s\" are for CPUs, not for %s", name, device->name);
      tuning->variant = choices[i].variant;
      tuning->whole_steps = choices[i].whole_steps;
      return MLP_CL_OK;
    }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there are no kernels \"%s\": plain, panel, steps, tile and group are there",
              name);
}

/* Whether a work-item may have 255 registers, for 8 × 8 sums, as many of the blocks before, and what comes next. Where
 * it may not, a compiler may give up on all of them: Intel's, which has 128, then reads and writes each sum in memory
 * at each step. */
static bool has_many_registers(const opencl_backend *self) {
  enum { NVIDIA = 0x10DE, AMD = 0x1002 };
  return self->vendor == NVIDIA || self->vendor == AMD;
}

/* What suits the device, or else what it has room for. Vectors of 16 floats come with 32 registers, of which a tile of
 * 8 rows × 2 lines takes 16, and reads 10 operands for as many multiply-adds, where two a clock are all that a core can
 * read; 16 registers of 8 hold 6 lines of two. */
static opencl_tuning tuning_default(const opencl_backend *self) {
  const mlp_cl_device *device = &self->base.device;
  /* llvmpipe unrolls nothing, takes minutes for a tile of registers, and after 65535 iterations of all its loops
   * together a work-item silently leaves them: a sum of 64000 terms, with the loops around it, is safe. */
  bool llvmpipe = device->type == MLP_CL_DEVICE_CPU && strstr(device->platform, "rusticl") != NULL;
  bool cpu = device->type == MLP_CL_DEVICE_CPU && !llvmpipe, single = device->work_group_size < PANEL;
  size_t group_items = size_max(PANEL, (size_t)device->work_group_size / PANEL * PANEL);
  bool large_groups = !cpu && device->work_group_size >= 256;
  opencl_tuning usual = {
      .variant = llvmpipe        ? VARIANT_PLAIN
                 : cpu || single ? VARIANT_PANEL
                                 : VARIANT_TILE,
      .longest_sum = llvmpipe ? 64000 : SIZE_MAX,
      .whole_steps = cpu || !(llvmpipe || single),
      .output_rows = large_groups                    ? 4
                     : device->work_group_size >= 64 ? 2
                                                     : 1,
      .step_items = (int)(large_groups ? size_min(512, group_items) : size_min(64, group_items)),
      .tile_rows = self->vector_width >= 16 ? 8 : 6,
      .tile_panels = self->vector_width >= 16 ? 2 : 1,
      .unit_rows = 48,
      .groups = (int)size_min(4096, size_max(64, 16 * (size_t)device->compute_units)),
      .large = !large_groups              ? (tile_shape){4, 8, 4, 4, 1}
               : has_many_registers(self) ? (tile_shape){16, 8, 8, 8, 1}
                                          : (tile_shape){16, 8, 4, 4, 1},
      .small = {4, 8, 4, 4,
                large_groups                    ? 4
                : device->work_group_size >= 64 ? 2
                                                : 1},
      .enough_tiles = (int)size_max(1, 3 * (size_t)device->compute_units / 5),
      .slab_unroll = large_groups ? 16 : 1,
      .registers = REGISTERS_MOST,
  };
  if (fits(&usual, device)) return usual;
  usual.large = usual.small = (tile_shape){4, 8, 4, 4, 1}; /* which take little local memory */
  if (fits(&usual, device)) return usual;
  usual.variant = VARIANT_PLAIN;
  usual.whole_steps = false;
  return usual;
}

/* ---- Words ------------------------------------------------------------------------------------------------------ */

static const struct parameter {
  const char *name;
  kernel_variant variant; /* that has it */
  size_t offset;          /* of its int */
  int most;
} parameters[] = {
    {"tile_rows", VARIANT_PANEL, offsetof(opencl_tuning, tile_rows), 16},
    {"tile_panels", VARIANT_PANEL, offsetof(opencl_tuning, tile_panels), 4},
    {"unit_rows", VARIANT_PANEL, offsetof(opencl_tuning, unit_rows), 1024},
    {"groups", VARIANT_PANEL, offsetof(opencl_tuning, groups), 65536},
    {"group_rows", VARIANT_TILE, offsetof(opencl_tuning, large.group_rows), 64},
    {"group_cols", VARIANT_TILE, offsetof(opencl_tuning, large.group_cols), 64},
    {"item_rows", VARIANT_TILE, offsetof(opencl_tuning, large.item_rows), 16},
    {"item_cols", VARIANT_TILE, offsetof(opencl_tuning, large.item_cols), 16},
    {"small_rows", VARIANT_TILE, offsetof(opencl_tuning, small.group_rows), 64},
    {"small_cols", VARIANT_TILE, offsetof(opencl_tuning, small.group_cols), 64},
    {"small_item_rows", VARIANT_TILE, offsetof(opencl_tuning, small.item_rows), 16},
    {"small_item_cols", VARIANT_TILE, offsetof(opencl_tuning, small.item_cols), 16},
    {"parts", VARIANT_TILE, offsetof(opencl_tuning, small.parts), 8},
    {"enough_tiles", VARIANT_TILE, offsetof(opencl_tuning, enough_tiles), 1 << 20},
    {"output_rows", VARIANT_TILE, offsetof(opencl_tuning, output_rows), 4},
    {"step_items", VARIANT_TILE, offsetof(opencl_tuning, step_items), 1024},
    {"slab_unroll", VARIANT_TILE, offsetof(opencl_tuning, slab_unroll), 16},
    {"registers", VARIANT_TILE, offsetof(opencl_tuning, registers), REGISTERS_MOST},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static int *value_of(opencl_tuning *tuning, const struct parameter *p) {
  return (int *)(void *)((char *)tuning + p->offset);
}

static void format(opencl_tuning *tuning, char text[MLP_CL_TUNING_BYTES]) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < PARAMETERS; i++) {
    if (parameters[i].variant != tuning->variant || used >= MLP_CL_TUNING_BYTES) continue;
    int written = snprintf(text + used, MLP_CL_TUNING_BYTES - used, "%s%s=%d", used > 0 ? " " : "", parameters[i].name,
                           *value_of(tuning, &parameters[i]));
    used += (size_t)written;
  }
}

/* One word, "name=value"; false when it is none, or not for these kernels. */
static bool set_word(opencl_tuning *tuning, const char *word, size_t length) {
  for (size_t i = 0; i < PARAMETERS; i++) {
    const struct parameter *p = &parameters[i];
    size_t name = strlen(p->name);
    if (p->variant != tuning->variant || length < name + 2 || memcmp(word, p->name, name) != 0 || word[name] != '=')
      continue;
    char *end;
    long value = strtol(word + name + 1, &end, 10);
    if (end != word + length || value < 1 || value > p->most) return false;
    *value_of(tuning, p) = (int)value;
    return true;
  }
  return false;
}

/* Sets what the words tell and leaves the rest. */
static mlp_cl_status parse(opencl_tuning *tuning, const char *text, const mlp_cl_device *device, mlp_cl_error *error) {
  opencl_tuning set = *tuning;
  for (const char *word = text + strspn(text, " "); *word != '\0'; word += strspn(word, " ")) {
    size_t length = strcspn(word, " ");
    if (!set_word(&set, word, length))
      return fail(error, MLP_CL_BAD_ARGUMENT, "tuning \"%.100s\": \"%.*s\" is not for the kernels of %s", text,
                  (int)size_min(length, 60), word, device->name);
    word += length;
  }
  if (!fits(&set, device))
    return fail(error, MLP_CL_BAD_ARGUMENT, "tuning \"%.100s\": these values do not fit each other, or %s", text,
                device->name);
  *tuning = set;
  return MLP_CL_OK;
}

/* ---- What is worth trying --------------------------------------------------------------------------------------- */

/* Each by what differs from the default. */
static const char *const panel_candidates[] = {
    "tile_rows=4 tile_panels=1 unit_rows=32",  "tile_rows=4 tile_panels=1 unit_rows=48",
    "tile_rows=6 tile_panels=1 unit_rows=48",  "tile_rows=6 tile_panels=1 unit_rows=96",
    "tile_rows=8 tile_panels=1 unit_rows=48",  "tile_rows=12 tile_panels=1 unit_rows=48",
    "tile_rows=12 tile_panels=1 unit_rows=96", "tile_rows=8 tile_panels=2 unit_rows=32",
    "tile_rows=8 tile_panels=2 unit_rows=48",  "tile_rows=8 tile_panels=2 unit_rows=96",
    "tile_rows=8 tile_panels=3 unit_rows=48",  "tile_rows=12 tile_panels=2 unit_rows=48",
    "tile_rows=4 tile_panels=4 unit_rows=48",
};
static const char *const tile_candidates[] = {
    "slab_unroll=4",
    "slab_unroll=8",
    "slab_unroll=16",
    "registers=168",
    "registers=128",
    "group_rows=16 group_cols=16 item_rows=8 item_cols=8 registers=128",
    "group_rows=16 group_cols=16 item_rows=8 item_cols=8",
    "group_rows=16 group_cols=8 item_rows=8 item_cols=8",
    "group_rows=8 group_cols=8 item_rows=8 item_cols=8",
    "group_rows=8 group_cols=16 item_rows=8 item_cols=8",
    "group_rows=16 group_cols=16 item_rows=4 item_cols=8",
    "group_rows=16 group_cols=16 item_rows=4 item_cols=4",
    "group_rows=16 group_cols=8 item_rows=4 item_cols=4",
    "group_rows=8 group_cols=16 item_rows=4 item_cols=4",
    "group_rows=8 group_cols=8 item_rows=4 item_cols=4",
    "small_rows=4 small_cols=8 small_item_rows=8 small_item_cols=4 parts=4",
    "small_rows=8 small_cols=8 small_item_rows=4 small_item_cols=4 parts=4",
    "small_rows=4 small_cols=8 small_item_rows=4 small_item_cols=4 parts=2",
    "small_rows=4 small_cols=8 small_item_rows=8 small_item_cols=8 parts=4",
    "output_rows=2",
    "output_rows=1",
    "step_items=256",
    "step_items=1024",
};

/* Those that fit the device and are not its default, which is number 0. */
bool opencl_tuning_candidate(backend *base, size_t i, char text[MLP_CL_TUNING_BYTES]) {
  opencl_backend *self = (opencl_backend *)base;
  kernel_variant variant = self->tuning.variant;
  const char *const *list = variant == VARIANT_PANEL ? panel_candidates : tile_candidates;
  size_t count = variant == VARIANT_PANEL  ? sizeof panel_candidates / sizeof *panel_candidates
                 : variant == VARIANT_TILE ? sizeof tile_candidates / sizeof *tile_candidates
                                           : 0;
  opencl_tuning usual = tuning_default(self);
  usual.variant = variant;
  char usual_text[MLP_CL_TUNING_BYTES];
  format(&usual, usual_text);
  memcpy(text, usual_text, sizeof usual_text);
  for (size_t tried = 0; i > 0; tried++) {
    if (tried == count) return false;
    opencl_tuning candidate = usual;
    if (parse(&candidate, list[tried], &base->device, NULL) != MLP_CL_OK) continue;
    format(&candidate, text);
    if (strcmp(text, usual_text) != 0) i--;
  }
  return true;
}

/* ---- For the compiler ------------------------------------------------------------------------------------------- */

static int tile_options(const char *prefix, const tile_shape *t, char *options, size_t size) {
  return snprintf(options, size, " -D%sGROUP_ROWS=%d -D%sGROUP_COLS=%d -D%sITEM_ROWS=%d -D%sITEM_COLS=%d -D%sPARTS=%d",
                  prefix, t->group_rows, prefix, t->group_cols, prefix, t->item_rows, prefix, t->item_cols, prefix,
                  t->parts);
}

static void set_options(opencl_backend *self) {
  const opencl_tuning *u = &self->tuning;
  char *options = self->base.build_options;
  const size_t size = sizeof self->base.build_options;
  int length = snprintf(options, size, "-cl-std=CL1.2 -w -DTILE_ROWS=%d -DTILE_PANELS=%d -DUNIT_ROWS=%d", u->tile_rows,
                        u->tile_panels, u->unit_rows);
  length += snprintf(options + length, size - (size_t)length, " -DSLAB_UNROLL=%d -DSTEP_ITEMS=%d -DVECTOR_LINES=%d",
                     u->slab_unroll, u->step_items, u->variant == VARIANT_PANEL);
  length += snprintf(options + length, size - (size_t)length, " -DOUTPUT_ROWS=%d", u->output_rows);
  if (u->variant == VARIANT_PANEL && self->correct_division)
    length += snprintf(options + length, size - (size_t)length,
                       " -cl-fp32-correctly-rounded-divide-sqrt -DCORRECT_DIVISION=1");
  length += tile_options("", &u->large, options + length, size - (size_t)length);
  length += tile_options("SMALL_", &u->small, options + length, size - (size_t)length);
  if (u->variant == VARIANT_TILE && u->registers < REGISTERS_MOST)
    snprintf(options + length, size - (size_t)length, " -cl-nv-maxrregcount=%d", u->registers);
}

/* ---- What was found --------------------------------------------------------------------------------------------- */

/* A device with its driver, and the kernels whose parameters these are. */
static void tuning_key(const opencl_backend *self, char key[65]) {
  static const char *const variants[] = {[VARIANT_PLAIN] = "plain", [VARIANT_PANEL] = "panel", [VARIANT_TILE] = "tile"};
  sha256 state;
  sha256_begin(&state);
  sha256_add_text(&state, "tuning");
  identity_add(&self->base, &state);
  identity_add_kernels(&state);
  sha256_add_text(&state, variants[self->tuning.variant]);
  sha256_end(&state, key);
}

bool opencl_tuning_keep(backend *base) {
  char key[65];
  tuning_key((opencl_backend *)base, key);
  return cache_keep(key, base->tuning);
}

void opencl_tuning_forget(backend *base) {
  char key[65];
  tuning_key((opencl_backend *)base, key);
  cache_forget(key);
}

static void recall(opencl_backend *self) {
  char key[65];
  size_t count;
  tuning_key(self, key);
  char *found = cache_read(key, &count);
  if (found == NULL) return;
  self->base.tuning_recalled =
      strlen(found) == count && parse(&self->tuning, found, &self->base.device, NULL) == MLP_CL_OK;
  free(found);
}

mlp_cl_status opencl_tuning_set(opencl_backend *self, const char *kernels, const char *tuning, mlp_cl_error *error) {
  self->tuning = tuning_default(self);
  if (kernels != NULL) TRY(choose_kernels(&self->tuning, kernels, &self->base.device, error));
  if (tuning == NULL)
    recall(self);
  else
    TRY(parse(&self->tuning, tuning, &self->base.device, error));
  format(&self->tuning, self->base.tuning);
  set_options(self);
  self->base.fuses_adam = self->tuning.variant != VARIANT_PLAIN;
  self->base.classes_ahead = self->tuning.variant == VARIANT_TILE ? OUTPUT_CLASSES_MAX : 0;
  return MLP_CL_OK;
}
