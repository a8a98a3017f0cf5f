#!/bin/bash
# Breaks a copy of the tree in one place at a time (list.sh) and sees a test turn red for each: a table of Markdown on
# standard output. Takes half an hour. Status 1 when a mutation is missed, no longer applies or does not compile. Only a
# test's own words count: a run that crashes, or is killed, is unclear.
# Usage: tests/mutations/run.sh [WORD]    only the mutations whose name contains WORD
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
only=${1:-}
tree=$(mktemp -d "${TMPDIR:-/tmp}/mlp_cl-mutations-XXXXXX")
stop() {
  pkill -KILL -f "$tree/build"
}
trap 'stop; rm -rf "$tree"' EXIT
export CK_FORK=no MLP_CL_CACHE=off POCL_CACHE_DIR="$tree/pocl" RUSTICL_ENABLE=llvmpipe
failures=0
checking= # which checks are needed is asked first, then set

note() {
  echo "run.sh: $*" >&2
}

# build CHECK DEVICE: what run_check runs.
build() {
  local target=check_$1
  [ "$2" != oclgrind ] || target=mlp_cl
  cmake --build "$tree/build" --target "$target" >"$tree/build.log" 2>&1
}

# Long enough for a machine that has other work; a child of ours, so that stopping this script stops it too.
patiently() {
  timeout --foreground 1800 "$@" >"$tree/run.log" 2>&1
}

# A run of the command under Oclgrind, self-test and all: data races are failures. The first ends it; thousands would take
# an hour to tell.
run_oclgrind() {
  local run
  rm -f "$tree/races.log"
  patiently oclgrind --data-races --log "$tree/races.log" "$tree/build/mlp_cl" train --device 0 --kernels "$1" \
    --data "$tree/data" --hidden 5 --epochs 1 --batch 5 --watchdog 0 --quiet &
  run=$!
  while kill -0 $run 2>/dev/null && ! grep -q 'Kernel:' "$tree/races.log" 2>/dev/null; do sleep 1; done
  if [ ! -s "$tree/races.log" ]; then
    wait $run
    return
  fi
  stop
  wait $run 2>/dev/null
  sed -n 's/^\(.*race.*\)$/:F:all:oclgrind:0: \1/p' "$tree/races.log" | head -n 1 >"$tree/run.log"
  return 1
}

# run_check CHECK DEVICE [KERNELS]: what check_CHECK.c says, with its status.
run_check() {
  case $2 in
    oclgrind)
      run_oclgrind "$3"
      return
      ;;
    reference) set -- "$1" MLP_CL_TEST_DEVICE=reference "${3:-}" ;;
    pocl) set -- "$1" MLP_CL_TEST_DEVICE=0 "${3:-}" OCL_ICD_VENDORS=pocl.icd ;;
    rusticl) set -- "$1" MLP_CL_TEST_DEVICE=0 "${3:-}" OCL_ICD_VENDORS=rusticl.icd MLP_CL_TEST_SMALL=1 ;;
  esac
  local check=$1 device=$2 kernels=$3
  shift 3
  if [ "$kernels" = small ]; then # tiles
    kernels=tile
    set -- "$@" MLP_CL_TEST_TUNING=enough_tiles=1048576
  fi
  [ -z "$kernels" ] || set -- "$@" "MLP_CL_TEST_KERNELS=$kernels"
  case $kernels in plain | tile) set -- "$@" MLP_CL_TEST_SMALL=1 ;; esac # a long run takes minutes on a CPU
  patiently env "$device" "$@" "$tree/build/tests/check_$check"
}

# The first failure, short: the rule that the self-test found broken, or what the test says.
message() {
  sed -nE 's/^.*:[FS]:[^:]*:([^:]*):[0-9]+: (.*)$/\1: \2/p' "$tree/run.log" | head -n 1 |
    sed -E 's/^.* breaks the rule ("[^"]*").*$/the self-test: \1/; s/_/\\_/g; s/\|/\\|/g' | cut -c 1-120
}

# judge STATUS: nothing when a test has said what is wrong.
judge() {
  if [ "$1" = 0 ]; then
    echo "MISSED"
  elif grep -q 'returned BUILD' "$tree/run.log"; then
    echo "INVALID: a kernel does not compile"
  elif [ -z "$(message)" ]; then
    echo "UNCLEAR: status $1, $(tail -n 1 "$tree/run.log" | cut -c 1-100)"
  fi
}

restore() {
  local saved
  while read -r saved; do
    mv "$tree/$saved.before" "$tree/$saved"
    touch "$tree/$saved" # so that it is compiled again
  done < <(sort -u "$tree/edited")
  : >"$tree/edited"
}

# ---- What list.sh says ----

mutation() {
  name=$1
  stale=
  [ -z "$checking" ] || restore
}

skipped() {
  case $name in *"$only"*) return 1 ;; *) return 0 ;; esac
}

# edit FILE EXPRESSION: applies a sed -E expression, which has to change the file.
edit() {
  if [ -z "$checking" ] || skipped; then return; fi
  [ -e "$tree/$1.before" ] || cp "$tree/$1" "$tree/$1.before"
  echo "$1" >>"$tree/edited"
  sed -E "$2" "$tree/$1" >"$tree/after"
  if cmp -s "$tree/$1" "$tree/after"; then stale=$1; fi
  cp "$tree/after" "$tree/$1"
}

# caught_by CHECK DEVICE [KERNELS]
caught_by() {
  skipped && return
  if [ -z "$checking" ]; then
    echo "$*"
    return
  fi
  local verdict
  if [ -n "$stale" ]; then
    verdict="STALE: $stale reads otherwise now"
  elif ! build "$@"; then
    verdict="INVALID: does not compile"
  else
    run_check "$@"
    verdict=$(judge $?)
  fi
  [ -n "$verdict" ] && failures=$((failures + 1))
  echo "| $name | $* | ${verdict:-$(message)} |"
}

# ---- The runs ----

cd "$root" || exit 1
git ls-files --cached --others --exclude-standard -z | xargs -0 cp --parents -t "$tree" 2>/dev/null
: >"$tree/edited"
cmake -S "$tree" -B "$tree/build" -G Ninja -DMLP_CL_EXAMPLES=OFF >"$tree/build.log" 2>&1 || {
  cat "$tree/build.log" >&2
  exit 1
}
tests/cli/tiny_data.sh "$tree/data"
note "building, and running each check as it is"
# shellcheck source=tests/mutations/list.sh
while read -r check device kernels; do
  [ "$device" != oclgrind ] || continue # ci/sanitize.sh does that
  build "$check" "$device" || {
    tail -n 20 "$tree/build.log" >&2
    exit 1
  }
  run_check "$check" "$device" "$kernels" || {
    cat "$tree/run.log" >&2
    note "red as it is: $check $device $kernels"
    exit 1
  }
done < <(. "$here/list.sh" | sort -u)
note "mutating"
checking=yes
echo "| mutation | test | which says |"
echo "| --- | --- | --- |"
# shellcheck source=tests/mutations/list.sh
. "$here/list.sh"
restore
[ "$failures" = 0 ] || note "$failures of the mutations were not caught"
exit $((failures > 0))
