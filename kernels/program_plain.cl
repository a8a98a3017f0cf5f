/* All kernels in their plain form in one program. */
#include "bias.cl"
#include "cross_entropy.cl"
#include "dropout.cl"
#include "gather.cl"
#include "matmul.cl"
#include "relu.cl"
#include "sgd.cl"
#include "softmax.cl"
