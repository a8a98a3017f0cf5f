#!/bin/sh
# What the numerics contract costs in a training step on one thread of PoCL: the kernels as they are beside the same ones
# freed of one rule, and of all:
#   nothing     as they are, which shows how far measurements differ by themselves
#   functions   built-in exp, log, sqrt and / for those of exact_math.h
#   stores      as values come, not made canonical
#   orders      sums in one go, without blocks and leaves
#   flags       contraction and -cl-fast-relaxed-math
# Dropout is the same in all. Each freedom is paired with the kernels as they are, a process each, which are asked in turn
# for some 10 ms of steps, and after PAIRS times start anew: where a process lies in memory makes it faster or slower,
# too. The table shows the median of the ratios of neighbours and, for all rules together, its quartiles:
# tests/bench/exactness.sh [PROCESSES [PAIRS]]; with 0 processes it only builds.
# NETWORKS, one "WIDTHS BATCH" a line, takes others than the usual two.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build-bench}
processes=${1:-9} pairs=${2:-60}
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
    stores)
      echo "return AS_REAL(AS_UINT(x) & 0x7fffffffu) < (REAL)(floor) ? (REAL)(0.0f) : x; => return x;"
      # the update asks for finite weights still, but no longer whether they are far from the floors
      echo "load_line(w, (size_t)(i * PANEL)))) - far); => load_line(w, (size_t)(i * PANEL)))));"
      echo "!below(beyond, INFINITY_BITS - far) => !below(beyond, INFINITY_BITS)"
      ;;
    orders)
      echo "BLOCK_FEATURES 256 => BLOCK_FEATURES (1 << 30)"
      echo "LEAF_ROWS 256 => LEAF_ROWS (1 << 30)"
      echo "TERMS_PANELS 4 => TERMS_PANELS (1 << 20)" # no lists of terms: the data have no zeros
      echo "#error \"a list of terms => #define FREE_LISTS \"a list of terms"
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

# step FREEDOM WIDTHS BATCH: the worker.
step() {
  options=
  case $1 in flags | all) options=-cl-fast-relaxed-math ;; esac
  LAYER_EDIT=$(edits_of "$1") LAYER_OPTIONS=$options "$build/step" "$2" "$3" "${DEVICE:-0}" "${KERNELS:-panel}" inexact
}
# compare FREEDOM WIDTHS BATCH: for each pair of one start a line, the microseconds of a step as it is and freed.
compare() {
  rm -f to_exact from_exact to_free from_free
  mkfifo to_exact from_exact to_free from_free
  step none "$2" "$3" <to_exact >from_exact &
  step "$1" "$2" "$3" <to_free >from_free &
  exec 3>to_exact 4<from_exact 5>to_free 6<from_free
  for number in $(seq $((pairs + 5))); do
    echo >&3
    read -r exact <&4
    echo >&5
    read -r free <&6
    [ "$number" -le 5 ] || echo "$exact $free" # the first warm up
  done
  exec 3>&- 4<&- 5>&- 6<&-
  wait
}
# quantile PERCENT: of the numbers on standard input
quantile() {
  sort -n | awk -v part="$1" '{ value[NR] = $1 } END { printf "%.3f", value[int((NR - 1) * part / 100 + 1.5)] }'
}

freedoms="nothing functions stores orders flags all"
rm -rf "$build/exactness"
mkdir "$build/exactness"
cd "$build/exactness"
for each in none $freedoms; do step "$each" 784,16,10 16 </dev/null; done # compiles the kernels
[ "$processes" -gt 0 ] || exit 0
echo "| network, batch | µs a step | as much as without: nothing | functions | stores | orders | flags | all | quartiles |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
echo "$networks" | while read -r widths batch; do
  for each in $freedoms; do
    for _ in $(seq "$processes"); do compare "$each" "$widths" "$batch"; done >"$each.us" </dev/null
    awk '{ print $1 / $2 }' "$each.us" >"$each.ratio"
  done
  printf '| %s, %s | %.0f |' "$(echo "$widths" | tr , -)" "$batch" "$(cut -d ' ' -f 1 nothing.us | quantile 50)"
  for each in $freedoms; do printf ' %s |' "$(quantile 50 <"$each.ratio")"; done
  echo " $(quantile 25 <all.ratio)–$(quantile 75 <all.ratio) |"
done
