#!/bin/sh
# Measurements: what the table and the JSON hold, and what is refused.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 bench --device "$device" --layers 20,9,3 --batch 7
says out 20-9-3
no_escapes() { ! grep -q "$(printf '\033')" "$1" || fail "$last: escape sequences in std$1"; }
no_escapes out
no_escapes err

run 0 bench --device "$device" --layers 20,9,3 --batch 7 --json --quiet
silent err
same "$(get train.0.layers.1)" 9
same "$(get train.0.batch)" 7
for path in train.0.step_us train.0.gflops predict.0.us open_s; do
  case $(get $path) in
    '' | null | 0 | 0.0 | -*) fail "$last: $path is '$(get $path)'" ;;
  esac
done
if [ "$device" = reference ]; then
  same "$(get peak_gflops)" null
  run 0 bench --device reference --quick --json
  same "$(get matmul.0.m)" 128
  same "$(get matmul.0.k)" 784
  same "$(get matmul.1.transpose)" b
else
  case $(get peak_gflops) in
    '' | null | 0 | 0.0 | -*) fail "$last: the peak is '$(get peak_gflops)'" ;;
  esac
fi

if [ "$device" = reference ]; then
  refused 2 bench --device reference --profile trace.json
else
  run 0 bench --device "$device" --layers 20,9,3 --quick --profile trace.json
  run 0 train --device "$device" --epochs 1 --profile other.json --quiet
  for file in trace.json other.json; do
    cp $file out
    same "$(get traceEvents.2.ph)" X
    at_least "$(get otherData.recorded)" 5
  done
  grep -qE 'dense_forward|train_steps' trace.json || fail "the network's kernels are not in trace.json"
  refused 1 bench --device "$device" --layers 20,9,3 --profile trace.json
  refused 1 bench --device "$device" --layers 20,9,3 --profile no/such/folder/trace.json
fi
[ "$device" = reference ] || run 0 bench --device "$device" --layers 20,9,3 --quick --profile trace.json --force

refused 2 bench --device "$device" --layers 20
refused 2 bench --device "$device" --layers 20,x
refused 2 bench --device "$device" --layers 1,2,3,4,5,6,7,8,9
refused 2 bench --device "$device" --batch 0
