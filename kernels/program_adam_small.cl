/* A program of its own: those of program_adam.cl for results of few tiles. */
#define ADAM 1
#include "matmul_tile_small.cl"
