/* Whole steps with Adam, in a program of their own. */
#define ADAM 1
#include "train_steps.cl"
