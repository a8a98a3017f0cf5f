#!/bin/sh
# What the numerics contract costs in a training step: CPU time against a copy of the tree whose kernels are free to do as
# the driver likes best: built-in exp, log and /, no canonical stores, sums in one go, contraction and fast-math on. Both
# draw the same dropout. Medians of alternating runs: tests/bench/exactness.sh [RUNS [SECONDS]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build-bench}
runs=${1:-9} seconds=${2:-3}

free=$build/free-tree
rm -rf "$free"
mkdir -p "$free"
(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$free")
sed -i '/FP_CONTRACT OFF/d; /^#error "fast-math/d' "$free/kernels/exact_math.h"
cat >>"$free/kernels/exact_math.h" <<'END'
#ifdef __OPENCL_C_VERSION__
#define canonical(x, floor) (x)
#define exact_exp(x) exp(x)
#define exact_log(x) log(x)
#define exact_divide(a, b) ((a) / (b))
#endif
END
sed -i 's/BLOCK_FEATURES 256/BLOCK_FEATURES (1 << 30)/' "$free/kernels/feature_sum.h"
sed -i 's/LEAF_ROWS 256/LEAF_ROWS (1 << 30)/' "$free/kernels/batch_sum.h"
sed -i 's/"-cl-std=CL1.2 -w/"-cl-std=CL1.2 -cl-fast-relaxed-math -w/' "$free/host/opencl/program.c"
for file in kernels/exact_math.h kernels/feature_sum.h kernels/batch_sum.h host/opencl/program.c; do
  ! cmp -s "$root/$file" "$free/$file" || {
    echo "exactness.sh: $file reads otherwise now, and was not freed" >&2
    exit 1
  }
done

for kind in exact free; do
  [ $kind = exact ] && tree=$root || tree=$free
  cmake -S "$tree" -B "$build/$kind" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=OFF -DMLP_CL_EXAMPLES=OFF >&2
  cmake --build "$build/$kind" >&2
  ${CC:-cc} -std=gnu11 -O2 -I"$root/host/include" "$here/step.c" -L"$build/$kind" -lmlp_cl -Wl,-rpath,"$build/$kind" \
    -o "$build/step-$kind"
done

MLP_CL_CACHE=off
export MLP_CL_CACHE
# step KIND WIDTHS BATCH: CPU time of a step in microseconds.
step() {
  "$build/step-$1" "$2" "$3" "${DEVICE:-0}" "${KERNELS:-panel}" "$seconds" inexact | sed 's/.*"cpu_us": \([0-9.]*\).*/\1/'
}
median() {
  sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

echo "| network, batch | exact, CPU µs a step | free | exact / free |"
echo "| --- | --- | --- | --- |"
for what in "784,128,10 64" "784,512,10 128"; do
  widths=${what% *} batch=${what#* }
  rm -f "$build/exact.us" "$build/free.us" "$build/ratio"
  for _ in $(seq "$runs"); do
    exact=$(step exact "$widths" "$batch") free=$(step free "$widths" "$batch")
    echo "$exact" >>"$build/exact.us"
    echo "$free" >>"$build/free.us"
    awk "BEGIN { print $exact / $free }" >>"$build/ratio"
  done
  echo "| $(echo "$widths" | tr , -), $batch | $(median <"$build/exact.us") | $(median <"$build/free.us") | $(median <"$build/ratio") |"
done
