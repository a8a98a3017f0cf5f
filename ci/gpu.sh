#!/bin/sh
# For an owner of a GPU: builds, lists the devices, validates one of them, trains on it, comparing every bit with the CPU,
# and measures it, beside cuBLAS, PyTorch (eager, compiled, CUDA graphs) and JAX where $PYTHON (python3) has them.
# ci/gpu.sh [DEVICE [BUILD]], "gpu" and build-bench unless told; a BUILD with mlp_cl in it is taken as it is. What it prints
# is worth attaching to a bug report.
set -eu
cd "$(dirname "$0")/.."
device=${1:-gpu} build=${2:-build-bench}

if [ ! -x "$build/mlp_cl" ]; then
  {
    ci/deps.sh
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=OFF
    cmake --build "$build"
  } >&2
fi

mlp_cl=$build/mlp_cl
$mlp_cl --version
$mlp_cl devices
$mlp_cl validate --device "$device"
$mlp_cl train --data digits --verify --device "$device"
fashion=/usr/share/datasets/fashion-mnist
if [ -d $fashion ]; then
  $mlp_cl train --data $fashion --epochs 2 --verify --device "$device"
else
  echo "no $fashion (Debian: dataset-fashion-mnist): the larger run is left out" >&2
fi
$mlp_cl tune --device "$device"
$mlp_cl bench --device "$device"
# Frameworks take most of a GPU's memory in advance unless told otherwise.
XLA_PYTHON_CLIENT_PREALLOCATE=false BUILD=$build tests/bench/run.sh --gpu --device "$device" --rounds 3 --seconds 0.1
