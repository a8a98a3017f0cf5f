#!/bin/sh
# The long tests: ci/torture.sh [SECTION…], all unless told. docs/reliability.md says what each found.
#   fuzz     every reader and the command line under libFuzzer, ASan and UBSan; MLP_CL_RUNS executions each (10,000,000)
#   system   every call that the command makes to the C library fails, once and for good, with each errno it may have
#   opencl   every OpenCL call of a short run fails, with each code it may have, and the device is lost at every call
#   kills    500 runs killed at random moments and resumed; MLP_CL_KILLS for another number
#   soak     a million steps: memory and speed at the end as at the beginning; MLP_CL_STEPS for another number
#   large    data of more than 2^31 elements; needs 8 GB
#   valgrind the command under memcheck, on the reference and on PoCL
#   static   cppcheck, and gcc's analyzer for each file; what it says is printed, for people to judge
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh test

fuzz() {
  build="build-fuzz"
  # libFuzzer is not told of single comparisons: in loops over bytes that takes half of the time.
  cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DMLP_CL_TESTS=ON \
    -DMLP_CL_FUZZ=ON -DCMAKE_C_FLAGS="-O2 -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow \
-fno-sanitize-coverage=trace-cmp -fno-sanitize-recover=all -DMLP_CL_STREAM_BUFFER=256"
  cmake --build $build --target fuzz_all
  for program in "$build"/tests/fuzz/fuzz_*; do
    name=${program##*/fuzz_}
    mkdir -p "$build/corpus/$name"
    # What is long, or unpacks to a million bytes, is left to the replay: its descendants would take most of the time.
    find "tests/fuzz/corpus/$name" -type f -size -900c -exec cp -t "$build/corpus/$name" {} +
    echo "fuzz: $name"
    # New inputs go to the same folder; a found case is written beside it.
    ASAN_OPTIONS=quarantine_size_mb=4:malloc_context_size=4 "$program" -runs="${MLP_CL_RUNS:-10000000}" -max_len=2048 \
      -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 -close_fd_mask=3 -print_final_stats=1 \
      -artifact_prefix="$build/found_${name}_" "$build/corpus/$name" 2>"$build/$name.log" || {
      tail -n 40 "$build/$name.log" >&2
      return 1
    }
    grep -E 'number_of_executed_units|peak_rss' "$build/$name.log"
  done
}

build() {
  cmake -S . -B build-test -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLP_CL_TESTS=ON
  cmake --build build-test
}

system() {
  build
  MLP_CL_TORTURE=1 ctest --test-dir build-test --verbose --no-tests=error --timeout 7200 -R '^system_faults'
}

opencl() {
  build
  MLP_CL_TORTURE=1 ctest --test-dir build-test --verbose --no-tests=error --timeout 36000 -R '^faults'
}

with_command() {
  build
  OCL_ICD_VENDORS=pocl.icd MLP_CL=$PWD/build-test/mlp_cl TEST_FOLDER=$PWD/build-test/torture "$@"
}

kills() { with_command tests/torture/kill.sh "${MLP_CL_KILLS:-500}"; }
soak() { with_command tests/torture/soak.sh "${MLP_CL_STEPS:-1000000}"; }
large() { with_command tests/torture/large.sh; }

# memcheck OPTION…: the command, without an error and without a block that is lost for good.
memcheck() {
  MLP_CL_CACHE=off valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --suppressions=ci/valgrind.supp build-test/mlp_cl "$@"
}

valgrind_runs() {
  build
  folder="build-test/valgrind"
  sh tests/cli/tiny_data.sh "$folder/data"
  recipe="--data $folder/data --hidden 5,3 --epochs 2 --batch 5 --dropout 0.2 --quiet --force"
  # shellcheck disable=SC2086 # lists of words
  {
    memcheck train --device reference $recipe --out $folder/model --checkpoint $folder/run --checkpoint-every 1steps
    memcheck train --device reference $recipe --resume $folder/run
    memcheck predict $folder/model --data $folder/data --device reference --quiet
    memcheck inspect $folder/model
    OCL_ICD_VENDORS=pocl.icd memcheck train --device 0 $recipe
  }
}

static() {
  build
  flags="-D_GNU_SOURCE -DCL_TARGET_OPENCL_VERSION=120 -DMLP_CL_ANALYSIS -Ihost -Ihost/include -Ikernels -Ibuild-test/onnx"
  # shellcheck disable=SC2086 # lists of words
  {
    cppcheck --enable=warning,performance,portability --inline-suppr --std=c11 -q $flags host || true
    for file in host/*/*.c; do
      case $file in host/cli/*) continue ;; esac
      gcc -fanalyzer -std=c11 -O1 $flags -DMLP_CL_VERSION='"analysis"' -c -o /dev/null "$file"
    done
  }
}

[ $# -gt 0 ] || set -- kills soak large system valgrind static fuzz opencl
for section; do
  echo "== $section"
  case $section in
    valgrind) valgrind_runs ;;
    fuzz | static | system | opencl | kills | soak | large) $section ;;
    *)
      echo "ci/torture.sh: there is no section '$section'" >&2
      exit 2
      ;;
  esac
done
echo "torture: nothing lost, nothing found"
