#!/bin/sh
# Runs that are killed at random moments and resumed, on the reference and on OpenCL in turns, until each is complete: all
# end with the receipt of a run that was not killed. kill.sh KILLS; environment: MLP_CL, TEST_FOLDER.
# shellcheck disable=SC2086 # $run is a list of words
set -u
: "${MLP_CL:?the binary under test}" "${TEST_FOLDER:?}"
wanted_kills=${1:-500}
rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER"
cd "$TEST_FOLDER" || exit 1

fail() {
  echo "kill.sh: $*" >&2
  tail -n 3 err >&2
  exit 1
}

random() { # random BELOW
  echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# Each checkpoint is a file of a few hundred kB, so that many a kill meets the writing of one.
run="train --hidden 512 --epochs 2 --dropout 0.1 --json --quiet"
"$MLP_CL" $run --device reference >out 2>err || fail "the run that is not killed fails"
receipt=$(grep -o '"weights_sha256":"[0-9a-f]*"' out)

kills=0 stops=0 runs=0 resumed=0
while [ $kills -lt "$wanted_kills" ]; do
  rm -f run.safetensors
  status=1
  while [ $status != 0 ]; do
    signal=KILL device=reference
    [ "$(random 6)" != 0 ] || signal=TERM
    [ "$(random 4)" != 0 ] || device=0
    [ ! -e run.safetensors ] || resumed=$((resumed + 1))
    milliseconds=$(random 400)
    timeout --foreground --preserve-status -s $signal "$(printf '0.%03d' "$milliseconds")" "$MLP_CL" $run --device $device \
      --checkpoint run.safetensors --checkpoint-every 1steps --resume run.safetensors >out 2>err
    status=$?
    case $status in
      0) ;;
      137) kills=$((kills + 1)) ;;
      143) stops=$((stops + 1)) ;;
      *) fail "exit status $status after $kills kills" ;;
    esac
  done
  grep -qF "$receipt" out || fail "after $kills kills another receipt: $(cat out)"
  runs=$((runs + 1))
done
left=$(find . -name '.mlp_cl-*' | wc -l)
echo "$kills kills and $stops stops at random moments of $runs runs, $resumed resumed, all with the same receipt; $left temporary files left"
[ "$left" -le $((kills / 10)) ] || fail "kills leave temporary files behind"
