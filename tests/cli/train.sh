#!/bin/sh
# The main job on the built-in digits: accuracy, the receipt, the model file, and that stdout has results alone.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# A slow device takes fewer epochs.
epochs=20 least=0.96 shorter=
if [ -n "${MLP_CL_TEST_SMALL:-}" ]; then epochs=2 least=0.8 shorter='--epochs 2'; fi

# shellcheck disable=SC2086 # no word, or two
run 0 --device "$device" $shorter
says out identical
says out sha256
says out seconds
says err 'device'
row='^ +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$'
at_least "$(grep -cE "$row" out)" 2

run 0 train --epochs $epochs --device "$device" --out model.safetensors --json --verify --quiet
silent err
same "$(get schema)" 1
same "$(get identical)" true
sha256=$(get weights_sha256)
same "$sha256" "$(get reference.weights_sha256)"
same "${#sha256}" 64
accuracy=$(get test_accuracy)
at_least "$accuracy" $least
same "$(get network.layers.0)" 64
at_least "$(get epochs.0.train_loss)" "$(get "epochs.$((epochs - 1)).train_loss")"

# Without --verify, the same run has the same receipt and writes the same bytes.
run 0 train --epochs $epochs --device "$device" --out again.safetensors --json
same "$(get weights_sha256)" "$sha256"
cmp -s model.safetensors again.safetensors || fail "the same run wrote other bytes"
run 0 train --device "$device" --json --seed 2 --epochs 1
[ "$(get weights_sha256)" != "$sha256" ] || fail "another seed has the same receipt"

# The file evaluates to the accuracy that training told, on the device and on the reference.
for where in "$device" reference; do
  run 0 evaluate model.safetensors --device "$where" --json
  same "$(get accuracy)" "$accuracy"
  same "$(get classes.3)" 3
  at_least "$(get confusion.3.3)" 10
done
run 0 evaluate model.safetensors --device "$device" --quiet
silent err
says out predicted:

run 0 predict model.safetensors --device "$device"
same "$(head -n 1 out)" row,class,probability
rows=$(wc -l <out)
at_least "$rows" 300
run 0 predict model.safetensors --device reference --all
same "$(head -n 1 out)" row,class,probability,0,1,2,3,4,5,6,7,8,9
same "$(wc -l <out)" "$rows"
run 0 predict model.safetensors --device "$device" --json
get predictions.0.probability >/dev/null

run 5 train --device "$device" --lr 1e9 --weight-decay 1 --out diverged.safetensors
[ ! -e diverged.safetensors ] || fail "a diverged run wrote a model"
