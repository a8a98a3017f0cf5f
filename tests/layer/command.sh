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

run() {
  rm -f report model.safetensors
  status=0
  "$MLP_CL" train --device 0 --kernels panel --data digits --epochs 1 --quiet --out model.safetensors >output 2>error ||
    status=$?
  if grep '^objects' report | grep -v ' 0$' >&2; then complain "objects were left"; fi
}

# LAYER_FAIL, a word of the message
must_fail() {
  export LAYER_FAIL="$1"
  run
  [ "$status" = 1 ] || complain "exit status $status"
  [ "$(wc -l <error)" = 1 ] || complain "not one line on stderr"
  grep -q "$2" error || complain "the message lacks \"$2\""
  [ ! -e model.safetensors ] || complain "a model was written"
}

run
[ "$status" = 0 ] || complain "exit status $status without a fault"
[ -s model.safetensors ] || complain "no model was written without a fault"
grep -q '^launches dense_forward [1-9]' report || complain "no forward pass was launched"
launches=$(sed -n 's/^calls clEnqueueNDRangeKernel //p' report)
must_fail "clEnqueueNDRangeKernel $launches" CL_OUT_OF_RESOURCES
must_fail "clEnqueueNDRangeKernel $((launches / 2))" CL_OUT_OF_RESOURCES
must_fail "clCreateCommandQueue 1" CL_OUT_OF_HOST_MEMORY
must_fail "any $((launches * 8))" CL_OUT_OF_RESOURCES
exit $failed
