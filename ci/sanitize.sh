#!/bin/sh
# The tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer on the reference and PoCL, threads under
# ThreadSanitizer, then the kernels under Oclgrind, which reports out-of-bounds accesses, uninitialised reads and data races.
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test

build="build-sanitize" # which finds what PoCL compiled for the tests before
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON \
  -DMLP_CL_POCL_CACHE="$PWD/build-test/pocl" -DCMAKE_C_FLAGS="-O1 \
-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
cmake --build "$build"
# Left out: what differs from another test by the device or its kernels alone, and what runs no code of ours.
left_out='rusticl|pocl_|validate.pocl|faults|cli_manual|install|cli_(kept|checkpoint|train).reference'
# Drivers leak, the more so when all are loaded: one is, and its leaks are suppressed; our own are reported. LeakSanitizer
# crashes now and then on the thread-local memory of threads that a driver has ended, so it does not look there; and
# AddressSanitizer on a thread's signal stack that LLVM has put in place of its own, so it makes none.
OCL_ICD_VENDORS=pocl.icd \
  LSAN_OPTIONS="suppressions=$PWD/ci/lsan.supp:print_suppressions=0:use_tls=0" \
  ASAN_OPTIONS="strict_string_checks=1:detect_stack_use_after_return=1:use_sigaltstack=0" \
  UBSAN_OPTIONS="print_stacktrace=1" \
  ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2 -E "$left_out"

# Threads, each with a context of its own, on the reference: a driver's races would drown ours.
build="build-threads"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DMLP_CL_TESTS=ON -DMLP_CL_EXAMPLES=OFF -DCMAKE_C_FLAGS="-O1 -fsanitize=thread"
cmake --build "$build" --target check_threads check_helper
export TSAN_OPTIONS=halt_on_error=1
MLP_CL_CACHE=off MLP_CL_TEST_DEVICE=reference CK_FORK=no "$build/tests/check_threads"
CK_FORK=no "$build/tests/check_helper"

# Each variant of the kernels: the self-test runs every operation once, the training its fused forms.
build="build-test"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON
cmake --build "$build" --target mlp_cl
folder=$PWD/$build/oclgrind
rm -rf "$folder"
tests/cli/tiny_data.sh "$folder/data"

# check_variant NAME: fails unless the run is right and Oclgrind has written nothing.
check_variant() {
  echo "kernels under Oclgrind: $1"
  log="$folder/$1.log"
  MLP_CL_CACHE=off oclgrind --data-races --log "$log" "$build"/mlp_cl train --device 0 --kernels "$1" --verify --quiet \
    --data "$folder/data" --hidden 5,3 --epochs 1 --batch 5 --dropout 0.2 --weight-decay 0.01 >"$folder/$1.out" || {
    tail -n 20 "$folder/$1.out" >&2
    return 1
  }
  [ ! -s "$log" ] && return 0
  head -n 60 "$log" >&2
  echo "ci/sanitize.sh: Oclgrind found errors in the $1 kernels: $log" >&2
  return 1
}
for variant in plain panel steps; do check_variant $variant; done
# Under Oclgrind a GPU's kernels take many minutes: only on demand, by ci/sanitize.sh full.
if [ "${1:-}" = full ]; then
  for variant in tile group; do check_variant $variant; done
fi
echo "Oclgrind: no errors"
