#!/bin/sh
# Signals stop a run promptly with 128 and their number, in whatever phase it is, and leave nothing behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

endless="train --device $device --hidden 64 --epochs 1000000 --out model.safetensors"

nothing_left() {
  for file in model.safetensors* .model*; do
    [ ! -e "$file" ] || fail "$last: $file was left behind"
  done
}

# In the midst of training; then at most 20 seconds to end (on a machine that does other work, too). Before that an alarm,
# which a process finds when it goes on after a Ctrl-Z that was longer than the watchdog waits.
last='SIGTERM while training'
# shellcheck disable=SC2086 # a list of words
"$MLP_CL" $endless >out 2>err &
pid=$!
wait_for_rows 3
if [ "$device" != reference ]; then
  kill -ALRM $pid
  wait_for_rows $(($(wc -l <out) + 3))
fi
kill -TERM $pid
before=$(date +%s)
wait $pid
same $? 143
[ $(($(date +%s) - before)) -le 20 ] || fail "$last: took too long"
says err 'stopped on request'
nothing_left

# The terminal is gone, the processor's time is up, or nobody reads the table any more: what was asked to be kept is.
for both in HUP:129 XCPU:152; do
  signal=${both%:*}
  last="SIG$signal while training"
  : >out
  # shellcheck disable=SC2086
  "$MLP_CL" $endless --checkpoint "$signal.checkpoint" >out 2>err &
  pid=$!
  wait_for_rows 1
  kill "-$signal" $pid
  wait $pid
  same $? "${both#*:}"
  says err "$signal.checkpoint holds step"
done
last='SIGPIPE while training'
# shellcheck disable=SC2086
{ "$MLP_CL" $endless --checkpoint pipe.checkpoint 2>err; echo $? >status; } | head -n 2 >out
same "$(cat status)" 141
says err 'pipe.checkpoint holds step'
nothing_left

# What is not ours ends the process, whatever a driver made of it.
last='SIGUSR1 while training'
# shellcheck disable=SC2086
"$MLP_CL" $endless >out 2>err &
pid=$!
wait_for_rows 3
kill -USR1 $pid
wait $pid
same $? 138

# At some other moment, perhaps while kernels are built.
for wait in 0.05 0.5 2; do
  last="SIGINT after $wait seconds"
  # shellcheck disable=SC2086
  timeout --foreground --preserve-status -s INT -k 20 $wait "$MLP_CL" $endless >out 2>err
  same $? 130
  nothing_left
done
says err 'stopped on request'

# With --json the failure is the one object.
last='SIGINT with --json'
# shellcheck disable=SC2086
timeout --foreground --preserve-status -s INT -k 20 2 "$MLP_CL" $endless --json >out 2>err
same $? 130
same "$(get error.status)" CANCELLED
