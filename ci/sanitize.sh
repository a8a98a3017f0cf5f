#!/bin/sh
# The tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer on the reference and PoCL, then the
# kernels under Oclgrind, which reports out-of-bounds accesses, uninitialised reads and data races.
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test

build="build-sanitize"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON -DCMAKE_C_FLAGS="-O1 \
-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
cmake --build "$build"
# Drivers leak, the more so when all are loaded: one is, and its leaks are suppressed; our own are reported. LeakSanitizer
# crashes now and then on the thread-local memory of threads that a driver has ended, so it does not look there.
OCL_ICD_VENDORS=pocl.icd \
  LSAN_OPTIONS="suppressions=$PWD/ci/lsan.supp:print_suppressions=0:use_tls=0" \
  ASAN_OPTIONS="strict_string_checks=1:detect_stack_use_after_return=1" \
  UBSAN_OPTIONS="print_stacktrace=1" \
  ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2 -E 'rusticl'

build="build-test"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON
cmake --build "$build" --target check_operations
log=$PWD/$build/oclgrind.log
rm -f "$log"
echo "check_operations under Oclgrind"
MLP_CL_TEST_DEVICE=0 MLP_CL_TEST_SMALL=1 MLP_CL_CACHE=off CK_FORK=no \
  oclgrind --data-races --uninitialized --log "$log" "$build"/tests/check_operations
if [ -s "$log" ]; then
  head -n 60 "$log" >&2
  echo "ci/sanitize.sh: Oclgrind found errors in the kernels: $log" >&2
  exit 1
fi
echo "Oclgrind: no errors"
