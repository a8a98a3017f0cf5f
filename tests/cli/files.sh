#!/bin/sh
# Data and model files that are missing, empty, cut short or lying, and outputs that cannot be written: exit status 1 (2 where
# the command line names the wrong thing), the file's name, and nothing on disk changed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

sh "$(dirname "$0")/tiny_data.sh" small
train="train --device reference --quiet --hidden 3 --epochs 1 --batch 4"
# shellcheck disable=SC2086 # $train is a list of words
{
  run 0 $train --data small --out small.safetensors
  cp small.safetensors kept

  # refuses_data NAME: the copy of the data set in the folder broken/ is refused by a line that names the file
  refuses_data() {
    refused 1 $train --data broken --out broken.safetensors
    says err "$1"
    [ ! -e broken.safetensors ] || fail "$last: wrote a model"
    rm -rf broken
    cp -r small broken
  }
  cp -r small broken
  rm broken/train-labels-idx1-ubyte
  refuses_data train-labels
  : >broken/train-images-idx3-ubyte
  refuses_data train-images
  head -c 20 small/train-images-idx3-ubyte >broken/train-images-idx3-ubyte
  refuses_data train-images
  head -c 10 small/train-images-idx3-ubyte >broken/train-images-idx3-ubyte
  refuses_data train-images
  printf 'not IDX at all, but long enough to be a file' >broken/train-images-idx3-ubyte
  refuses_data train-images
  printf '\000\000\010\003\377\377\377\377\377\377\377\377\377\377\377\377' >broken/train-images-idx3-ubyte
  refuses_data train-images
  printf '\000\000\010\001\000\000\000\007\000\001\000\001\000\001\000' >broken/train-labels-idx1-ubyte
  refuses_data train-labels
  rm broken/train-images-idx3-ubyte
  gzip -c small/train-images-idx3-ubyte | head -c 30 >broken/train-images-idx3-ubyte.gz
  refuses_data train-images

  refused 1 $train --data nowhere
  says err nowhere
  refused 2 $train --data -
  says err 'data are read more than once'

  # Outputs are checked before training.
  refused 1 $train --epochs 1000000 --data small --out nowhere/model.safetensors
  says err nowhere
  mkdir folder
  refused 2 $train --epochs 1000000 --data small --out folder
  says err folder
  refused 1 $train --epochs 1000000 --data small --out small.safetensors
  says err '--force'
  cmp -s small.safetensors kept || fail "the model was changed"
  run 0 $train --data small --out small.safetensors --force
  cmp -s small.safetensors kept || fail "the same run wrote other bytes"

  # What is read, or written for another option, is never overwritten, also not by another name of it.
  {
    echo a,b,class
    for i in $(seq 20); do echo "$i,$((i * i)),$((i % 2))"; done
  } >table.csv
  cp table.csv kept.csv
  ln -s table.csv link.csv
  for output in "--out table.csv" "--checkpoint ./table.csv" "--plot link.csv" "--profile $PWD/table.csv"; do
    refused 2 $train --data table.csv --force $output
    says err "--data, too"
    cmp -s table.csv kept.csv || fail "$last: the data were changed"
  done
  refused 2 $train --data small --out new.safetensors --checkpoint ./new.safetensors
  says err "--out new.safetensors is the file of --checkpoint"
  [ ! -e new.safetensors ] || fail "$last: wrote a model"
  refused 2 evaluate small.safetensors --data small --device reference --force --plot ./small.safetensors
  says err "the file that is read"
  cmp -s small.safetensors kept || fail "the model was changed"
}

# refuses_model FILE [TEXT]
refuses_model() {
  for command in evaluate predict; do
    refused 1 $command "$1" --data small --device reference --quiet
    says err "${2:-$1}"
  done
}
refuses_model nowhere.safetensors
refuses_model folder
: >empty
refuses_model empty
head -c 100 kept >beginning
refuses_model beginning
size=$(wc -c <kept)
head -c "$((size - 1))" kept >short
refuses_model short
{ cat kept && printf x; } >long
refuses_model long
printf '\377\377\377\377\377\377\377\177{}' >lying
refuses_model lying
printf 'PK\003\004 something else entirely' >other
refuses_model other

# A model for other data says both sizes.
refused 1 evaluate small.safetensors --data digits --device reference --quiet
says err 64
says err 'takes 4 values'

# One IDX file: predict needs no labels, evaluate does, and finds those beside it.
run 0 predict small.safetensors --data small/t10k-images-idx3-ubyte --device reference --quiet
same "$(wc -l <out)" 9
run 0 evaluate small.safetensors --data small/t10k-images-idx3-ubyte --device reference --quiet
cp small/t10k-images-idx3-ubyte alone
refused 2 evaluate small.safetensors --data alone --device reference --quiet
run 0 evaluate small.safetensors --data small/t10k-images-idx3-ubyte --labels small/t10k-labels-idx1-ubyte \
  --device reference --quiet
says out accuracy

# A full disk must not look like success.
if [ -w /dev/full ]; then
  "$MLP_CL" predict small.safetensors --data small --device reference --quiet >/dev/full 2>err
  same $? 1
fi

# Arrays are taken as they are: what would be without effect is refused, and what will hardly train is told.
# array NAME DESCR SHAPE, and bytes on standard input.
array() {
  header=$(printf "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" "$2" "$3")
  printf '\223NUMPY\001\000\166\000%-117s\n' "$header" >"$1"
  cat >>"$1"
}
i=0
while [ $i -lt 64 ]; do
  printf '%b' "\\0$(printf %o $((i * 2)))" >>bytes # two columns, and their sum in steps of 1000
  printf '%b' "\\0$(printf %o $((i * 37 % 64)))" >>bytes
  printf '%b\000\000' "\\0$(printf %o $(((i * 2 + i * 37 % 64) % 256)))\\0003" >>sums
  printf '\005' >>fives
  printf '%b' "\\0$((1 + i % 2))" >>from_one
  i=$((i + 1))
done
array x.npy '|u1' '(64, 2)' <bytes
array y.npy '<i4' '(64,)' <sums
array fives.npy '|u1' '(64,)' <fives
array from_one.npy '|u1' '(64,)' <from_one
mkfifo pipe
refused 1 train --data x.npy --labels pipe --task regression --device reference --quiet
says err 'pipe: is not a regular file'
refused 2 train --data x.npy --labels y.npy --task regression --one-hot all --device reference --quiet
says err '--one-hot is for tables, and x.npy is none'
refused 2 train --scale standard --device reference --quiet
says err 'digits is scaled as it is'
refused 2 train --label species --device reference --quiet
says err '--label is for tables, and digits is none'
run 0 train --data x.npy --labels from_one.npy --epochs 1 --device reference
says err '3 classes: 0 0, 1 32, 2 32'
says err 'warning: 1 of the 3 classes have no row; labels are taken as numbers from 0'
run 0 train --data x.npy --labels y.npy --task regression --epochs 1 --device reference
says err 'warning: the numbers to learn are around 863 in size'
says err '--scale standard brings them to around 1'

# Scaled, they learn; the model knows how, and takes arrays and tables alike.
run 0 train --data x.npy --labels y.npy --task regression --scale standard --device reference --out scaled.safetensors --json
at_least "$(get test_accuracy)" 0.9
if grep -q warning err; then fail "$last: a warning"; fi
run 0 evaluate scaled.safetensors --data x.npy --labels y.npy --device reference --json
at_least "$(get r2)" 0.9
run 0 predict scaled.safetensors x.npy --device reference --quiet
head -n 3 out >of_array
cp out all_of_array
printf '0,0\n2,37\n' >rows.csv
run 0 predict scaled.safetensors rows.csv --device reference --quiet
cmp -s out of_array || fail "$last: not what is predicted of the array"
run 0 evaluate scaled.safetensors --data x.npy --labels y.npy --part test --device reference --json
at_least "$(get r2)" 0.9
same "$(get part)" test
rows=$(get rows)
run 0 predict scaled.safetensors x.npy --labels y.npy --part test --device reference --quiet
grep -qvFxf all_of_array out && fail "$last: answers that are not those of all rows"
same "$(wc -l <out)" $((rows + 1))
[ "$rows" -lt "$(($(wc -l <all_of_array) - 1))" ] || fail "$last: all rows are no part"
refused 1 predict scaled.safetensors x.npy --part test --device reference --quiet
says err 'x.npy has no labels, by which its parts were drawn: name them with --labels'
# What a training held out of a source that has a test part by itself takes that one's place.
run 0 train --data digits --holdout 0.3 --epochs 2 --device reference --out digits.safetensors --json
judged=$(get test_accuracy)
for part in '' '--part test'; do
  # shellcheck disable=SC2086 # no word, or two
  run 0 evaluate digits.safetensors $part --device reference --json
  same "$(get accuracy)" "$judged"
  same "$(get part)" test
done
# Rows of another source are refused where a part is named; else its own test part is taken.
run 0 train --data small --holdout 0.3 --epochs 1 --device reference --out drawn.safetensors --quiet
run 0 evaluate drawn.safetensors --data small --part train --device reference --quiet
cp -r small others
printf 'x' | dd of=others/train-images-idx3-ubyte bs=1 seek=20 conv=notrunc 2>/dev/null
for part in train test; do
  refused 1 evaluate drawn.safetensors --data others --part $part --device reference --quiet
  says err 'others: these are not the rows of the training in their order'
done
run 0 evaluate drawn.safetensors --data others --device reference --json
same "$(get part)" test
refused 2 evaluate scaled.safetensors --data digits --device reference --quiet
says err 'digits tells classes; numbers to learn come from'
refused 1 predict scaled.safetensors fives.npy --device reference --quiet
says err 'fives.npy: has 1 values a row, but the training had 2'
refused 1 train --data x.npy --labels fives.npy --device reference --quiet
says err 'every row has the label 5: one class alone teaches nothing'
