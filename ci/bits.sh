#!/bin/sh
# The same bits at length: random training runs on the devices at hand against the reference, for so many steps on each.
# Usage: ci/bits.sh [STEPS [SEED]] (10000, and a tenth of it on the slow rusticl; seed 1). With MLP_CL_OTHER_ICD naming
# the .icd file of one more driver, as Intel's for CPUs or a newer PoCL, on that too.
set -eu
cd "$(dirname "$0")/.."
steps=${1:-10000} seed=${2:-1} failed=0

ci/deps.sh test
cmake -S . -B build-test -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON
cmake --build build-test --target check_runs

# runs NAME STEPS VARIABLE=VALUE…
runs() {
  name=$1 taken=$2
  shift 2
  printf '%s: ' "$name"
  env "$@" MLP_CL_TEST_DEVICE=0 MLP_CL_TEST_STEPS="$taken" MLP_CL_TEST_SEED="$seed" MLP_CL_CACHE=off CK_FORK=no \
    POCL_CACHE_DIR="$PWD/build-test/pocl" build-test/tests/check_runs >build-test/bits.out 2>&1 || failed=1
  grep -v '^Running' build-test/bits.out || failed=1
}

for kernels in steps panel tile group plain; do
  runs "PoCL, $kernels" "$steps" OCL_ICD_VENDORS=pocl.icd MLP_CL_TEST_KERNELS=$kernels
done
runs "PoCL, narrow tiles" "$steps" OCL_ICD_VENDORS=pocl.icd MLP_CL_TEST_TUNING='tile_rows=6 tile_panels=1'
runs "PoCL, wide tiles" "$steps" OCL_ICD_VENDORS=pocl.icd MLP_CL_TEST_TUNING='tile_rows=8 tile_panels=2'
runs "PoCL, small tiles" "$steps" OCL_ICD_VENDORS=pocl.icd MLP_CL_TEST_KERNELS=tile MLP_CL_TEST_TUNING='enough_tiles=1048576 output_rows=4'
runs "PoCL, one thread" "$steps" OCL_ICD_VENDORS=pocl.icd POCL_MAX_PTHREAD_COUNT=1
runs "rusticl" $((steps / 10)) OCL_ICD_VENDORS=rusticl.icd RUSTICL_ENABLE=llvmpipe MLP_CL_TEST_SMALL=1
if [ -n "${MLP_CL_OTHER_ICD:-}" ]; then
  for kernels in steps panel tile group plain; do
    runs "$MLP_CL_OTHER_ICD, $kernels" "$steps" OCL_ICD_VENDORS="$MLP_CL_OTHER_ICD" MLP_CL_TEST_KERNELS=$kernels
  done
fi
exit $failed
