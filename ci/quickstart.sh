#!/bin/sh
# From a fresh clone to a trained network: installs what is missing, builds, and runs `mlp_cl --device 0 [ARGUMENTS]`.
# Without arguments: trains on the digits, trains again on the CPU reference, and compares the bits.
set -eu
cd "$(dirname "$0")/.."

{
  ci/deps.sh
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=OFF
  cmake --build build
} >&2

exec build/mlp_cl --device "${MLP_CL_DEVICE:-0}" "$@"
