/* Whole steps towards targets with Adam, in a program of their own. */
#define ADAM 1
#define TARGETS 1
#define STEPS_KERNEL train_steps_targets_adam
#include "program_steps.cl"
