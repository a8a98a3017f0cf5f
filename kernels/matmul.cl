/* The three products of a dense layer in their plainest form: shares of the elements of c, the contract's order of sums
 * written out. Any device, any shape; the fast forms are matmul_panel.cl and matmul_tile.cl.
 *
 *   matmul_a_b    c (m,n) = a (m,k) · b (k,n)     forward
 *   matmul_a_bt   c (m,n) = a (m,k) · bᵀ, b (n,k)  input gradient
 *   matmul_at_b   c (m,n) = aᵀ · b, a (k,m)       weight gradient: the sum runs over the batch */
#include "batch_sum.h"
#include "panel.h"

kernel void matmul_a_b(int m, int n, int k, global const float *a, int a_stride, global const float *b, int b_stride,
                       global float *c, int c_stride) {
  FOR_UNITS((long)m * n, unit) {
    int row = (int)(unit % m), col = (int)(unit / m);
    float total = 0.0f;
    IN_ORDER
    for (int begin = 0; begin < k; begin += BLOCK_FEATURES) {
      float sum = 0.0f;
      for (int i = begin; i < min(k, begin + BLOCK_FEATURES); i++)
        sum = fma(a[element_index(a_stride, row, i)], b[element_index(b_stride, i, col)], sum);
      total += sum;
    }
    c[element_index(c_stride, row, col)] = canonical(total, FLOOR_VALUE);
  }
}

kernel void matmul_a_bt(int m, int n, int k, global const float *a, int a_stride, global const float *b, int b_stride,
                        global float *c, int c_stride) {
  FOR_UNITS((long)m * n, unit) {
    int row = (int)(unit % m), col = (int)(unit / m);
    float total = 0.0f;
    IN_ORDER
    for (int begin = 0; begin < k; begin += BLOCK_FEATURES) {
      float sum = 0.0f;
      for (int i = begin; i < min(k, begin + BLOCK_FEATURES); i++)
        sum = fma(a[element_index(a_stride, row, i)], b[element_index(b_stride, col, i)], sum);
      total += sum;
    }
    c[element_index(c_stride, row, col)] = canonical(total, FLOOR_GRADIENT);
  }
}

kernel void matmul_at_b(int m, int n, int k, global const float *a, int a_stride, global const float *b, int b_stride,
                        global float *c, int c_stride) {
  FOR_UNITS((long)m * n, unit) {
    int row = (int)(unit % m), col = (int)(unit / m);
    float pending[TREE_LEVELS];
    int leaves = (k + LEAF_ROWS - 1) / LEAF_ROWS;
    for (int leaf = 0; leaf < leaves; leaf++) {
      float sum = 0.0f;
      for (int i = leaf * LEAF_ROWS; i < min(k, (leaf + 1) * LEAF_ROWS); i++)
        sum = fma(a[element_index(a_stride, i, row)], b[element_index(b_stride, i, col)], sum);
      tree_add(pending, leaf, sum);
    }
    c[element_index(c_stride, row, col)] = canonical(tree_total(pending, leaves), FLOOR_GRADIENT);
  }
}
