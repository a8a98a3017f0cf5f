#!/bin/sh
# A person's own table, from a CSV to predictions: columns by name, classes by name, rows through pipes, and what is said
# when they do not fit.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# 120 people: tall smiths of blue eyes live in Bonn, the others in Köln.
{
  echo 'size;eyes;"the job";city'
  i=0
  while [ $i -lt 120 ]; do
    if [ $((i % 2)) = 0 ]; then echo "1.$((70 + i % 19));blue;smith;Bonn"; else echo "1.$((50 + i % 13));brown;clerk;Köln"; fi
    i=$((i + 1))
  done
} >people.csv

refused 1 train --data people.csv --device reference
says err 'line 2, column 2 ("eyes"): "blue" is not a number; --label learns the column, --one-hot'
refused 2 train --data people.csv --device reference --label town
says err 'the 4 columns are: size, eyes, the job, city'
refused 2 train --data people.csv --device reference --scale wide
refused 2 train --data people.csv --holdout 0.5 --test people.csv
says err '--holdout and --test'

run 0 train --data people.csv --one-hot all --device reference --out people.safetensors --epochs 5
says err '96 rows to train, 24 to test, 5 inputs; the first line names the columns'
says err '2 classes: Bonn 60, Köln 60'
run 0 evaluate people.safetensors --data people.csv --device reference --json
same "$(get accuracy)" 1.0
same "$(get classes.1)" Köln
same "$(get confusion.1.1)" 60

run 0 inspect people.safetensors
says out 'eyes'
says out 'one-hot of 2 values'
run 0 inspect people.safetensors --json
same "$(get table.columns.1.values.0)" blue

# A part to decide on is none to be judged by.
run 0 train --data people.csv --one-hot all --device reference --validation 0.25 --patience 3 --epochs 20 --json
says err '72 rows to train, 24 to validate, 24 to test'
same "$(get test_accuracy)" 1.0
at_least "$(get validation_accuracy)" 0.9
at_least "$(get epochs.0.validation_loss)" 0
run 0 train --data people.csv --one-hot all --device reference --validation 0.25 --epochs 2 --quiet
says out 'valid loss'
says out 'on the part that decides'

# In any order, without the label, from a file, compressed, or through a pipe; a test file instead of a part held out.
printf 'eyes,the job,size\nbrown,clerk,1.51\nblue,smith,1.83\n' >new.csv
gzip -k new.csv
run 0 predict people.safetensors new.csv --device reference --quiet
silent err
same "$(cut -d, -f1,2 out | tr '\n' ' ')" 'row,class 0,Köln 1,Bonn '
cp out wanted
for source in new.csv new.csv.gz; do
  run 0 predict people.safetensors --data $source --device reference --quiet
  cmp -s out wanted || fail "$last: other predictions"
  "$MLP_CL" predict people.safetensors --device reference --quiet <$source >out 2>err || fail "predict < $source"
  cmp -s out wanted || fail "predict < $source: other predictions"
done
echo '1.83,blue,smith' | "$MLP_CL" predict people.safetensors - --device reference --quiet --format jsonl --all >out
same "$("$JSON_GET" class <out)" Bonn
at_least "$("$JSON_GET" probabilities.Bonn <out)" 0.6
run 0 train --data people.csv --test people.csv --one-hot eyes,3 --device reference --epochs 1
says err '120 rows to train, 120 to test'

# A row through a pipe is answered before the next one is there.
mkfifo to from
"$MLP_CL" predict people.safetensors - --device reference --quiet <to >from &
exec 5>to 6<from
echo '1.83,blue,smith' >&5
read -r heading <&6
read -r first <&6
same "$heading" row,class,probability
same "${first%,*}" 0,Bonn
echo '1.51,brown,clerk' >&5
read -r second <&6
same "${second%,*}" 1,Köln
printf '1.51,brown,clerk\r\n' >&5
read -r third <&6
same "${third%,*}" 2,Köln
printf '1.83,blue,smith\r\n' >&5
read -r fourth <&6
same "${fourth%,*}" 3,Bonn
exec 5>&- 6<&-
wait

refused 1 predict people.safetensors nowhere.csv --device reference --quiet
says err nowhere.csv
refused 2 predict people.safetensors new.csv --data new.csv
printf 'eye,the job,size\nbrown,clerk,1.51\n' >bad.csv
refused 1 predict people.safetensors bad.csv --device reference --quiet
says err 'has no column "eyes"; the model wants size, eyes, the job; the file has eye, the job, size'
printf 'eyes,the job,size\nbrown,clerk,1.51\ngreen,clerk,1.5\n' >bad.csv
run 1 predict people.safetensors bad.csv --device reference --quiet
says err 'line 3, column 1 ("eyes"): "green" is none of the values that the model knows: blue, brown'
same "$(wc -l <out)" 2
refused 1 evaluate people.safetensors --data new.csv --device reference --quiet
says err 'no column "city", which holds the labels'
refused 1 evaluate people.safetensors --data digits --device reference --quiet
says err 'digits: is an array, but the training was on a table'

# Probabilities as a NumPy array, which is read as data again: two columns where five are wanted.
run 0 predict people.safetensors new.csv --device reference --quiet --format npy
same "$(wc -c <out)" $((128 + 2 * 2 * 4))
cp out out.npy
last='predict --format npy >> FILE'
"$MLP_CL" predict people.safetensors new.csv --device reference --quiet --format npy >>out 2>err
same $? 2
says err 'needs a file of its own'
cmp -s out out.npy || fail "$last: something was written"
refused 1 predict people.safetensors out.npy --device reference --quiet
says err 'out.npy: is an array, but the training was on a table'
refused 1 evaluate people.safetensors --data out.npy --device reference --quiet
says err 'out.npy: is an array'
last='predict, and nobody reads'
{ sleep 0.5; "$MLP_CL" predict people.safetensors new.csv --device reference --quiet 2>err; echo $? >status; } | true
same "$(cat status)" 141
silent err
"$MLP_CL" predict people.safetensors new.csv --device reference --quiet --format npy 2>err | cat >out
silent out
says err 'needs a file'

# Numbers to learn: y = 3 a - b + 10, z = a. They come back in their own units.
i=0
echo a,b,z,y >numbers.csv
while [ $i -lt 200 ]; do
  a=$((i % 17)) b=$((i % 13))
  echo "$a,$b,$a,$((3 * a - b + 10))"
  i=$((i + 1))
done >>numbers.csv
regression="train --data numbers.csv --task regression --device reference --hidden 8 --lr 0.01"
# shellcheck disable=SC2086 # a list of words
{
  run 0 $regression --ignore z --out y.safetensors --quiet
  says out 'R2'
  run 0 $regression --label y,z --epochs 40 --out yz.safetensors --quiet
}
run 0 evaluate y.safetensors --data numbers.csv --device reference --json
at_least "$(get r2)" 0.98
at_least 2 "$(get rmse)"
echo 'b,a
3,4' | "$MLP_CL" predict y.safetensors --device reference --quiet >out
same "$(head -n 1 out)" row,y
at_least "$(sed -n 's/^0,//p' out)" 17
at_least 21 "$(sed -n 's/^0,//p' out)"
echo '16,0' | "$MLP_CL" predict yz.safetensors - --device reference --quiet --format jsonl >out
at_least "$("$JSON_GET" values.y <out)" 50
at_least "$("$JSON_GET" values.z <out)" 13
refused 1 train --data people.csv --task regression --one-hot all --device reference
says err '"Bonn" is not a number, but --task regression'
refused 2 train --task regression --device reference
says err 'digits tells classes'
refused 2 train --data numbers.csv --device reference --label y,z
says err 'a class is one'

# Each label yes or no.
awk -F, 'NR == 1 { print "a,b,big,odd" } NR > 1 { print $1 "," $2 "," ($1 > 8) "," ($2 > 6) }' numbers.csv >labels.csv
run 0 train --data labels.csv --task multi-label --label big,odd --device reference --out labels.safetensors --quiet
run 0 evaluate labels.safetensors --data labels.csv --device reference --json
at_least "$(get accuracy)" 0.95
at_least "$(get scores.1.f1)" 0.9
run 0 evaluate labels.safetensors --data labels.csv --device reference --quiet
says out '   1 odd '
refused 2 evaluate labels.safetensors --data labels.csv --device reference --quiet --plot labels.svg
says err 'labels.safetensors, a model for multi-label, has none'
echo '16,0' | "$MLP_CL" predict labels.safetensors - --device reference --quiet >out
same "$(head -n 1 out)" row,big,odd
at_least "$(sed -n 's/^0,\(.*\),.*/\1/p' out)" 0.5
refused 1 train --data numbers.csv --task regression --label y,z --init-from labels.safetensors --device reference --quiet
says err 'give --task multi-label'

# A dry run plans what the run would do: the reference reads rows in place, or 1 MiB of them at a time in two halves.
awk 'BEGIN { for (i = 0; i < 100000; i++) print i % 7 "," i % 5 "," i % 3 "," i % 11 "," i % 2 }' >many.csv
run 0 train --data many.csv --dry-run --device reference --json
same "$(get memory.fits)" true
whole=$(get memory.data_bytes)
run 0 train --data many.csv --dry-run --device reference --json --data-memory 1
same "$(get memory.data_bytes)" $((whole + 1024 * 1024))

# Rows that lie in a file instead of memory come to the same weights.
gzip -c people.csv >people.csv.gz
for data in 'people.csv.gz --one-hot all' digits; do
  for memory in 1000 0; do
    export MLP_CL_HOST_MEMORY=$memory
    # shellcheck disable=SC2086 # a source and its option
    run 0 train --data $data --holdout 0.3 --validation 0.2 --device reference --epochs 2 --json --quiet
    get weights_sha256 >sha256.$memory
  done
  cmp -s sha256.1000 sha256.0 || fail "$last: other weights from rows in a file"
done
run 0 evaluate people.safetensors --data people.csv --device reference --json
same "$(get accuracy)" 1.0
refused 1 predict people.safetensors people.safetensors --device reference --quiet
says err 'people.safetensors: is a safetensors file, a model or a checkpoint, and data are wanted'
refused 1 evaluate people.csv --data people.csv --device reference --quiet
says err 'no safetensors file'
refused 2 train --data people.csv --labels none.csv --device reference --quiet
says err 'people.csv has its labels within, in a column'
refused 2 evaluate people.safetensors --data people.csv --labels none.csv --device reference --quiet
says err 'leave --labels away'
# One bad row ends what it is in, or is passed over.
printf 'name,size,eyes,the job\na,1.83,blue,smith\nb,1.8x,blue,smith\nc,1.51,green,clerk\nd,1.51\ne,1.52,brown,clerk\n' >bad.csv
run 1 predict people.safetensors bad.csv --device reference --quiet
says err 'line 3, column 2 ("size"): "1.8x" is not a number'
run 0 predict people.safetensors bad.csv --skip-bad --id name --device reference --quiet
same "$(cut -d, -f1,2 out | tr '\n' '|')" 'name,class|a,Bonn|e,Köln|'
says err 'warning: no answer: bad.csv: line 3'
says err 'line 5: 2 fields, but the first line has 4'
run 0 predict people.safetensors bad.csv --skip-bad --device reference --quiet --json
same "$(get bad_rows)" 3
same "$(get predictions.1.row)" 4
{ cat bad.csv; for i in 1 2 3 4 5 6 7 8 9; do echo "$i,,,"; done; } >worse.csv
run 0 predict people.safetensors worse.csv --skip-bad --device reference --quiet
same "$(grep -c 'no answer: ' err)" 10
says err '12 rows have no answer'
refused 2 predict people.safetensors bad.csv --skip-bad --format npy --device reference --quiet
says err '--skip-bad goes with csv and jsonl'
printf 'name,size,eyes,the job\na,1.83,blue,smith\nb,"1.8' >torn.csv
run 1 predict people.safetensors torn.csv --skip-bad --device reference --quiet
says err 'torn.csv: line 3'

# Answers carry what they are known by.
printf 'name,size,eyes,the job\n"Ada, L.",1.83,blue,smith\n"B ""x""",1.51,brown,clerk\n' >named.csv
run 0 predict people.safetensors named.csv --id name,2 --device reference --quiet
same "$(cut -d, -f1-4 out | tr '\n' '|')" 'name,size,class,probability|"Ada, L.",1.83,Bonn|"B ""x""",1.51,Köln,'"$(sed -n 's/.*Köln,//p' out)|"
run 0 predict people.safetensors named.csv --id name --device reference --quiet --json
same "$(get predictions.1.id.name)" 'B "x"'
run 0 predict people.safetensors named.csv --id name --format jsonl --device reference --quiet
says out '{"row":1,"id":{"name":"B \"x\""},"class":"Köln"'
refused 2 predict people.safetensors named.csv --id nome --device reference --quiet
says err 'there is no column "nome" for --id; the 4 columns are: name, size, eyes, the job'
refused 2 predict people.safetensors named.csv --id name --format npy --device reference --quiet
says err '--id goes with csv and jsonl'
refused 2 predict people.safetensors named.csv --id name,1 --device reference --quiet
says err 'column "name" is given to --id twice'
refused 2 predict people.safetensors named.csv --id name, --device reference --quiet
says err 'an empty name in --id'
run 0 predict people.safetensors named.csv --id ' name, 2' --device reference --quiet
run 0 predict people.safetensors people.csv --id city --device reference --quiet
silent err

# What was held out can be had again, from the very rows of the training alone.
run 0 train --data people.csv --one-hot all --validation 0.25 --out divided.safetensors --epochs 2 --device reference --json \
  --checkpoint divided.checkpoint
judged=$(get epochs.1.validation_loss)
for model in divided.safetensors divided.checkpoint; do
  run 0 evaluate $model --data people.csv --part validation --device reference --json
  same "$(get loss)" "$judged"
  same "$(get part)" validation
done
run 0 inspect divided.safetensors --json
same "$(get split.validation)" 0.25
run 0 evaluate divided.safetensors --data people.csv --device reference --quiet
says err 'warning: the model was trained on most of the 120 rows of people.csv: --part test takes those held out'
run 0 evaluate divided.safetensors --data people.csv --part validation --device reference --quiet
says out 'rows        24, the validation part'
# Answers keep the numbers and texts of their rows.
run 0 predict divided.safetensors people.csv --device reference --quiet
cp out all
: >joined
for part in train validation test; do
  run 0 predict divided.safetensors people.csv --part $part --device reference --quiet
  grep -qvFxf all out && fail "$last: answers that are not those of all rows"
  tail -n +2 out >>joined
done
sort -n joined >parts
tail -n +2 all | cmp -s - parts || fail "the parts together are not all rows"
run 0 predict divided.safetensors people.csv --part test --id size --format jsonl --device reference --quiet
same "$(wc -l <out)" 24
refused 2 predict divided.safetensors - --part test --device reference --quiet <people.csv
says err 'standard input can be read but once'
refused 2 predict divided.safetensors people.csv --labels none.npy --device reference --quiet
says err '--labels goes with --part'
run 0 inspect divided.safetensors
says out 'a share of 0.2 to test, a share of 0.25 of the rest to validate, under seed 1'
sed '$d' people.csv > fewer.csv
run 0 evaluate divided.safetensors --data fewer.csv --device reference --quiet
silent err
refused 1 evaluate divided.safetensors --data fewer.csv --part test --device reference --quiet
says err 'fewer.csv: these are not the rows of the training in their order'
# In any row, of any part.
for line in 2 20 40 60 80 100 120; do
  sed "${line}s/1\./2./" people.csv >other.csv
  refused 1 evaluate divided.safetensors --data other.csv --part test --device reference --quiet
done
run 0 train --data people.csv --one-hot all --holdout 0 --out whole.safetensors --epochs 1 --device reference --quiet
refused 2 evaluate whole.safetensors --data people.csv --part test --device reference --quiet
says err 'people.csv has no test part, and whole.safetensors knows of none that was drawn for its training'
refused 2 evaluate whole.safetensors --data people.csv --part train --device reference --quiet
says err 'people.csv has no train part, and whole.safetensors knows of none'
refused 2 evaluate divided.safetensors --data people.csv --part tset --device reference --quiet
says err '--part tset: expected'
refused 2 train --labels none.idx --device reference --quiet
says err 'digits brings its own labels'
refused 2 train --data people.csv --task multi-label --class-weights balanced --device reference --quiet
says err '--class-weights goes with --task classification'
# A model of a table without a heading takes a first line of its own values as a row, and so does one with names.
awk 'BEGIN { OFS = ","; split("red green blue", colour, " "); for (i = 0; i < 60; i++) print colour[i % 3 + 1], "n" i % 2, i % 3 ? "yes" : "no" }' >words.csv
run 0 train --data words.csv --header no --one-hot all --epochs 1 --device reference --out words.safetensors
says err '5 inputs; the first line is a row'
printf 'blue,n1\nred,n0\n' >asked.csv
run 0 predict words.safetensors asked.csv --device reference
same "$(wc -l <out)" 3
run 0 evaluate words.safetensors --data words.csv --device reference --json
same "$(get rows)" 60
printf 'colour,number,answer\n' | cat - words.csv >named.csv
run 0 train --data named.csv --one-hot all --epochs 1 --device reference --out named.safetensors
run 0 predict named.safetensors asked.csv --device reference
same "$(wc -l <out)" 3
refused 1 predict named.safetensors people.csv --device reference --quiet
says err 'has no column "colour"'

# All rows to train: there is nothing to measure on.
run 0 train --data words.csv --header no --one-hot all --epochs 2 --holdout 0 --device reference --json
says err '60 rows to train, 0 to test'
same "$(get test_accuracy)" null
run 0 train --data words.csv --header no --one-hot all --epochs 2 --holdout 0.0 --device reference --checkpoint all.checkpoint
says out ' -  '
run 0 train --resume all.checkpoint --device reference
refused 2 train --data words.csv --header no --one-hot all --holdout 0 --patience 2 --device reference --quiet
refused 2 train --data words.csv --header no --one-hot all --holdout 1 --device reference --quiet

# Ids are no inputs, and what never changes is nothing to learn: told, also when quiet.
awk '{ print NR "x," $0 }' words.csv >ids.csv
run 0 train --data ids.csv --header no --one-hot all --epochs 1 --device reference --quiet
says err 'warning: column "1" has 60 values in 48 rows and becomes as many inputs'
awk -F, '{ print NR "," 5 }' words.csv >same.csv
run 0 train --data same.csv --task regression --epochs 1 --device reference --quiet
says err 'warning: what is to be learned has one value in all rows to train'
refused 2 evaluate words.safetensors --device reference --quiet
says err 'words.safetensors was trained on columns of its own: name such data with --data FILE'
run 2 predict words.safetensors asked.csv --device reference --json --format jsonl
refused 1 train --data words.safetensors --device reference --quiet
says err 'is a safetensors file, a model or a checkpoint'
mkfifo pipe
refused 1 train --data pipe --device reference --quiet
says err 'pipe: is not a regular file'
refused 1 predict people.safetensors pipe --device reference --quiet
says err 'pipe: is not a regular file'
export TMPDIR=/nowhere
refused 1 train --data people.csv --one-hot all --device reference --quiet
says err '/nowhere; name a folder that has room in TMPDIR'

unset MLP_CL_HOST_MEMORY TMPDIR

# A model of numbers tells of its targets; weights are not given to other columns than their own.
awk 'BEGIN { OFS = ","; print "size", "age", "price"; for (i = 0; i < 60; i++) print i % 7, i * 3 % 11, 100000 + 5000 * (i % 7) }' >homes.csv
awk -F, '{ print $2 "," $1 "," $3 }' homes.csv >turned.csv
run 0 train --data homes.csv --task regression --epochs 3 --device reference --out homes.safetensors
run 0 inspect homes.safetensors
says out 'targets     1: price'
run 0 inspect homes.safetensors --json
same "$(get classes.0)" price
refused 1 train --data turned.csv --task regression --init-from homes.safetensors --device reference --quiet
says err "column 1 of the table is not the 'size' that homes.safetensors was trained on"
head -n 30 homes.csv >fewer.csv
run 0 train --data fewer.csv --task regression --init-from homes.safetensors --epochs 1 --device reference
says err 'the columns are scaled anew'
says err 'the network is not kept: --out FILE would write it'
refused 2 train --data homes.csv --task regression --hidden none --dropout 0.2 --device reference --quiet
says err '--hidden none has none'
