/* What the files of the OpenCL backend share: the opened device, its tensors, and launching a kernel. */
#ifndef OPENCL_INTERNAL_H
#define OPENCL_INTERNAL_H

#include <CL/cl.h>

#include "base/clock.h"
#include "opencl/opencl.h"
#include "sizes.h"

/* ---- Devices and errors ----------------------------------------------------------------------------------------- */

typedef struct opencl_device {
  cl_platform_id platform;
  cl_device_id id;
  mlp_cl_device info;
  char platform_version[256];
  uint32_t vendor;       /* its PCI number, where it has one */
  uint32_t vector_width; /* floats of a register */
  bool correct_division; /* its / and sqrt are correctly rounded when that is asked for */
  cl_int trouble;        /* the first code that is not CL_SUCCESS, of asking for any of this */
} opencl_device;

/* What loaders answer when there is no driver; not in CL/cl.h. */
enum { PLATFORM_NOT_FOUND_KHR = -1001 };

/* All devices in the order of mlp_cl_devices; freed with free(). */
mlp_cl_status opencl_list_devices(opencl_device **devices, size_t *count, mlp_cl_error *error);

/* "CL_OUT_OF_RESOURCES", … */
const char *opencl_error_name(cl_int code);
/* The status that belongs to `code` (DEVICE_MEMORY or OPENCL), and what failed, as "filling a tensor", with the code's
 * name and what may help. */
__attribute__((format(printf, 3, 4))) mlp_cl_status fail_cl(mlp_cl_error *error, cl_int code, const char *what, ...);

/* TRY_CL(call, what, ...) */
#define TRY_CL(call, ...)                                               \
  do {                                                                  \
    cl_int code_ = (call);                                              \
    if (code_ != CL_SUCCESS) return fail_cl(error, code_, __VA_ARGS__); \
  } while (0)

/* ---- Programs and kernels --------------------------------------------------------------------------------------- */

/* How products are computed; everything else is the same for all. */
typedef enum kernel_variant {
  VARIANT_PLAIN, /* one work-item per element, unfused: any device, for reading and as the last resort */
  VARIANT_PANEL, /* CPU: register tiles, one work-item a work-group */
  VARIANT_TILE   /* GPU: tiles in local memory */
} kernel_variant;

/* Sizes of the tile kernels (kernels/matmul_tile.h). */
typedef struct tile_shape {
  int group_rows, group_cols; /* work-items of a part, each way */
  int item_rows, item_cols;   /* results of a work-item, each way */
  int parts;                  /* of a work-group */
} tile_shape;

/* The constants that kernels are compiled with, and what chooses between kernels. */
typedef struct opencl_tuning {
  kernel_variant variant;
  int tile_rows, tile_panels; /* panel: rows and panels of a register tile */
  int unit_rows;              /* panel: rows of a unit, a multiple of both tile_rows and 16 */
  tile_shape large, small;    /* tile: for results of many tiles, and of few */
  int enough_tiles;           /* tile: large ones that a result must have to be made of them */
  int slab_unroll;            /* tile: steps written out */
  int registers;              /* tile: of a work-item at most, where the compiler can be told */
  int groups;                 /* panel: pieces of a launch's work */
  bool whole_steps;           /* panel, tile: short steps in one launch */
  int step_items;             /* tile: work-items of it, a multiple of PANEL */
  int output_rows;            /* tile: of the batch, which a group of output_layer takes; its square are its lines */
  size_t longest_sum;         /* terms that a work-item can add up */
} opencl_tuning;

/* Of an output layer that is one launch. */
enum { OUTPUT_CLASSES_MAX = 32 };

enum { KERNELS_MAX = 48, PROGRAMS_MAX = 16 };

typedef struct opencl_program {
  const char *file; /* a literal */
  cl_program program;
} opencl_program;

typedef struct opencl_kernel {
  const char *name; /* a literal */
  cl_kernel kernel;
} opencl_kernel;

enum { PACE_MARKS = 2 };

/* Work in flight: the last marks in the queue, the older first. */
typedef struct opencl_pace {
  cl_event marks[PACE_MARKS];
  size_t count;
  size_t steps, interval; /* since the last mark; between two */
  double completed;       /* when the last mark was waited for */
} opencl_pace;

/* Which way of taking steps is faster just now: many in one launch, whose work-items wait for each other awake, or by a
 * lone work-item, or, where steps are longer, a launch for each operation. Tried out from time to time, since it
 * depends on what else the machine does. */
typedef struct opencl_steps_trial {
  const step_plan *plan; /* NULL: none yet */
  uint32_t step;         /* that it is at: an earlier one is another run's */
  int round;             /* even ones try several work-items, odd ones the other way */
  int lead;              /* of several work-items, in votes */
  size_t steps;          /* that this round has taken, or left to launches */
  size_t launched;       /* of a round of launches: where it ends */
  double seconds;        /* that they took */
  double began_s;        /* this round of launches; when the last round ended */
  double step_s[2];      /* time of a step in the last round of either way */
} opencl_steps_trial;

/* Device memory between the kernels of an operation, or within one, which grows to what the largest one needs. */
typedef struct opencl_room {
  cl_mem buffer;
  size_t bytes;
} opencl_room;

typedef struct opencl_peak opencl_peak;
typedef struct opencl_profile opencl_profile;

typedef struct opencl_backend {
  backend base;
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  opencl_tuning tuning;
  const tile_shape *only_tile; /* of the tuning; NULL: by the result's size */
  char platform_version[256];
  uint32_t vendor, vector_width;         /* of opencl_device */
  bool correct_division;                 /* of opencl_device */
  opencl_program programs[PROGRAMS_MAX]; /* those that were needed so far */
  size_t programs_count;
  opencl_kernel kernels[KERNELS_MAX];
  size_t kernels_count;
  cl_command_queue transfers; /* beside the other queue; NULL until something is sent */
  cl_event sent, before_send; /* the last transfer; the work that was enqueued before it */
  cl_mem progress;            /* of kernels/train_steps.cl */
  cl_mem dealt;               /* of kernels/matmul_panel.cl */
  opencl_room scratch, terms; /* terms: the lists of kernels/terms.h */
  float *staging;             /* host memory where rows become panels and back */
  size_t staging_bytes;
  cl_mem nothing; /* stands for buffers that a launch has no use for */
  opencl_pace pace;
  opencl_steps_trial steps_trial;
  opencl_peak *peak;       /* NULL until it is asked for */
  opencl_profile *profile; /* NULL unless launches are recorded */
} opencl_backend;

/* The kernel `name`, a literal, of its program, which is built on first use.
 * Errors: BUILD with the compiler's log. */
mlp_cl_status opencl_kernel_get(opencl_backend *self, const char *name, cl_kernel *kernel, mlp_cl_error *error);
/* The text of an embedded file with its includes in their place, freed with free(). Errors: BUILD, NO_MEMORY. */
mlp_cl_status opencl_source(const char *file, char **source, size_t *count, mlp_cl_error *error);
/* Builds the embedded file as a program of the caller's, or takes what its driver made of it before. */
mlp_cl_status opencl_program_build(opencl_backend *self, const char *file, cl_program *built, mlp_cl_error *error);
void opencl_program_release(opencl_backend *self);

/* Chooses self->tuning, and what follows from it for the base: the variant that `kernels` names, with the parameters
 * that `tuning` tells; NULL: as suits the device, and as was found for it. Errors: BAD_ARGUMENT. */
mlp_cl_status opencl_tuning_set(opencl_backend *self, const char *kernels, const char *tuning, mlp_cl_error *error);
bool opencl_tuning_candidate(backend *base, size_t i, char text[MLP_CL_TUNING_BYTES]);
bool opencl_tuning_keep(backend *base);
void opencl_tuning_forget(backend *base);

/* ---- Tensors ---------------------------------------------------------------------------------------------------- */

typedef struct opencl_tensor {
  tensor base;
  cl_mem buffer;
  size_t bytes;
  size_t stride; /* rows per panel in memory */
  /* Panel variant only: the transpose of a gradient, made when first needed; valid when it matches `buffer`. */
  cl_mem transposed;
  size_t transposed_stride;
  bool transposed_valid;
} opencl_tensor;

static inline opencl_tensor *opencl_of(const tensor *t) {
  return (opencl_tensor *)t;
}

size_t opencl_panels(const tensor *t);

mlp_cl_status opencl_tensor_create(backend *base, tensor_role role, tensor_element element, size_t rows, size_t cols,
                                   tensor **created, mlp_cl_error *error);
mlp_cl_status opencl_tensor_share(backend *base, tensor_element element, size_t rows, size_t cols, const void *values,
                                  tensor **shared, mlp_cl_error *error);
uint64_t opencl_tensor_bytes(const backend *base, const tensor *t);
void opencl_tensor_destroy(backend *base, tensor *destroyed);
mlp_cl_status opencl_tensor_write(backend *base, tensor *target, size_t first, size_t rows, const void *source,
                                  mlp_cl_error *error);
mlp_cl_status opencl_tensor_send(backend *base, tensor *target, size_t first, size_t rows, const void *source,
                                 mlp_cl_error *error);
mlp_cl_status opencl_tensor_read(backend *base, const tensor *source, size_t first, size_t rows, void *target,
                                 mlp_cl_error *error);
mlp_cl_status opencl_tensor_copy(backend *base, const tensor *source, tensor *target, mlp_cl_error *error);
mlp_cl_status opencl_tensor_zero(backend *base, tensor *target, mlp_cl_error *error);
/* Allocates the transpose if it is not there. */
mlp_cl_status opencl_transposed_create(opencl_backend *self, opencl_tensor *t, mlp_cl_error *error);
/* Makes it at least `bytes` large; its content is lost. */
mlp_cl_status opencl_room_reserve(opencl_backend *self, opencl_room *room, size_t bytes, mlp_cl_error *error);
/* Makes the transpose's content match. */
mlp_cl_status opencl_transposed_update(opencl_backend *self, opencl_tensor *t, size_t rows, mlp_cl_error *error);

/* Waits for all that is in the queue. */
cl_int opencl_wait(const opencl_backend *self, cl_command_queue queue);

/* ---- Launching -------------------------------------------------------------------------------------------------- */

/* Collects the arguments of one launch in the order of the kernel's parameters; the first error sticks until run. */
typedef struct launch {
  opencl_backend *self;
  cl_kernel kernel;
  const char *name;
  cl_uint next;
  cl_int code;
} launch;

mlp_cl_status launch_begin(launch *l, opencl_backend *self, const char *name, mlp_cl_error *error);
void launch_int(launch *l, size_t value);
void launch_uint(launch *l, uint32_t value);
void launch_ulong(launch *l, uint64_t value);
void launch_float(launch *l, float value);
/* A vector of so many floats. */
void launch_floats(launch *l, const float *values, size_t count);
void launch_buffer(launch *l, cl_mem buffer);
/* Buffer and stride, or nothing and 0. */
void launch_tensor(launch *l, const tensor *t);
/* The tensor's buffer alone, or nothing. */
void launch_buffer_of(launch *l, const tensor *t);
/* MASK_PARAMETERS of kernels/dropout.h; NULL is no dropout. */
void launch_mask(launch *l, const dropout *mask);
/* Room for so many lists of terms (kernels/terms.h) of each of `work_items`, and their number; where memory is short,
 * 0, as for data without zeros: then all terms are taken. */
void launch_terms(launch *l, size_t work_items, size_t lists);
/* SGD_PARAMETERS of kernels/sgd.h; NULL is zeros. */
void launch_sgd(launch *l, const sgd *update);
/* GATHER_PARAMETERS of kernels/gather.h; NULL is no rows. */
void launch_gather(launch *l, const gather *g);
/* Of cross_entropy: LABEL_PARAMETERS and METRIC_PARAMETERS of kernels/cross_entropy.h. */
void launch_labels(launch *l, const cross_entropy *c);
void launch_metrics(launch *l, const cross_entropy *c);
/* ADAM_PARAMETERS of kernels/adam.h. */
void launch_adam(launch *l, const adam *rule);
/* PARAMETERS_OF (kernels/update.h) of weights or biases; NULL: none, or not kept by the optimiser. */
void launch_parameters(launch *l, const tensor *value, const tensor *velocity, const tensor *rms);
/* DEAL_PARAMETERS of kernels/matmul_panel.cl: so many pieces of units of so many rows. The number of work-items that
 * deal them out among themselves, each a work-group: one for each core. */
size_t launch_deal(launch *l, size_t pieces, size_t unit_rows);
/* Enqueues over (x, y) work-items in groups of (local_x, local_y), which divide them. */
mlp_cl_status launch_run(launch *l, size_t x, size_t y, size_t local_x, size_t local_y, mlp_cl_error *error);
/* Enqueue kernels that take shares of `units` (kernels/panel.h): FOR_UNITS, where a work-item does a unit; FOR_LINES,
 * where those of a line do; and FOR_LINE_UNITS with LANES_MEMORY, where they are a work-group. */
mlp_cl_status launch_shares(launch *l, size_t units, mlp_cl_error *error);
mlp_cl_status launch_lines(launch *l, size_t units, mlp_cl_error *error);
mlp_cl_status launch_rows(launch *l, size_t units, mlp_cl_error *error);
/* Whether a work-item can add up `terms`. Errors: BAD_SHAPE. */
mlp_cl_status launch_check_sum(const opencl_backend *self, size_t terms, mlp_cl_error *error);

/* ---- Operations: one file each ---------------------------------------------------------------------------------- */

mlp_cl_status opencl_gather(backend *base, const gather *g, mlp_cl_error *error);
/* How terms may be listed (TERMS_… of kernels/sizes.h) in products of so many rows and outputs; and of weights'
 * gradients of so many inputs and outputs. */
size_t opencl_listed_forward(zeros_kind zeros, size_t rows, size_t out);
size_t opencl_listed_backward(zeros_kind zeros, size_t in, size_t out);
/* Lists for so many rows, or columns, whose sums have so many terms: as kernels/find_terms.h makes them where terms are
 * `listed` so (kernels/sizes.h). */
size_t opencl_lists(const opencl_backend *self, size_t listed, size_t rows, size_t terms);
mlp_cl_status opencl_dense_forward(backend *base, const dense_forward *d, mlp_cl_error *error);
mlp_cl_status opencl_dense_backward_input(backend *base, const dense_backward_input *d, mlp_cl_error *error);
mlp_cl_status opencl_dense_backward_weight(backend *base, const dense_backward_weight *d, size_t count,
                                           mlp_cl_error *error);
mlp_cl_status opencl_output_layer(backend *base, const output_layer *o, mlp_cl_error *error);
bool opencl_products_by(backend *base, size_t i);
mlp_cl_status opencl_cross_entropy(backend *base, const cross_entropy *c, mlp_cl_error *error);
mlp_cl_status opencl_activation_forward(backend *base, const activation *a, mlp_cl_error *error);
mlp_cl_status opencl_activation_backward(backend *base, const activation *a, mlp_cl_error *error);
mlp_cl_status opencl_target_loss(backend *base, const target_loss *t, mlp_cl_error *error);
mlp_cl_status opencl_softmax(backend *base, size_t rows, const tensor *logits, tensor *probabilities,
                             mlp_cl_error *error);
mlp_cl_status opencl_matmul(backend *base, mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                            mlp_cl_error *error);
/* The plain kernels, over `rows` rows of the batch. */
mlp_cl_status opencl_matmul_rows(opencl_backend *self, mlp_cl_product product, size_t rows, const tensor *a,
                                 const tensor *b, tensor *c, mlp_cl_error *error);
mlp_cl_status opencl_bias(backend *base, size_t rows, const tensor *x, const tensor *bias, tensor *y,
                          mlp_cl_error *error);
mlp_cl_status opencl_bias_gradient(opencl_backend *self, size_t rows, const tensor *d_y, tensor *d_bias,
                                   mlp_cl_error *error);
mlp_cl_status opencl_relu(backend *base, size_t rows, const tensor *x, tensor *y, mlp_cl_error *error);
mlp_cl_status opencl_relu_backward(backend *base, size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                   mlp_cl_error *error);
mlp_cl_status opencl_relu_backward_scaled(opencl_backend *self, size_t rows, float scale, const tensor *y,
                                          const tensor *d_y, tensor *d_x, mlp_cl_error *error);
mlp_cl_status opencl_dropout(backend *base, size_t rows, const dropout *mask, const tensor *x, tensor *y,
                             mlp_cl_error *error);
mlp_cl_status opencl_sgd(backend *base, const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity,
                         tensor *flag, uint32_t step, mlp_cl_error *error);
mlp_cl_status opencl_squared_sum(backend *base, const tensor *gradient, tensor *sums, size_t slot, mlp_cl_error *error);
mlp_cl_status opencl_clip(backend *base, const clip *c, mlp_cl_error *error);
mlp_cl_status opencl_adam(backend *base, const adam_step *a, mlp_cl_error *error);
bool opencl_takes_steps(const backend *base, const step_plan *plan);
mlp_cl_status opencl_train_steps(backend *base, const step_plan *plan, const step_range *range, size_t *taken,
                                 mlp_cl_error *error);
mlp_cl_status opencl_peak_run(backend *base, peak_kind kind, double *amount, mlp_cl_error *error);
void opencl_peak_release(opencl_backend *self);
mlp_cl_status opencl_profile_create(opencl_backend *self, mlp_cl_error *error);
void opencl_profile_release(opencl_backend *self);
/* Whether the launch that follows shall be recorded, and its record, which takes the event. */
bool opencl_profile_wants(opencl_backend *self);
mlp_cl_status opencl_profile_add(opencl_backend *self, const char *kernel, const size_t global[2],
                                 const size_t local[2], double began_s, cl_event event, mlp_cl_error *error);
mlp_cl_status opencl_profile_write(backend *base, const char *path, mlp_cl_error *error);
mlp_cl_status opencl_pace_step(backend *base, mlp_cl_error *error);
void opencl_transfers_release(opencl_backend *self);
void opencl_pace_release(opencl_backend *self);

#endif
