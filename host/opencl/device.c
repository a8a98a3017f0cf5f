/* The devices of all platforms, in a fixed order. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl/internal.h"
#include "opencl/opencl.h"

const char opencl_install_hint[] =
    "install your device's (Debian and Ubuntu: pocl-opencl-icd for any CPU, mesa-opencl-icd, intel-opencl-icd, "
    "nvidia-opencl-icd; Fedora and Arch: pocl for any CPU), or take the device \"reference\" (--device reference), "
    "which needs none";

/* What is not told stays 0; the code of the first such answer stays with the device, which is not opened then. */
static bool told(opencl_device *device, cl_int code) {
  if (device->trouble == CL_SUCCESS) device->trouble = code;
  return code == CL_SUCCESS;
}

static uint64_t ask_number(opencl_device *device, cl_device_info what) {
  uint64_t value = 0; /* cl_uint, size_t and cl_ulong all land in its low bytes on little-endian hosts */
  return told(device, clGetDeviceInfo(device->id, what, sizeof value, &value, NULL)) ? value : 0;
}

static void ask_text(opencl_device *device, cl_device_info what, char *text, size_t size) {
  char whole[1024] = "";
  if (told(device, clGetDeviceInfo(device->id, what, sizeof whole - 1, whole, NULL))) snprintf(text, size, "%s", whole);
}

static void ask_platform_text(opencl_device *device, cl_platform_info what, char *text, size_t size) {
  char whole[1024] = "";
  if (told(device, clGetPlatformInfo(device->platform, what, sizeof whole - 1, whole, NULL)))
    snprintf(text, size, "%s", whole);
}

static mlp_cl_device_type type_of(uint64_t type) {
  if (type & CL_DEVICE_TYPE_GPU) return MLP_CL_DEVICE_GPU;
  if (type & CL_DEVICE_TYPE_CPU) return MLP_CL_DEVICE_CPU;
  return MLP_CL_DEVICE_ACCELERATOR;
}

static void describe(opencl_device *device, int index) {
  mlp_cl_device *info = &device->info;
  info->index = index;
  info->type = type_of(ask_number(device, CL_DEVICE_TYPE));
  ask_platform_text(device, CL_PLATFORM_NAME, info->platform, sizeof info->platform);
  ask_platform_text(device, CL_PLATFORM_VERSION, device->platform_version, sizeof device->platform_version);
  ask_text(device, CL_DEVICE_NAME, info->name, sizeof info->name);
  ask_text(device, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
  info->compute_units = (uint32_t)ask_number(device, CL_DEVICE_MAX_COMPUTE_UNITS);
  info->global_memory_bytes = ask_number(device, CL_DEVICE_GLOBAL_MEM_SIZE);
  info->largest_allocation_bytes = ask_number(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  info->local_memory_bytes = ask_number(device, CL_DEVICE_LOCAL_MEM_SIZE);
  info->work_group_size = ask_number(device, CL_DEVICE_MAX_WORK_GROUP_SIZE);
  device->vendor = (uint32_t)ask_number(device, CL_DEVICE_VENDOR_ID);
  device->vector_width = (uint32_t)ask_number(device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
  device->correct_division =
      (ask_number(device, CL_DEVICE_SINGLE_FP_CONFIG) & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
}

/* Appends a platform's devices; one without devices adds none. One that does not answer must not keep others from use:
 * *trouble gets its code. */
static mlp_cl_status append_platform(cl_platform_id platform, opencl_device **devices, size_t *count, cl_int *trouble,
                                     mlp_cl_error *error) {
  cl_device_id ids[64];
  cl_uint found = 0;
  cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 64, ids, &found);
  if (code != CL_SUCCESS && code != CL_DEVICE_NOT_FOUND) *trouble = code;
  if (code != CL_SUCCESS || found == 0) return MLP_CL_OK;
  found = found < 64 ? found : 64;
  opencl_device *more = realloc(*devices, (*count + found) * sizeof *more);
  if (more == NULL) return fail_memory(error, (*count + found) * sizeof *more, "the list of devices");
  *devices = more;
  for (cl_uint i = 0; i < found; i++, (*count)++) {
    memset(&more[*count], 0, sizeof *more);
    more[*count].platform = platform;
    more[*count].id = ids[i];
    describe(&more[*count], (int)*count);
  }
  return MLP_CL_OK;
}

static mlp_cl_status list_platforms(opencl_device **devices, size_t *count, mlp_cl_error *error) {
  cl_platform_id platforms[64];
  cl_uint found = 0;
  *devices = NULL;
  *count = 0;
  cl_int trouble = CL_SUCCESS, code = clGetPlatformIDs(64, platforms, &found);
  if (code == PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && found == 0))
    return fail(error, MLP_CL_NO_DEVICE, "no OpenCL driver is installed: %s", opencl_install_hint);
  TRY_CL(code, "listing the OpenCL platforms");
  found = found < 64 ? found : 64;
  for (cl_uint i = 0; i < found; i++) {
    mlp_cl_status status = append_platform(platforms[i], devices, count, &trouble, error);
    if (status != MLP_CL_OK) {
      free(*devices);
      *devices = NULL;
      *count = 0;
      return status;
    }
  }
  if (*count == 0) TRY_CL(trouble, "listing the devices of the OpenCL platforms");
  return MLP_CL_OK;
}

/* Drivers set themselves up in these calls, and not all of them with two threads in mind: PoCL crashes or shows a
 * thread no devices while another makes them. */
mlp_cl_status opencl_list_devices(opencl_device **devices, size_t *count, mlp_cl_error *error) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  mlp_cl_status status = list_platforms(devices, count, error);
  pthread_mutex_unlock(&lock);
  return status;
}

mlp_cl_status mlp_cl_devices(mlp_cl_device **devices, size_t *count, mlp_cl_error *error) {
  opencl_device *list;
  *devices = NULL;
  *count = 0;
  TRY(opencl_list_devices(&list, count, error));
  if (*count == 0) return MLP_CL_OK;
  *devices = malloc(*count * sizeof **devices);
  if (*devices == NULL) {
    free(list);
    return fail_memory(error, *count * sizeof **devices, "the list of devices");
  }
  for (size_t i = 0; i < *count; i++) (*devices)[i] = list[i].info;
  free(list);
  return MLP_CL_OK;
}
