#!/bin/sh
# Every OpenCL function that the library calls must be in functions.h: complete.sh SOURCES
set -eu
here=$(dirname "$0")
missing=$(grep -ohE '\bcl[A-Z][A-Za-z]+\(' "$1"/host/opencl/*.c | tr -d '(' | sort -u | while read -r name; do
  grep -q "($name," "$here/functions.h" || echo "$name"
done)
[ -z "$missing" ] && exit 0
echo "tests/layer/functions.h lacks what host/opencl calls: $missing" >&2
exit 1
