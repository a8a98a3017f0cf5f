#!/bin/sh
# Many small steps on OpenCL, with checkpoints: memory and the work a step takes are at the end what they were after a
# quarter. soak.sh STEPS; environment: MLP_CL, TEST_FOLDER. Prints both.
set -u
: "${MLP_CL:?the binary under test}" "${TEST_FOLDER:?}"
steps=${1:-1000000}
epoch_steps=1439 # of the digits at batch 1, the fifth that is held out apart
epochs=$(((steps + epoch_steps - 1) / epoch_steps))
rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER"
cd "$TEST_FOLDER" || exit 1

fail() {
  echo "soak.sh: $*" >&2
  exit 1
}

: >out # for the first look at it
"$MLP_CL" train --device 0 --hidden 16 --batch 1 --lr 0.001 --epochs "$epochs" --quiet --checkpoint run.safetensors \
  --checkpoint-every 2s >out 2>err &
pid=$!

# sample NAME EPOCHS: waits for so many rows of the table, then sets NAME_rss (kB), NAME_cpu (ticks) and NAME_rows.
sample() {
  until [ "$(wc -l <out)" -gt "$2" ]; do
    kill -0 $pid 2>/dev/null || fail "ended early: $(tail -n 1 err)"
    sleep 0.05
  done
  rss=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)
  cpu=$(awk '{ print $14 + $15 }' /proc/$pid/stat)
  rows=$(wc -l <out)
}

sample quarter $((epochs / 4))
quarter_rss=$rss quarter_cpu=$cpu quarter_rows=$rows
sample half $((epochs / 2))
early=$(((cpu - quarter_cpu) * 10000000 / (rows - quarter_rows) / epoch_steps))
sample three $((epochs * 3 / 4))
three_cpu=$cpu three_rows=$rows
sample last $((epochs * 97 / 100))
late=$(((cpu - three_cpu) * 10000000 / (rows - three_rows) / epoch_steps))
last_rss=$rss
wait $pid || fail "exit status $?: $(tail -n 1 err)"
echo "$((epochs * epoch_steps)) steps: memory $quarter_rss kB after a quarter, $last_rss kB at the end; CPU time of a step" \
  "$early ns in the second quarter, $late ns in the last"
# The picture at the end wants a point of each epoch: 40 bytes, with room for as many again.
[ $((last_rss - quarter_rss)) -le $((2048 + epochs / 12)) ] || fail "memory grows"
[ "$late" -le $((early * 5 / 4 + 1)) ] || fail "steps become slower"
