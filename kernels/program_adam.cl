/* A program of its own: the weights' gradients with Adam in their epilogue. */
#define ADAM 1
#include "panel.h"
#if VECTOR_LINES
#include "matmul_panel.cl"
#else
#include "matmul_tile.cl"
#endif
