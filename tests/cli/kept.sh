#!/bin/sh
# What was trained is never lost: somebody else's files stay, one's own is written where there is room, and the result is
# told whatever failed beside it.
# shellcheck disable=SC2086 # $short and $stops are lists of words
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

short="--device $device --hidden none --epochs 2"
run 0 train $short --json
receipt=$(get weights_sha256)

# A run may write over what it begins with, and is compared with a run that began with the same.
run 0 train $short --out model.safetensors
run 0 train --device "$device" --epochs 2 --init-from model.safetensors --out model.safetensors --force --verify --json
same "$(get identical)" true

# A file that appears while it trains.
# begin ARGUMENT…: in the background, until it trains.
begin() {
  rm -f log
  "$MLP_CL" train --device "$device" --epochs 2000 --hidden none --log log --json "$@" >out 2>err &
  pid=$!
  until [ -s log ]; do
    kill -0 $pid 2>/dev/null || fail "$last: ended early"
    sleep 0.02
  done
}
last='--out FILE, which appears while it trains'
begin --out late.safetensors
echo 'of somebody else' >late.safetensors
wait $pid
same $? 1
same "$(cat late.safetensors)" 'of somebody else'
same "$(get failures.0.status)" IO
found=$(get weights_sha256 | cut -c 1-8)
says err "the network is in late.safetensors.$found"
run 0 inspect "late.safetensors.$found"

# A folder that goes, and files that may not grow (a limit that jobs on clusters have).
last='--out FOLDER/FILE, whose folder goes'
mkdir gone
TMPDIR=$TEST_FOLDER/elsewhere
mkdir "$TMPDIR"
export TMPDIR
begin --out gone/model.safetensors
rmdir gone
wait $pid
same $? 1
elsewhere=$(sed -n 's/.*the network is in \(.*safetensors\)$/\1/p' err)
[ -s "$elsewhere" ] || fail "$last: nothing is in '$elsewhere'"
same "$TMPDIR/mlp_cl-$(get weights_sha256 | cut -c 1-8).safetensors" "$elsewhere"
unset TMPDIR
last='ulimit -f 0'
(
  ulimit -f 0 # with which PoCL cannot compile
  "$MLP_CL" train --device reference --hidden none --epochs 2 --log run.jsonl --out large.safetensors --json 2>/dev/null
) | cat >out
same "$(get weights_sha256)" "$receipt"
same "$(get failures.0.status)" IO

# So is what was evaluated and validated.
(
  ulimit -f 0
  "$MLP_CL" evaluate model.safetensors --device reference --plot large.svg --json 2>/dev/null
) | cat >out
same "$(get failures.0.status)" IO
at_least "$(get accuracy)" 0.3
(
  ulimit -f 0
  "$MLP_CL" validate --device reference --quick --report large.json --json 2>/dev/null
) | cat >out
same "$(get failures.0.status)" IO
same "$(get pass)" true

# Early stopping with a checkpoint ends well, and a run that goes on from its end tells the same.
stops='--hidden 16 --epochs 300 --lr 0.5 --patience 1'
run 0 train --device "$device" $stops --checkpoint stopped.safetensors --json
accuracy=$(get test_accuracy) best=$(get best_epoch)
run 0 train --device "$device" $stops --resume stopped.safetensors --json
same "$(get test_accuracy)" "$accuracy"
same "$(get best_epoch)" "$best"

# A checkpoint that was asked for beside the one that the run goes on from, and is not written: at its end, and stopped.
run 0 train --device "$device" --hidden none --epochs 2 --checkpoint ended.safetensors --quiet
last='--checkpoint, which cannot be written at the end'
(
  ulimit -f 0
  "$MLP_CL" train --resume ended.safetensors --device reference --checkpoint other.safetensors --json 2>/dev/null
) | cat >out
same "$(get failures.0.status)" IO
[ ! -e other.safetensors ] || fail "$last: it is there"
last='--checkpoint, which cannot be written when it is stopped'
(
  ulimit -f 0
  "$MLP_CL" train --resume ended.safetensors --device reference --epochs 100000 --checkpoint other.safetensors --json 2>&1 &
  sleep 1
  kill -TERM $!
  wait $!
) | cat >out
says out 'ended.safetensors holds step'
says out '--resume ended.safetensors'

# A checkpoint by another name is the same one; its permissions stay.
chmod 600 stopped.safetensors
run 0 train --device "$device" $stops --checkpoint ./stopped.safetensors --resume stopped.safetensors --quiet
same "$(find stopped.safetensors -perm 600)" stopped.safetensors
run 0 train --device "$device" --hidden none --epochs 9 --checkpoint ./ended.safetensors --checkpoint-every 1epochs \
  --resume ended.safetensors --quiet
silent err

# Two runs with one checkpoint: the second goes beside the first, and says so; each can go on.
last='two runs with one --checkpoint'
endless="--device $device --epochs 1000000 --checkpoint both.checkpoint --checkpoint-every 5steps"
"$MLP_CL" train $endless >one.out 2>one.err &
first=$!
until [ -s both.checkpoint ]; do
  kill -0 $first 2>/dev/null || fail "$last: the first ended"
  sleep 0.02
done
"$MLP_CL" train $endless --resume both.checkpoint >two.out 2>two.err &
second=$!
until grep -q 'this run is kept in' one.err two.err; do
  kill -0 $second 2>/dev/null || fail "$last: the second ended"
  sleep 0.02
done
kill $first $second
wait $first
same $? 143
wait $second
same $? 143
beside=$(sed -n 's/.*this run is kept in \(both.checkpoint\..*\)$/\1/p' one.err two.err | head -n 1)
grep -q "$beside holds step" one.err two.err || fail "$last: $beside is not told at the end"
run 0 evaluate "$beside" --device "$device" --quiet
run 0 evaluate both.checkpoint --device "$device" --quiet
