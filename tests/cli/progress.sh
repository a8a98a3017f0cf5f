#!/bin/sh
# The progress line on terminals of several widths, without colours, and where there is no terminal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# on_terminal COLUMNS VARIABLE=VALUE…: what a person sees of a run, its line breaks as they are, in out
on_terminal() {
  columns=$1
  shift
  last="train on a terminal of $columns columns, $*"
  env "$@" script -qec "stty cols $columns rows 9; '$MLP_CL' train --device reference --epochs 40 --hidden 9" /dev/null \
    >out </dev/null || fail "$last: did not succeed"
}

escape=$(printf '\033')
# The states of the line, one each, without the sequences that erase and colour.
states() {
  tr '\r' '\n' <out | sed -e "s/$escape\[[0-9;]*[Km]//g" | grep '^epoch [0-9]'
}
longest() {
  states | awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }'
}

on_terminal 80 TERM=xterm
states | grep -q '^epoch [0-9]*/40 .* [0-9]* %  loss [0-9.]*  0:00 left' || fail "$last: no whole line"
grep -q "$escape\[32m" out || fail "$last: no colour"
at_least 79 "$(longest)"
on_terminal 80 TERM=xterm NO_COLOR=1
if grep -q "$escape\[[0-9;]*m" out; then fail "$last: colours"; fi
states | grep -q '\[=*>*\.*\]' || fail "$last: no bar"
for columns in 60 30 12 5 2 1; do
  on_terminal $columns TERM=xterm
  at_least "$((columns > 1 ? columns - 1 : 1))" "$(longest)"
done
on_terminal 80 TERM=dumb
if states | grep -q .; then fail "$last: a line on a terminal that cannot erase it"; fi
run 0 train --device reference --epochs 40 --hidden 9
if grep -q "$escape" out err; then fail "$last: escape sequences where there is no terminal"; fi
