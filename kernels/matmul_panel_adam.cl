/* A program of its own: the weight gradients of matmul_panel.cl with Adam in their epilogue. */
#define ADAM 1
#include "matmul_panel.cl"
