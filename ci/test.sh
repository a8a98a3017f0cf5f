#!/bin/sh
# Installs what is missing, builds with warnings as errors, and runs all tests: on the reference, PoCL and rusticl.
# Arguments go to ctest: ci/test.sh -R softmax
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test
cmake -S . -B build-test -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON -DMLP_CL_WERROR=ON
cmake --build build-test
ctest --test-dir build-test --output-on-failure --no-tests=error -j 2 "$@"
