#!/bin/sh
# Help, version, mistyped commands and options, values out of range: exit status 2 and a line that helps.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 --version
says out 'mlp_cl 1.'
run 0 --help
silent err
for command in train evaluate predict validate devices; do says out "  $command "; done
for command in train evaluate predict validate devices; do
  run 0 "$command" --help
  silent err
  says out "mlp_cl $command:"
  says out 'Examples:'
  says out '--device'
done

suggests() { # suggests WORD ARGUMENT…
  word=$1
  shift
  refused 2 "$@"
  says err "did you mean $word"
}
suggests "'train'" trian
suggests "'train'" --device 0 trian
suggests "'devices'" device
suggests "'validate'" vaildate --quick
suggests '--epochs?' --epoch 3
suggests '--epochs?' train --epcohs=3
suggests '--momentum?' train --momentun 0.5
suggests '--part?' predict model --prat test
run 0 help
says out 'Commands:'
run 0 help train
says out 'mlp_cl train:'
run 0 version
says out 'mlp_cl 1.'
: >people.csv
refused 2 people.csv
says err 'mlp_cl train --data people.csv'
run 0 train --device reference --hidden none --epochs 1 --warmup 0 --patience 0 --quiet
refused 2 train --device reference --lr 1e-50
refused 2 train --device reference --warmup 20 --epochs 10
refused 2 train people.csv
says err 'did you mean --data people.csv?'
refused 2 xyzzyx
says err "unknown command 'xyzzyx'"
refused 2 train --xyzzyx
says err "unknown option '--xyzzyx'"
refused 2 train surplus
says err "'surplus'"
refused 2 train --epochs
says err '--epochs needs a value'
refused 2 train --force=yes
says err 'takes no value'
refused 2 evaluate
says err 'which model?'

rejects() { # rejects OPTION VALUE…: the line names both and says what is expected
  option=$1
  shift
  for value; do
    refused 2 train --device reference "$option" "$value"
    says err "$option $value: expected "
  done
}
rejects --dropout 1 1.0 -0.1 nan inf 0.5x '' ' 0.5' 1e999
rejects --lr nan -1 inf 0,1 1e-30 two
rejects --momentum 1 -0.5 nan
rejects --weight-decay -1 2 nan
rejects --batch 0 -1 1.5 '' 99999999999999999999999 4294967296 +1 ' 1'
rejects --epochs 0 -3 x 18446744073709551617
rejects --seed -1 18446744073709551616 0x10
rejects --hidden 0 5,,3 5, ,5 -4 64x '' 99999999999
rejects --init glorot
rejects --reduction max
rejects --holdout 1.5 1 -1 nan
refused 2 train --nesterov --momentum 0
says err '--nesterov needs a momentum'
refused 2 train --optimiser adam --momentum 0.5
says err '--momentum and --nesterov go with --optimiser sgd'
refused 2 train --unscaled-dropout
says err '--unscaled-dropout needs a dropout'
refused 2 train --decay-epochs 3
says err 'go with --schedule step'

# Errors are JSON too where JSON was asked for; a hostile word cannot reach the terminal as it is.
run 2 --json train --lr nan
same "$(get error.status)" BAD_ARGUMENT
same "$(get schema)" 1
says out '--lr nan'
run 2 "$(printf 'a\033[31mb')"
if grep -q "$(printf '\033')" err; then fail "an escape sequence reached the terminal"; fi
