#!/bin/sh
# --checkpoint, --checkpoint-every, --resume: a run that was stopped says how to go on, and going on gives the receipt of
# a run that was not, here and on the reference.
# shellcheck disable=SC2086 # $recipe is a list of words
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

recipe='--epochs 12 --dropout 0.1 --seed 3'
run 0 train $recipe --device "$device" --json
receipt=$(get weights_sha256)
last_loss=$(get epochs.11.train_loss)

# Long enough to be stopped in its midst; then the short run from a checkpoint of the same recipe.
last='SIGINT while training'
"$MLP_CL" train --epochs 1000000 --device "$device" --checkpoint long.safetensors --checkpoint-every 20steps >out 2>err &
pid=$!
wait_for_rows 2
until [ -s long.safetensors ]; do sleep 0.1; done
kill -TERM $pid
kill -TERM $pid 2>/dev/null # as timeout(1) does, which tells the process and its group
wait $pid
same $? 143
says err 'stopped on request after step '
says err 'long.safetensors holds step '
says err 'go on with: mlp_cl train --resume long.safetensors'
[ "$(find . -name '.mlp_cl-*' | wc -l)" = 0 ] || fail "$last: a temporary file is left"
refused 1 train --epochs 1000000 --device "$device" --checkpoint long.safetensors --quiet
says err 'long.safetensors exists; go on from it with --resume long.safetensors'
echo '{"event":"start"}' >other.jsonl
refused 1 train --device reference --checkpoint other.jsonl --quiet
says err 'other.jsonl exists and is no checkpoint'
refused 2 train $recipe --device reference --resume long.safetensors --quiet
says err 'seed is "3" here and "1" in the checkpoint'
run 0 evaluate long.safetensors --device reference --quiet

# One command that begins, and goes on when it is given again; whoever stops it, and wherever it goes on.
go_on() { # go_on SIGNAL DEVICE
  last="$1 and --resume on $2"
  timeout --foreground --preserve-status -s "$1" -k 20 0.4 "$MLP_CL" train $recipe --device "$2" --quiet \
    --checkpoint run.safetensors --checkpoint-every 7steps --resume run.safetensors >out 2>err
}
for signal in INT KILL TERM KILL; do
  for where in "$device" reference; do go_on $signal "$where" || true; done
done
run 0 train $recipe --device "$device" --json --checkpoint run.safetensors --resume run.safetensors --out model.safetensors
same "$(get weights_sha256)" "$receipt"
same "$(get epochs.11.train_loss)" "$last_loss"
same "$(get epochs.0.epoch)" 1
run 0 train $recipe --device "$device" --json --resume run.safetensors --verify
same "$(get weights_sha256)" "$receipt"
same "$(get identical)" true

# To more epochs than it was begun with: the receipt of the longer run.
run 0 train --epochs 14 --dropout 0.1 --seed 3 --device "$device" --json --resume run.safetensors --verify
same "$(get identical)" true
same "$(get epochs.13.epoch)" 14
refused 2 train --epochs 11 --dropout 0.1 --seed 3 --device reference --resume run.safetensors --quiet
says err 'of 11 epochs; give more epochs'

# A diverged run keeps its last good checkpoint, and says what to do with it. It diverges in step 10; which of the
# checkpoints before it was the last depends on the disk, and training can go on from both.
run 5 train --epochs 12 --lr 100 --momentum 0.99 --weight-decay 1 --device "$device" --quiet \
  --checkpoint bad.safetensors --checkpoint-every 4steps
says err 'at step'
says err 'begin anew with --init-from bad.safetensors and a lower --lr'
run 0 train --init-from bad.safetensors --epochs 1 --device "$device" --quiet

refused 2 train --checkpoint-every 5
says err 'needs --checkpoint'
for word in 0 -1 5x s 1.5s; do
  refused 2 train --checkpoint x.safetensors --checkpoint-every=$word
  says err "--checkpoint-every $word: expected"
done
refused 1 train --device reference --resume none.safetensors --quiet
says err 'none.safetensors: cannot open'

# What the stopped run drew is drawn anew, without --force.
run 0 train $recipe --device "$device" --checkpoint drawn.safetensors --resume drawn.safetensors --plot drawn.svg --quiet
run 0 train $recipe --device "$device" --checkpoint drawn.safetensors --resume drawn.safetensors --plot drawn.svg
says err 'wrote drawn.svg'
run 0 train --resume drawn.safetensors --device "$device"
for option in '--dropout 0.1' '--epochs 12' '--seed 3'; do says err "as drawn.safetensors says: $option"; done
[ "$(tail -n 1 drawn.svg)" = '</svg>' ] || fail "$last: the picture is not whole"

# A checkpoint says with what its run was begun: from any folder, for a table of any reading, into the file itself.
{
  echo 'a;b;kind;c'
  i=0
  while [ $i -lt 60 ]; do
    echo "$((i % 7)),5;$((i * i % 11));k$((i % 3));x"
    i=$((i + 1))
  done
} | tr ';' '\t' | tr ',' '.' >'a table.tsv'
table='--label kind --ignore c --hidden 9 --no-bias --momentum 0.5 --holdout 0.25'
run 0 train --data 'a table.tsv' $table --epochs 8 --device "$device" --json
receipt=$(get weights_sha256)
run 0 train --data 'a table.tsv' $table --epochs 3 --device "$device" --checkpoint table.safetensors \
  --checkpoint-every 2epochs --out table_out.safetensors --quiet
run 0 inspect table.safetensors
says out 'epochs done: 3; train --resume goes on from there'
says out 'options     --checkpoint-every 2epochs --data '
cp table.safetensors begun.safetensors
mkdir -p elsewhere
cd elsewhere || exit 1
run 0 train --resume ../table.safetensors --epochs 8 --device reference --json
same "$(get weights_sha256)" "$receipt"
says err 'as ../table.safetensors says: --data /'
[ ! -e table_out.safetensors ] || fail "$last: the checkpoint chose a file to write"
cd .. || exit 1
cmp -s table.safetensors begun.safetensors && fail "$last: the checkpoint is not kept up to date"
run 0 train --resume table.safetensors --json
same "$(get weights_sha256)" "$receipt"
refused 2 train --resume table.safetensors --lr 0.5 --quiet
says err 'learning_rate is 0.5 here'
cp 'a table.tsv' kept.tsv
head -n 2 kept.tsv | tail -n 1 >>'a table.tsv'
refused 2 train --resume table.safetensors --quiet
says err 'the training data are not those it was begun with'
rm 'a table.tsv'
refused 1 train --resume table.safetensors --quiet
says err 'a table.tsv: No such file'

# With the same --checkpoint the command says all: what it leaves out is not taken from another run in that file.
run 0 train --epochs 2 --hidden 7 --lr 0.5 --device reference --checkpoint mixed.safetensors --quiet
refused 2 train --epochs 4 --device reference --checkpoint mixed.safetensors --resume mixed.safetensors --quiet
says err 'is 0.02 here and 0.5 in the checkpoint'

# A file that may not be written is gone on from, and stays; another may take its place.
run 0 train --resume mixed.safetensors --epochs 3 --checkpoint other.safetensors --checkpoint-every 2 --quiet
run 0 train --resume other.safetensors --epochs 3 --out other.safetensors --force --quiet
run 0 train --resume mixed.safetensors --epochs 3 --out mixed.safetensors --force --quiet
run 0 train --epochs 2 --device reference --checkpoint kept.safetensors --quiet
cp kept.safetensors before.safetensors
chmod 400 kept.safetensors
if [ ! -w kept.safetensors ]; then
  run 0 train --resume kept.safetensors --epochs 3
  says err 'without --checkpoint nothing more is kept before its end'
  cmp kept.safetensors before.safetensors || fail "$last: what may not be written was"
fi

# The model that a run began with is not needed again, unless the beginning is.
run 0 train --epochs 1 --hidden 6 --device reference --out base.safetensors --quiet
run 0 train --init-from base.safetensors --epochs 3 --device reference --json
receipt=$(get weights_sha256)
run 0 train --init-from base.safetensors --epochs 2 --device reference --checkpoint begun.safetensors --force --quiet
mv base.safetensors moved.safetensors
refused 2 train --resume begun.safetensors --epochs 3 --verify --quiet
says err 'give it as --init-from'
run 0 train --resume begun.safetensors --epochs 3 --verify --init-from moved.safetensors --json
same "$(get identical)" true
for where in "$device" reference; do
  run 0 train --resume begun.safetensors --epochs 3 --device "$where" --json
  same "$(get weights_sha256)" "$receipt"
done
run 0 train --epochs 2 --checkpoint environment.safetensors --device reference --quiet
MLP_CL_DEVICE=nowhere refused 4 train --resume environment.safetensors --quiet

# What is told can be given to a shell.
"$MLP_CL" train --epochs 1000000 --device reference --checkpoint "it's long.safetensors" --log long.jsonl >out 2>err &
pid=$!
wait_for_rows 2
kill -TERM $pid
wait $pid
says err "go on with: mlp_cl train --resume 'it'\\''s long.safetensors', and the same --log"

# Notes that are not from here: another program's is left alone; what is not known, or would write, is refused.
write_note() { # write_note JSON-WITH-QUOTES-ESCAPED
  write_model '"mlp_cl.run":"","mlp_cl.note":"'"$1"'"' >noted.safetensors
}
for note in 'my note' '[]' '{\"mlp_cl train\":3}' '{\"other\":{\"out\":\"x\"}}'; do
  write_note "$note"
  refused 1 train --resume noted.safetensors --device reference --quiet
  says err "noted.safetensors: the checkpoint's seal is missing"
done
for option in '\"out\":\"x\"' '\"plot\":\"x\"' '\"log\":\"x\"' '\"force\":true' '\"allow-inexact\":true' '\"resume\":\"x\"' \
  '\"checkpoint\":\"x\"' '\"nonsense\":\"\"' '\"lr\":0.5' '\"lr\":true' '\"no-bias\":\"\"' '\"\\u001b\":true'; do
  write_note "{\\\"mlp_cl train\\\":{$option}}"
  refused 1 train --resume noted.safetensors --device reference --quiet
  says err 'noted.safetensors says the option --'
  [ ! -e x ] || fail "$last: a checkpoint chose a file to write"
done
write_note '{\"mlp_cl train\":{\"lr\":\"fast\"}}'
refused 2 train --resume noted.safetensors --device reference --quiet
says err '--lr fast: expected'
