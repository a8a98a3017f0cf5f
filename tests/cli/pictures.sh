#!/bin/sh
# Logs and pictures of runs: each line is JSON, each picture is XML, and what exists is not overwritten.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

picture() { # picture FILE TEXT…: a well-formed file that contains each TEXT
  [ -s "$1" ] || fail "$last: there is no picture $1"
  xmllint --noout "$1" || fail "$last: $1 is not well-formed"
  file=$1
  shift
  for text; do grep -qF -- "$text" "$file" || fail "$last: '$text' is not in $file"; done
}

# line NUMBER PATH: a value of one line of the log
line() {
  sed -n "$1p" run.jsonl | "$JSON_GET" "$2" || fail "$last: line $1 has no '$2'"
}

run 0 train --device reference --epochs 3 --hidden 5 --log run.jsonl --plot run.svg --json --quiet
sha256=$(get weights_sha256)
same "$(wc -l <run.jsonl)" 5
same "$(line 1 event)" start
same "$(line 1 layers.1)" 5
same "$(line 1 options.epochs)" 3
same "$(line 2 event)" epoch
same "$(line 4 epoch)" 3
at_least "$(line 2 train_loss)" "$(line 4 train_loss)"
same "$(line 5 status)" OK
same "$(line 5 weights_sha256)" "$sha256"
picture run.svg 'digits: 64 - 5 - 10' 'held out' '>accuracy<' '>loss' '>epoch<' prefers-color-scheme
run 0 plot run.jsonl --out first.svg
run 0 plot run.jsonl --out second.svg
cmp -s first.svg second.svg || fail "$last: the same log gave another picture"

# --log-every: the loss of every tenth step, too, as lines and as a curve.
run 0 train --device reference --epochs 2 --log steps.jsonl --log-every 10 --plot steps.svg --quiet
same "$(grep -c '"event":"step"' steps.jsonl)" 9
picture steps.svg faded
refused 2 train --device reference --log-every 10
refused 2 train --device reference --log-every 0 --log x.jsonl

# The result of --json is as good as a log, and names are escaped.
run 0 train --device reference --epochs 2 --json --quiet
name=$(printf 'a<b>&\001\377.json')
cp out "$name"
run 0 plot run.jsonl "$name" --out both.svg --json --quiet
same "$(get runs.1.epochs)" 2
picture both.svg '2 runs' 'run.jsonl' 'a&lt;b&gt;&amp;'

# A log is appended to a log; a cut line is ended, and left out by plot.
printf '{"event":"epo' >>run.jsonl
run 0 train --device reference --epochs 1 --log run.jsonl --quiet
same "$(wc -l <run.jsonl)" 9
run 0 plot run.jsonl --out again.svg
says err 'line 6 is not whole'
echo precious >other
refused 1 train --device reference --epochs 1 --log other
says err 'holds something else'
same "$(cat other)" precious
refused 1 train --device reference --log nowhere/run.jsonl
refused 1 train --device reference --log .
refused 2 train --device reference --log same --plot same
says err 'is the file of --plot, too'
refused 1 train --device reference --plot run.svg
says err --force
if [ -w /dev/full ]; then refused 2 train --device reference --log /dev/full; fi

# Numbers to learn have R² where classes have accuracy, in the run's own picture and from its log.
i=0
while [ $i -lt 20 ]; do
  echo "$i,$((i % 3)),$((2 * i))"
  i=$((i + 1))
done >numbers.csv
run 0 train --data numbers.csv --task regression --device reference --epochs 2 --log numbers.jsonl --plot numbers.svg --quiet
picture numbers.svg '>R²<'
run 0 train --data numbers.csv --task regression --device reference --epochs 2 --json --quiet
cp out numbers.json
run 0 plot numbers.jsonl numbers.json --out again_numbers.svg
picture again_numbers.svg '>R²<'

# The longest names that a folder takes.
longest=$(printf '%0251d' 0).svg
run 0 train --device reference --epochs 1 --hidden none --plot "$longest" --quiet
picture "$longest" '>loss'

# What is measured after each epoch goes by its own name, and is drawn from a log as from a result.
run 0 train --data numbers.csv --validation 0.25 --task regression --device reference --epochs 2 --log judged.jsonl \
  --plot judged.svg --json --quiet
at_least "$(sed -n 2p judged.jsonl | "$JSON_GET" validation_loss)" 0
cp out judged.json
for held_out in judged.jsonl judged.json; do
  run 0 plot $held_out --out drawn_$held_out.svg
  picture drawn_$held_out.svg 'held out'
done

# Very large and very small losses: the labels stay short, and the columns of the table under their headings.
for loss in 1e12,'loss (×1e12)' 1e-12,'loss (×1e-12)'; do
  printf '{"event":"epoch","epoch":1,"train_loss":%s,"train_accuracy":0}\n' "${loss%,*}" >extreme.jsonl
  run 0 plot extreme.jsonl --out extreme.svg --force
  picture extreme.svg "${loss#*,}"
done
sed 's/$/e6/' numbers.csv >large.csv
run 0 train --data large.csv --task regression --scale none --optimiser adam --device reference --epochs 1 --quiet
same "$(sed -n '2{s/[^ ]/x/g;p;}' out | wc -c)" "$(sed -n '1p' out | wc -c)"
says out 'e+1'

# A run that diverges is told and drawn, and its failure is the one object.
run 5 train --device reference --lr 1e9 --weight-decay 1 --log bad.jsonl --plot bad.svg --json --quiet
same "$(get error.status)" DIVERGED
tail -n 1 bad.jsonl >out
same "$(get status)" DIVERGED
picture bad.svg diverged

refused 2 plot
refused 2 plot run.jsonl
refused 1 plot nowhere.jsonl --out x.svg
refused 1 plot other --out x.svg
says err 'no JSON object'
: >empty
refused 1 plot empty --out x.svg
says err 'tells of no epoch'
refused 1 plot run.jsonl --out run.svg
[ ! -e x.svg ] || fail "$last: a picture of nothing"

run 0 train --device reference --epochs 1 --out model.safetensors --quiet
run 0 evaluate model.safetensors --device reference --plot confusion.svg --quiet
picture confusion.svg 'accuracy 0.' predicted label '9 as 9: '
refused 1 evaluate model.safetensors --device reference --plot confusion.svg --quiet
says err --force
