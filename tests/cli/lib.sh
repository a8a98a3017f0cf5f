#!/bin/sh
# What the scripts here share: they run $MLP_CL in a fresh folder, on the device $MLP_CL_TEST_DEVICE, and stop at the first
# expectation that does not hold.
set -u
: "${MLP_CL:?the binary under test}" "${JSON_GET:?}" "${TEST_FOLDER:?}"
# shellcheck disable=SC2034 # the scripts use it
device=${MLP_CL_TEST_DEVICE:-reference}
unset MLP_CL_DEVICE
rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER"
cd "$TEST_FOLDER" || exit 1

fail() {
  echo "FAILED: $*" >&2
  [ -f out ] && sed 's/^/  stdout: /' out | head -n 40 >&2
  [ -f err ] && sed 's/^/  stderr: /' err | head -n 40 >&2
  exit 1
}

# run STATUS ARGUMENT…: leaves what it printed in the files out and err.
run() {
  wanted=$1
  shift
  last="mlp_cl $*"
  "$MLP_CL" "$@" >out 2>err </dev/null
  got=$?
  [ "$got" = "$wanted" ] || fail "$last: exit status $got, not $wanted"
}

# says FILE TEXT: FILE (out or err) contains TEXT.
says() {
  grep -qF -- "$2" "$1" || fail "$last: '$2' is not in std$1"
}

silent() {
  [ ! -s "$1" ] || fail "$last: std$1 is not empty"
}

# An error is one line on stderr, and nothing on stdout.
refused() {
  run "$@"
  silent out
  [ "$(wc -l <err)" = 1 ] || fail "$last: the error is not one line"
}

# get PATH: a value of the JSON object in out.
get() {
  "$JSON_GET" "$1" <out || fail "$last: no '$1' in the JSON"
}

same() {
  [ "$1" = "$2" ] || fail "$last: '$1' is not '$2'"
}

# at_least VALUE LIMIT, for decimals.
at_least() {
  awk -v value="$1" -v limit="$2" 'BEGIN { exit !(value + 0 >= limit + 0) }' || fail "$last: $1 is less than $2"
}

# write_model METADATA: a model file of one layer, three inputs and one output, with these members of its metadata.
write_model() {
  header='{"__metadata__":{'$1'},"0.weight":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]}}'
  # shellcheck disable=SC2059 # the length is an escape sequence
  printf "\\$(printf %o "${#header}")\\000\\000\\000\\000\\000\\000\\000"
  printf '%s' "$header"
  printf '\000\000\200\077\000\000\200\077\000\000\200\077'
}

# wait_for_rows NUMBER: until the last process in the background has written so many rows of its table of epochs to out.
wait_for_rows() {
  tries=0
  until [ "$(wc -l <out)" -gt "$1" ]; do
    kill -0 $! 2>/dev/null || fail "$last: ended early"
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || fail "$last: $1 epochs took more than two minutes"
    sleep 0.1
  done
}
