#!/bin/sh
# The manual pages and the completion of bash know every command, and every option that --help knows.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
share=$(cd "$(dirname "$0")/../../share" && pwd) || exit 1

sh "$share/manual.sh" "$share/mlp_cl.1.in" "$MLP_CL" pages || fail "the manual pages could not be made"
if grep -n '@[A-Z]*@' pages/*; then fail "a place in the manual was not filled"; fi

cat >complete.bash <<'END'
. "$1"
shift
program=$1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mlp_cl "$program"
printf '%s\n' "${COMPREPLY[@]}"
END
completes() { bash complete.bash "$share/completion/mlp_cl.bash" "$MLP_CL" "$@"; }

"$MLP_CL" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >commands
[ "$(wc -l <commands)" -gt 4 ] || fail "--help lists few commands"
completes '' | sort >completed
sort commands | diff - completed || fail "completion knows other commands"

while read -r command; do
  run 0 "$command" --help
  grep -qxF ".BR mlp_cl\\-$command (1)" pages/mlp_cl.1 || fail "the manual page lacks $command"
  page=pages/mlp_cl-$command.1
  grep -qxF "$(head -n 1 out | sed 's/^[^:]*: //; s/-/\\-/g; s/^/mlp_cl\\-'"$command"' \\- /')" "$page" || fail "$page has no name"
  # Other than the page and the completion do it: every word that begins with two dashes.
  sed '/^Examples:/,$d' out | tr -s ' =,' '\n' | grep '^--[a-z]' | sort -u >options
  [ -s options ] || fail "$command --help shows no option"
  completes "$command" -- | sort >completed
  diff options completed || fail "completion knows other options of $command"
  while read -r option; do
    grep -qF "\\fB$(echo "$option" | sed 's/-/\\-/g')\\fR" "$page" || fail "$page lacks $option"
  done <options
done <commands

# Values: the words that the help of an option lists are taken by the command; it then fails for want of the device.
run 0 train --help
tr ' ' '\n' <out | sed -n 's/^\(--[a-z-]*\)=NAME$/\1/p' >named
[ -s named ] || fail "no option of train takes a NAME"
printf '1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n' >table.csv
while read -r option; do
  completes train "$option" '' >values
  [ "$(wc -l <values)" -gt 1 ] || fail "completion knows no values of $option: its help lists them as 'TEXT: one, two or three'"
  while read -r value; do refused 4 train --data table.csv --quiet --device nowhere "$option" "$value"; done <values
done <named
[ "$(completes train --data = dig)" = digits ] || fail "--data=dig is not completed"
[ "$(completes train --device re)" = reference ] || fail "--device re is not completed"
: >model.safetensors
[ "$(completes inspect mod)" = model.safetensors ] || fail "a file is not completed"
