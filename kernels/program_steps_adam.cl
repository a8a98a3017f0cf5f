/* Whole steps with Adam, in a program of their own. */
#define ADAM 1
#define STEPS_KERNEL train_steps_adam
#include "program_steps.cl"
