/* Bounds the work in flight to about 100 ms: marks go into the queue so many steps apart that the work between two
 * takes 15 to 30 ms, and with a third mark the first is waited for. The newest work is never waited for. */

#include <string.h>

#include "opencl/internal.h"

static const double short_s = 0.015, long_s = 0.03;
enum { INTERVAL_MAX = 4096 };

/* Waits for the older mark and fits the interval to the time since the one before it. */
static mlp_cl_status wait_oldest(opencl_pace *p, mlp_cl_error *error) {
  cl_int code = clWaitForEvents(1, &p->marks[0]);
  clReleaseEvent(p->marks[0]);
  p->marks[0] = p->marks[1];
  p->count--;
  double now = clock_now_s(), took = now - p->completed;
  p->completed = now;
  if (took < short_s && p->interval < INTERVAL_MAX) p->interval *= 2;
  if (took > long_s && p->interval > 1) p->interval /= 2;
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "waiting for work in flight");
}

mlp_cl_status opencl_pace_step(backend *base, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_pace *p = &self->pace;
  if (p->interval == 0) p->interval = 1;
  if (++p->steps < p->interval) return MLP_CL_OK;
  p->steps = 0;
  if (p->count == PACE_MARKS) TRY(wait_oldest(p, error));
  TRY_CL(clEnqueueMarkerWithWaitList(self->queue, 0, NULL, &p->marks[p->count]), "marking the work in flight");
  p->count++;
  TRY_CL(clFlush(self->queue), "sending work to %s", base->device.name);
  return MLP_CL_OK;
}

/* The clFinish of rusticl (Mesa 22.3) waits for nothing once all has been flushed: there a mark comes before it that
 * has not. */
cl_int opencl_wait(const opencl_backend *self, cl_command_queue queue) {
  bool forgets = strstr(self->base.device.platform, "rusticl") != NULL;
  cl_int code = forgets ? clEnqueueMarkerWithWaitList(queue, 0, NULL, NULL) : CL_SUCCESS;
  return code == CL_SUCCESS ? clFinish(queue) : code;
}

void opencl_pace_release(opencl_backend *self) {
  opencl_pace *p = &self->pace;
  while (p->count > 0) clReleaseEvent(p->marks[--p->count]);
}
