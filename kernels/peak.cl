/* What a device can do at most, to compare with:
 * peak_fma: `rounds` times PEAK_UNROLL fused multiply-adds in CHAINS · 16 chains, all in registers. They wait for
 *   nothing but themselves; on CPUs there are as many as a tile of a product has lines. result: one vector for each
 *   work-item.
 * peak_copy: to = from, `count` pieces; shares. peak_nothing: the launch alone. */
#include "panel.h"

#ifndef TILE_ROWS
#define TILE_ROWS 12
#endif
#ifndef TILE_PANELS
#define TILE_PANELS 1
#endif

#if VECTOR_LINES
#define CHAINS (TILE_ROWS * TILE_PANELS)
typedef float16 piece;
#else
#define CHAINS 1
typedef float4 piece;
#endif

kernel void peak_fma(int rounds, float a, float b, global float16 *result) {
  float16 chain[CHAINS], total = (float16)(0.0f);
#pragma unroll
  for (int i = 0; i < CHAINS; i++) chain[i] = (float16)((float)(i + 1));
  for (int round = 0; round < rounds; round++)
#pragma unroll
    for (int u = 0; u < PEAK_UNROLL; u++)
#pragma unroll
      for (int i = 0; i < CHAINS; i++) chain[i] = fma(chain[i], (float16)(a), (float16)(b));
#pragma unroll
  for (int i = 0; i < CHAINS; i++) total = total + chain[i];
  result[get_global_id(0)] = total;
}

kernel void peak_copy(long count, global const piece *from, global piece *to) {
  FOR_UNITS(count, i) to[i] = from[i];
}

kernel void peak_nothing(global int *unused) {
  if (get_global_id(0) == 1) unused[0] = 0;
}
