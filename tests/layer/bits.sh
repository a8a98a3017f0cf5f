#!/bin/sh
# The command on a device whose bits go wrong: built-in exp in place of ours, so that the self-test finds it out; an
# operation that is not needed at once; and a launch that does nothing, long after the self-test.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"

digits='--data digits --epochs 1 --quiet'
MLP_CL_CACHE=$TEST_FOLDER/cache
export MLP_CL_CACHE

# shellcheck disable=SC2086 # several words
{
  run 0 train $digits --kernels panel --verify-every 5 --json
  same "$(get verified_every)" 5
  same "$(get device.exact)" true
  same "$(get device.broken_rule)" null
  sha256=$(get weights_sha256)
  run 0 train $digits --kernels panel --verify-every 5
  says out 'one step in 5'
  says out "$sha256"

  # The self-test is passed, and its verdict remembered.
  export LAYER_SKIP='dense_backward_weight 10'
  run 3 train $digits --kernels panel --verify-every 1 --out never.safetensors
  says err 'step 5 of the run (epoch 1) went wrong: weight (0, 0) of layer 1'
  [ ! -e never.safetensors ] || fail "a model was written"
  run 0 train $digits --kernels panel --json
  [ "$(get weights_sha256)" != "$sha256" ] || fail "the launch was not skipped"
  unset LAYER_SKIP

  MLP_CL_CACHE=off
  export LAYER_EDIT='exact_exp(x - => exp(x - '
  run 0 devices --kernels plain
  says out 'inexact'
  says out 'breaks the rule "cross-entropy"'
  run 0 devices --kernels plain --json
  same "$(get devices.0.exact)" false
  same "$(get devices.0.broken_rule)" cross-entropy
  refused 4 train $digits --kernels plain
  says err cross-entropy
  run 0 train $digits --kernels plain --allow-inexact
  says out 'not kept ("cross-entropy")'
  run 3 train $digits --kernels plain --allow-inexact --verify
  says out DIFFERENT
  says err 'as was to be expected'
  run 3 train $digits --kernels plain --allow-inexact --verify --json
  same "$(get identical)" false
  same "$(get device.exact)" false
  same "$(get device.broken_rule)" cross-entropy
  run 3 validate --quick --kernels plain --allow-inexact
  says out 'breaks the rule "cross-entropy"'
  says out DIFFERENT
  says err 'cross-entropy'
  run 0 validate --quick --kernels plain --allow-inexact --tolerance 2147483647
  says out tolerable
  run 3 validate --quick --kernels plain --allow-inexact --tolerance 1 --json --report inexact.json
  same "$(get pass)" false
  mv inexact.json out
  same "$(get tolerance_ulp)" 1
  same "$(get device.broken_rule)" cross-entropy
  get first_mismatch >/dev/null

  # What GPUs of all sizes get: tiles that fit, or kernels that every device runs; and those too
  # when a driver refuses to launch the others.
  unset LAYER_EDIT
  export LAYER_GPU=1
  for limits in '64 8192' '64 1024' '24 32768' '8 32768'; do
    export LAYER_LIMITS="$limits"
    run 0 train $digits --json
    [ "$(get weights_sha256)" = "$sha256" ] || fail "other bits with LAYER_LIMITS='$limits'"
  done
  export POCL_SIGFPE_HANDLER=0
  LAYER_LIMITS='8 32768'
  run 0 train $digits --kernels plain --json
  same "$(get weights_sha256)" "$sha256"
  refused 2 train $digits --kernels steps
  says err 'the kernels "steps" are for CPUs'
  unset LAYER_GPU LAYER_LIMITS
  export LAYER_FAIL='clEnqueueNDRangeKernel 1 -54'
  run 0 train --data digits --epochs 1
  says err 'warning: the plain kernels are used'
  says out "$sha256"
  run 1 tune --try '' --json --quiet
  says err 'launching kernel'
  unset LAYER_FAIL

  # Whole steps are for speed alone: a driver that does not build them costs nothing else.
  export LAYER_EDIT='kernel void STEPS_KERNEL(JOB => broken kernel void STEPS_KERNEL(JOB'
  run 0 train $digits --json
  [ "$(get weights_sha256)" = "$sha256" ] || fail "other bits without whole steps"
  run 0 train --data digits --epochs 1
  says err 'warning: no whole training steps in one launch, which are faster: kernels/program_steps.cl does not build'
  says out "$sha256"
  # Or builds them wrong: then validate tells.
  export LAYER_EDIT='w->gathered = s->number; => w->gathered = s->number; w->x[0] = 1.0f;'
  run 0 train --data digits --epochs 1
  says err 'warning: no whole training steps in one launch, which are faster: they do not keep the numerics contract'
  says out "$sha256"
  run 3 validate --quick
  says out DIFFERENT
  says err 'first mismatch: whole training steps: steps: other bits than launches of single operations'

  # Training does without softmax, which is proven on its first use.
  export LAYER_EDIT='line p = probabilities_of( => line p = 0.5f * probabilities_of('
  run 0 devices --kernels plain --json
  same "$(get devices.0.exact)" true
  # Few rows of small networks are predicted on the host.
  run 0 train $digits --kernels plain --hidden 4000 --out digits.safetensors
  run 4 predict digits.safetensors --all --part train --kernels plain
  says err 'breaks the rule "softmax"'
  run 0 predict digits.safetensors --all --part train --kernels plain --allow-inexact
}
