#!/bin/sh
# For an owner of a GPU: builds, lists the devices, validates one of them and trains on it, comparing every bit with the
# CPU. ci/gpu.sh [DEVICE], "gpu" unless told. What it prints is worth attaching to a bug report.
set -eu
cd "$(dirname "$0")/.."
device=${1:-gpu}

{
  ci/deps.sh
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=OFF
  cmake --build build --target mlp_cl
} >&2

mlp_cl=build/mlp_cl
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
if $mlp_cl bench --help >/dev/null 2>&1; then $mlp_cl bench --device "$device"; fi
