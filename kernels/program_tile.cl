/* All kernels for GPUs in one program. */
#include "bias.cl"
#include "cross_entropy.cl"
#include "dropout.cl"
#include "gather.cl"
#include "matmul_tile.cl"
#include "relu.cl"
#include "sgd.cl"
#include "softmax.cl"
