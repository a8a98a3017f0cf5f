/* Whole steps towards targets, in a program of their own. */
#define TARGETS 1
#define STEPS_KERNEL train_steps_targets
#include "program_steps.cl"
