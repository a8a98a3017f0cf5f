/* --device and how to open it. */
#ifndef DEVICE_H
#define DEVICE_H

#include "mlp_cl.h"
#include "terminal/options.h"

#define OPTION_ROW_PROFILE                \
  OPTION_VALUE("profile", OPTION_PROFILE, \
               "write when each kernel ran to FILE (JSON, for ui.perfetto.dev or chrome://tracing)", "FILE")

/* Opens the device that --device names and says which it is. */
mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error);
/* The same, with memory for data as in mlp_cl_context_options. */
mlp_cl_status open_device_for(const options *o, uint64_t data_bytes, mlp_cl_context **context, mlp_cl_error *error);
/* Says so where training was slower than is meant for the device. */
void warn_of_refused_steps(const mlp_cl_context *context);
/* Writes --profile, if it was given. */
mlp_cl_status write_profile(const options *o, mlp_cl_context *context, mlp_cl_error *error);

#endif
