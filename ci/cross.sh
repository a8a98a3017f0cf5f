#!/bin/sh
# The same bits from the reference with two compilers, with and without optimisation, and on a 64-bit Arm processor.
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# bits NAME RUNNER COMPILER FLAGS...: what the program prints when it is compiled so.
bits() {
  name=$1 runner=$2
  shift 2
  "$@" -std=c11 -D_GNU_SOURCE -Ihost -Ihost/include -Ikernels -DMLP_CL_VERSION=\"cross\" -ffp-contract=off -Wall -Wextra -Werror -o "$folder/$name" \
    tests/cross/reference_bits.c host/network/step.c host/reference/*.c host/backend/*.c host/base/error.c -lm
  line=$($runner "$folder/$name")
  echo "$name: $line"
  echo "$line" >>"$folder/lines"
}

bits gcc-O0 "" gcc -O0
bits gcc-O3 "" gcc -O3
bits gcc-O3-native "" gcc -O3 -march=native
bits clang-O0 "" clang -O0
bits clang-O3 "" clang -O3
bits aarch64-O2 qemu-aarch64 aarch64-linux-gnu-gcc -O2 -static

if [ "$(sort -u "$folder/lines" | wc -l)" != 1 ]; then
  echo "ci/cross.sh: the bits differ" >&2
  exit 1
fi
echo "cross: the same bits from all"
