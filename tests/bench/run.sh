#!/bin/sh
# Prints the tables of ratios against the peers that are installed: tests/bench/run.sh [--help | options of compare.py].
# PYTHON names an interpreter whose environment has torch, jax, tensorflow-cpu, tinygrad, onnxruntime; what is missing is
# left out. OpenBLAS, BLIS (libopenblas0, libblis4) and CLBlast (libclblast-dev) come from the system.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build-bench}

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >&2
cmake --build "$build" >&2
library="-I$root/host/include -L$build -lmlp_cl -Wl,-rpath,$build"
cc="${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -I$here"
# shellcheck disable=SC2086 # lists of words
{
  $cc "$here/ours.c" "$here/worker.c" $library -o "$build/ours"
  $cc "$here/blas.c" "$here/worker.c" -ldl -o "$build/blas"
  $cc "$here/clblast.c" "$here/worker.c" -lclblast -lOpenCL -o "$build/clblast" 2>/dev/null ||
    echo "run.sh: CLBlast is not installed (libclblast-dev): left out" >&2
}
exec "${PYTHON:-python3}" -B "$here/compare.py" --workers "$build" "$@"
