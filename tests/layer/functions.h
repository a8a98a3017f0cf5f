/* The OpenCL functions that the layer stands in for, all that the library calls, by kind:
 *   ASK(name, code, parameters, arguments)            returns at once
 *   WAIT(name, code, parameters, arguments)           waits for the device
 *   ENQUEUE(name, code, parameters, arguments)        the last parameter is `event`
 *   TRANSFER(name, code, parameters, arguments)       the same, and waits when `blocking`
 *   CREATE(name, code, type, parameters, arguments)   the last parameter is `status`
 *   RELEASE(name, code, type)
 * `code` is one that the function may fail with on a device in trouble. */
#ifndef LAYER_FUNCTIONS_H
#define LAYER_FUNCTIONS_H

#include <CL/cl_layer.h>

typedef void(CL_CALLBACK *notify_program)(cl_program program, void *user);
typedef void(CL_CALLBACK *notify_context)(const char *text, const void *private_info, size_t size, void *user);

/* clang-format off */
#define LAYER_FUNCTIONS(ASK, WAIT, ENQUEUE, TRANSFER, CREATE, RELEASE)                                                 \
  ASK(clGetPlatformIDs, CL_OUT_OF_HOST_MEMORY,                                                                         \
      (cl_uint room, cl_platform_id *ids, cl_uint *count), (room, ids, count))                                         \
  ASK(clGetPlatformInfo, CL_OUT_OF_HOST_MEMORY,                                                                        \
      (cl_platform_id id, cl_platform_info what, size_t room, void *value, size_t *size),                              \
      (id, what, room, value, size))                                                                                   \
  ASK(clGetDeviceIDs, CL_OUT_OF_RESOURCES,                                                                             \
      (cl_platform_id id, cl_device_type type, cl_uint room, cl_device_id *ids, cl_uint *count),                       \
      (id, type, room, ids, count))                                                                                    \
  ASK(clGetDeviceInfo, CL_OUT_OF_RESOURCES,                                                                            \
      (cl_device_id id, cl_device_info what, size_t room, void *value, size_t *size), (id, what, room, value, size))   \
  CREATE(clCreateContext, CL_DEVICE_NOT_AVAILABLE, cl_context,                                                         \
         (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices, notify_context notify,  \
          void *user, cl_int *status),                                                                                 \
         (properties, count, devices, notify, user, status))                                                           \
  RELEASE(clReleaseContext, CL_OUT_OF_RESOURCES, cl_context)                                                           \
  CREATE(clCreateCommandQueue, CL_OUT_OF_HOST_MEMORY, cl_command_queue,                                                \
         (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *status),            \
         (context, device, properties, status))                                                                        \
  RELEASE(clReleaseCommandQueue, CL_OUT_OF_RESOURCES, cl_command_queue)                                                \
  CREATE(clCreateBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE, cl_mem,                                                     \
         (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *status),                            \
         (context, flags, size, host, status))                                                                         \
  RELEASE(clReleaseMemObject, CL_OUT_OF_RESOURCES, cl_mem)                                                             \
  CREATE(clCreateProgramWithSource, CL_OUT_OF_HOST_MEMORY, cl_program,                                                 \
         (cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *status),               \
         (context, count, texts, lengths, status))                                                                     \
  CREATE(clCreateProgramWithBinary, CL_INVALID_BINARY, cl_program,                                                     \
         (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,                       \
          const unsigned char **binaries, cl_int *each, cl_int *status),                                               \
         (context, count, devices, lengths, binaries, each, status))                                                   \
  RELEASE(clReleaseProgram, CL_OUT_OF_RESOURCES, cl_program)                                                           \
  ASK(clBuildProgram, CL_BUILD_PROGRAM_FAILURE,                                                                        \
      (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, notify_program notify,     \
       void *user),                                                                                                    \
      (program, count, devices, options, notify, user))                                                                \
  ASK(clGetProgramInfo, CL_OUT_OF_HOST_MEMORY,                                                                         \
      (cl_program program, cl_program_info what, size_t room, void *value, size_t *size),                              \
      (program, what, room, value, size))                                                                              \
  ASK(clGetProgramBuildInfo, CL_OUT_OF_HOST_MEMORY,                                                                    \
      (cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *value, size_t *size),   \
      (program, device, what, room, value, size))                                                                      \
  CREATE(clCreateKernel, CL_OUT_OF_HOST_MEMORY, cl_kernel,                                                             \
         (cl_program program, const char *name, cl_int *status), (program, name, status))                              \
  RELEASE(clReleaseKernel, CL_OUT_OF_RESOURCES, cl_kernel)                                                             \
  ASK(clSetKernelArg, CL_OUT_OF_RESOURCES,                                                                             \
      (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value))                 \
  ASK(clGetKernelWorkGroupInfo, CL_OUT_OF_HOST_MEMORY,                                                                 \
      (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room, void *value, size_t *size), \
      (kernel, device, what, room, value, size))                                                                       \
  ENQUEUE(clEnqueueNDRangeKernel, CL_OUT_OF_RESOURCES,                                                                 \
          (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,   \
           const size_t *local, cl_uint count, const cl_event *after, cl_event *event),                                \
          (queue, kernel, dimensions, offset, global, local, count, after, event))                                     \
  ENQUEUE(clEnqueueFillBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE,                                                       \
          (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset,             \
           size_t size, cl_uint count, const cl_event *after, cl_event *event),                                        \
          (queue, buffer, pattern, pattern_size, offset, size, count, after, event))                                   \
  ENQUEUE(clEnqueueCopyBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE,                                                       \
          (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size,          \
           cl_uint count, const cl_event *after, cl_event *event),                                                     \
          (queue, from, to, from_offset, to_offset, size, count, after, event))                                        \
  ENQUEUE(clEnqueueMarkerWithWaitList, CL_OUT_OF_RESOURCES,                                                            \
          (cl_command_queue queue, cl_uint count, const cl_event *after, cl_event *event),                             \
          (queue, count, after, event))                                                                                \
  ENQUEUE(clEnqueueBarrierWithWaitList, CL_OUT_OF_RESOURCES,                                                           \
          (cl_command_queue queue, cl_uint count, const cl_event *after, cl_event *event),                             \
          (queue, count, after, event))                                                                                \
  TRANSFER(clEnqueueWriteBuffer, CL_OUT_OF_RESOURCES,                                                                  \
           (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *source,   \
            cl_uint count, const cl_event *after, cl_event *event),                                                    \
           (queue, buffer, blocking, offset, size, source, count, after, event))                                       \
  TRANSFER(clEnqueueReadBuffer, CL_OUT_OF_RESOURCES,                                                                   \
           (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *target,         \
            cl_uint count, const cl_event *after, cl_event *event),                                                    \
           (queue, buffer, blocking, offset, size, target, count, after, event))                                       \
  WAIT(clWaitForEvents, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,                                                  \
       (cl_uint count, const cl_event *events), (count, events))                                                       \
  ASK(clGetEventInfo, CL_OUT_OF_RESOURCES,                                                                             \
      (cl_event event, cl_event_info what, size_t room, void *value, size_t *size), (event, what, room, value, size))  \
  ASK(clGetEventProfilingInfo, CL_OUT_OF_RESOURCES,                                                                    \
      (cl_event event, cl_profiling_info what, size_t room, void *value, size_t *size),                                \
      (event, what, room, value, size))                                                                                \
  RELEASE(clReleaseEvent, CL_OUT_OF_RESOURCES, cl_event)                                                               \
  ASK(clFlush, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))                                                 \
  WAIT(clFinish, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))
/* clang-format on */

#endif
