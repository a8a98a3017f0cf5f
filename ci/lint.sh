#!/bin/sh
# What a compiler of the whole does not tell: formatting, each kernel alone, the direction of includes, shell scripts.
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test
failed=0
complain() {
  echo "ci/lint.sh: $1" >&2
  failed=1
}

echo "formatting"
unformatted=$(find host tests examples -name '*.[ch]' | sort | while read -r file; do
  clang-format "$file" | cmp -s - "$file" || echo "$file"
done)
if [ -n "$unformatted" ]; then
  echo "$unformatted"
  complain "run clang-format -i on these"
fi

echo "kernels"
# As for CPUs, where a line is a vector, as for GPUs, or as for both.
for kernel in kernels/*.cl; do
  case ${kernel#kernels/} in
    matmul_panel.cl | program_panel.cl | train_steps.cl | transpose.cl) kinds=1 ;;
    matmul_tile* | output_layer.cl | program_adam_small.cl | program_tile.cl | train_steps_group.cl) kinds=0 ;;
    *) kinds='1 0' ;;
  esac
  for kind in $kinds; do
    clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -Ikernels -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
      -DVECTOR_LINES="$kind" "$kernel" || complain "$kernel does not compile alone with VECTOR_LINES=$kind"
  done
done
# Results of these differ between drivers; docs/numerics.md tells what takes their place.
loose='(^|[^a-z_0-9])(native_[a-z0-9]+|half_[a-z0-9]+|atomic_xchg|atomic_cmpxchg|mad|mad24|mul24|fmin|fmax|exp|log|sqrt|rsqrt|pow)[[:space:]]*\('
for kernel in kernels/*.cl kernels/*.h; do
  # Without comments, which may speak of them; whole steps are shared by claims, which are no floats; CORRECT_DIVISION
  # stands before the one root of a device that is rounded correctly.
  if gcc -fpreprocessed -dD -E -P -x c "$kernel" 2>/dev/null |
    grep -v -e 'atomic_cmpxchg(claims,' -e '(REAL)(0.0f) : sqrt(x);' | grep -E "$loose"; then
    complain "$kernel uses a built-in whose results differ between drivers"
  fi
done

# .clang-tidy lists the checks.
echo "clang-tidy"
build="build-lint"
cmake -S . -B $build -G Ninja -DCMAKE_C_COMPILER=clang -DMLP_CL_EXAMPLES=OFF >/dev/null
cmake --build $build --target onnx/onnx.pb-c.h >/dev/null
find host -name '*.c' -print0 | xargs -0 -P 2 -n 8 clang-tidy -p $build --quiet 2>/dev/null || complain "clang-tidy"

# Includes run downward: the rooms that each room may include from, beside the public header.
echo "includes"
rooms_of() {
  case $1 in
    base) ;;
    backend | data) echo base ;;
    reference | opencl) echo base backend ;;
    context) echo base backend reference opencl ;;
    operations) echo base backend context ;;
    network) echo base backend context data ;;
    training) echo base backend context data network model_file ;;
    model_file) echo base backend context data network ;;
    validation | bench) echo base backend reference context operations data network training ;;
    cli/terminal) ;;
    cli/picture | cli/input) echo terminal ;;
    cli/train) echo terminal picture input ;;
    cli/command) echo terminal picture input train ;;
    cli) echo terminal command ;;
    *) return 1 ;;
  esac
}
for folder in host/*/ host/cli/*/; do
  room=${folder#host/}
  room=${room%/}
  [ "$room" = include ] && continue
  below=$(rooms_of "$room") || complain "host/$room is a room that ci/lint.sh does not know"
  allowed="${room#cli/}|$(echo "$below" | tr ' ' '|')"
  if grep -nE '^#[[:space:]]*include[[:space:]]*("[^"]*/|<[a-z_]*/)' "$folder"*.[ch] 2>/dev/null |
    grep -vE "\"(${allowed%|})/[a-z_0-9.-]+\"|<(sys|sodium|CL)/"; then
    complain "host/$room includes from a room that is not below it"
  fi
done
if grep -rnE '^#[[:space:]]*include[[:space:]]*[<"]CL/' host examples --include='*.[ch]' | grep -v '^host/opencl/'; then
  complain "only host/opencl includes CL/cl.h"
fi
if grep -rnE '(^|[^a-z_])(printf|puts|exit|abort)[[:space:]]*\(' host --include='*.c' | grep -v '^host/cli/'; then
  complain "the library never prints, exits or aborts"
fi

echo "scripts"
shellcheck ci/*.sh .ci/run share/*.sh tests/*/*.sh || complain "shellcheck"

[ $failed = 0 ] && echo "lint: clean"
exit $failed
