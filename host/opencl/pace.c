/* Bounds the work in flight to about 100 ms: marks go into the queue at intervals, and when the oldest is older than
 * the bound it is waited for. The newest work is never waited for. */
#include <time.h>

#include "opencl/internal.h"

static const double interval_s = 0.004, bound_s = 0.1;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static mlp_cl_status wait_oldest(opencl_pace *p, mlp_cl_error *error) {
  cl_event mark = p->marks[p->oldest];
  cl_int code = clWaitForEvents(1, &mark);
  clReleaseEvent(mark);
  p->oldest = (p->oldest + 1) % PACE_MARKS;
  p->count--;
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "waiting for work in flight");
}

static bool oldest_complete(const opencl_pace *p) {
  cl_int state = CL_QUEUED;
  cl_int code = clGetEventInfo(p->marks[p->oldest], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
  return code != CL_SUCCESS || state <= CL_COMPLETE;
}

mlp_cl_status opencl_pace_step(backend *base, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_pace *p = &self->pace;
  double now = now_s();
  if (now - p->last < interval_s) return MLP_CL_OK;
  p->last = now;
  size_t newest = (p->oldest + p->count) % PACE_MARKS;
  TRY_CL(clEnqueueMarkerWithWaitList(self->queue, 0, NULL, &p->marks[newest]));
  p->enqueued[newest] = now;
  p->count++;
  TRY_CL(clFlush(self->queue));
  while (p->count > 0 && oldest_complete(p)) TRY(wait_oldest(p, error));
  while (p->count > 1 && (p->count == PACE_MARKS || now - p->enqueued[p->oldest] > bound_s)) {
    TRY(wait_oldest(p, error));
    now = now_s();
  }
  return MLP_CL_OK;
}

void opencl_pace_release(opencl_backend *self) {
  opencl_pace *p = &self->pace;
  for (; p->count > 0; p->count--, p->oldest = (p->oldest + 1) % PACE_MARKS) clReleaseEvent(p->marks[p->oldest]);
}
