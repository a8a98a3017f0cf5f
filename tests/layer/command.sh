#!/bin/sh
# The command on a device in trouble: one line on stderr, exit status 1, no file, every object released.
# Environment: MLP_CL, TEST_FOLDER, OPENCL_LAYERS, those of the device.
set -eu

rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER"
cd "$TEST_FOLDER"
export LAYER_REPORT="$TEST_FOLDER/report"
failed=0

complain() {
  echo "LAYER_FAIL=\"${LAYER_FAIL:-}\": $1" >&2
  cat error >&2
  failed=1
}

run() { # run OPTION…
  rm -f report model.safetensors
  status=0
  "$MLP_CL" train --device 0 "$@" --data digits --epochs 1 --quiet --out model.safetensors >output 2>error ||
    status=$?
  if grep '^objects' report | grep -v ' 0$' >&2; then complain "objects were left"; fi
}

# LAYER_FAIL, a word of the message
must_fail() {
  export LAYER_FAIL="$1"
  run --kernels panel
  [ "$status" = 1 ] || complain "exit status $status"
  [ "$(wc -l <error)" = 1 ] || complain "not one line on stderr"
  grep -q "$2" error || complain "the message lacks \"$2\""
  [ ! -e model.safetensors ] || complain "a model was written"
}

run --kernels panel
[ "$status" = 0 ] || complain "exit status $status without a fault"
[ -s model.safetensors ] || complain "no model was written without a fault"
grep -q '^launches dense_forward [1-9]' report || complain "no forward pass was launched"
launches=$(sed -n 's/^calls clEnqueueNDRangeKernel //p' report)
must_fail "clEnqueueNDRangeKernel $launches" CL_OUT_OF_RESOURCES
must_fail "clEnqueueNDRangeKernel $((launches / 2))" CL_OUT_OF_RESOURCES
must_fail "clCreateCommandQueue 1" CL_OUT_OF_HOST_MEMORY
must_fail "any $((launches * 8))" CL_OUT_OF_RESOURCES
unset LAYER_FAIL

# A compiler that rejects the kernels that suit the device: the plain ones take their place, with the same bits.
run --kernels panel
wanted=$(grep '^sha256' output)
export LAYER_FAIL="clBuildProgram 1"
rm -f model.safetensors
"$MLP_CL" train --device 0 --data digits --epochs 1 --out model.safetensors >output 2>error || complain "no fallback"
[ "$(grep '^sha256' output)" = "$wanted" ] || complain "the plain kernels have other bits"
grep -q 'warning: the plain kernels are used' error || complain "the fallback is not told"
unset LAYER_FAIL

# A device that is lost after some checkpoints: the last one is there, and goes on elsewhere.
"$MLP_CL" train --device 0 --kernels panel --data digits --epochs 3 --quiet --checkpoint run.safetensors \
  --checkpoint-every 10steps --json >output 2>error
wanted=$(grep -o '"weights_sha256":"[0-9a-f]*"' output)
calls=$(awk '/^calls/ { sum += $3 } END { print sum }' report)
rm run.safetensors
export LAYER_FAIL="any $((calls * 3 / 4))"
"$MLP_CL" train --device 0 --kernels panel --data digits --epochs 3 --quiet --checkpoint run.safetensors \
  --checkpoint-every 10steps >output 2>error && complain "no device was lost"
unset LAYER_FAIL
grep -q 'run.safetensors holds step .*: go on with: mlp_cl train --resume run.safetensors' error ||
  complain "how to go on is not told"
"$MLP_CL" train --device reference --data digits --epochs 3 --quiet --resume run.safetensors --json >output 2>error ||
  complain "the checkpoint does not resume"
grep -qF "$wanted" output || complain "resumed elsewhere with other bits"

# A driver that hangs, in a build or with a launch.
must_hang() { # LAYER_HANG, seconds, what hangs
  export LAYER_HANG="$1"
  status=0
  timeout -k 1 60 "$MLP_CL" train --device 0 --kernels panel --data digits --quiet --watchdog "$2" --force \
    --checkpoint run.safetensors --checkpoint-every 10steps >output 2>error || status=$?
  [ "$status" = 1 ] || complain "LAYER_HANG=$1: exit status $status"
  grep -q "the driver hangs: $3 for $2 s" error || complain "LAYER_HANG=$1: the message lacks \"$3\""
}
must_hang "clBuildProgram 1" 1 'opening a device and building its kernels'
must_hang "clWaitForEvents 3" 8 training
exit $failed
