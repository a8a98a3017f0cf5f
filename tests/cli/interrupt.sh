#!/bin/sh
# SIGINT and SIGTERM stop a long run promptly with 130 and 143, and leave nothing behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# stops SIGNAL STATUS: sends the signal to a run of hours after two seconds; a third of a minute later it is killed.
stops() {
  last="SIG$1"
  timeout --preserve-status -s "$1" -k 20 2 "$MLP_CL" train --device "$device" --hidden 64 --epochs 1000000 \
    --out model.safetensors >out 2>err
  same $? "$2"
  says err 'stopped on request'
  says out 'epoch'
  for file in model.safetensors* .model*; do
    [ ! -e "$file" ] || fail "$file was left behind"
  done
}
stops INT 130
stops TERM 143

# With --json the failure is the one object.
timeout --preserve-status -s INT -k 20 2 "$MLP_CL" train --device "$device" --epochs 1000000 --json >out 2>err
same $? 130
last='train --json'
same "$(get error.status)" CANCELLED
