#!/bin/sh
# What the numerics contract costs in a training step on one thread of PoCL: the kernels as they are beside the same ones
# freed of one rule, and of all:
#   nothing     as they are, which shows how far measurements differ by themselves
#   functions   built-in exp, log, sqrt and / for those of exact_math.h
#   stores      as values come, not made canonical
#   orders      sums in one go, without blocks and leaves
#   flags       contraction and -cl-fast-relaxed-math
# Dropout is the same in all. Runs alternate and the fastest step of all counts, since other work only makes steps slower:
# tests/bench/exactness.sh [RUNS [SECONDS]]; with 0 runs it only builds.
# NETWORKS, one "WIDTHS BATCH" a line, takes others than the usual two.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build-bench}
runs=${1:-10} seconds=${2:-1}
usual="784,128,10 64
784,512,10 128"
networks=${NETWORKS:-$usual}

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON -DMLP_CL_EXAMPLES=OFF >&2
cmake --build "$build" --target mlp_cl_shared opencl_layer >&2
${CC:-cc} -std=gnu11 -O2 -I"$root/host/include" "$here/step.c" -L"$build" -lmlp_cl -Wl,-rpath,"$build" -o "$build/step"
MLP_CL_CACHE=off POCL_MAX_PTHREAD_COUNT=1 OPENCL_LAYERS=$build/tests/layer/libopencl_layer.so
export MLP_CL_CACHE POCL_MAX_PTHREAD_COUNT OPENCL_LAYERS

# The edits that free the kernels of a rule: see tests/layer/layer.h.
edits_of() {
  case $1 in
    functions)
      for name in exp log sqrt; do
        echo "REAL exact_$name(REAL x) { => REAL exact_$name(REAL x) { return $name(x);"
      done
      echo "REAL exact_divide(REAL a, REAL b) { => REAL exact_divide(REAL a, REAL b) { return a / b;"
      ;;
    stores) echo "return AS_REAL(AS_UINT(x) & 0x7fffffffu) < (REAL)(floor) ? (REAL)(0.0f) : x; => return x;" ;;
    orders)
      echo "BLOCK_FEATURES 256 => BLOCK_FEATURES (1 << 30)"
      echo "LEAF_ROWS 256 => LEAF_ROWS (1 << 30)"
      ;;
    flags)
      echo "FP_CONTRACT OFF => FP_CONTRACT ON"
      echo "#error \"fast-math => #define FREE \"fast-math"
      ;;
    all) for rule in functions stores orders flags; do edits_of $rule; done ;;
  esac
}
edits_of all | while read -r edit; do
  grep -qF -- "${edit%% => *}" "$root"/kernels/*.h || {
    echo "exactness.sh: no kernel reads \"${edit%% => *}\" now: edits_of needs another text" >&2
    exit 1
  }
done

# step FREEDOM WIDTHS BATCH SECONDS: the fastest step in microseconds.
step() {
  options=
  case $1 in flags | all) options=-cl-fast-relaxed-math ;; esac
  LAYER_EDIT=$(edits_of "$1") LAYER_OPTIONS=$options \
    "$build/step" "$2" "$3" "${DEVICE:-0}" "${KERNELS:-panel}" "$4" inexact | sed 's/.*"best_us": \([0-9.]*\).*/\1/'
}
fastest() {
  sort -n "$1.us" | head -n 1
}

freedoms="none nothing functions stores orders flags all"
rm -rf "$build/exactness"
mkdir "$build/exactness"
cd "$build/exactness"
for each in $freedoms; do step "$each" 784,16,10 16 0 >/dev/null; done # compiles the kernels
[ "$runs" -gt 0 ] || exit 0
echo "| network, batch | µs a step | as much as without: nothing | functions | stores | orders | flags | all |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
echo "$networks" | while read -r widths batch; do
  rm -f ./*.us
  for _ in $(seq "$runs"); do
    for each in $freedoms; do step "$each" "$widths" "$batch" "$seconds" >>"$each.us"; done
  done
  exact=$(fastest none)
  printf '| %s, %s | %s |' "$(echo "$widths" | tr , -)" "$batch" "$exact"
  for each in ${freedoms#none }; do awk "BEGIN { printf \" %.3f |\", $exact / $(fastest "$each") }"; done
  echo
done
