#!/bin/sh
# Model files out and in: inspect tells what they hold, export writes ONNX, bad ones are refused.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 train --device reference --hidden 5 --epochs 1 --seed 7 --out model.safetensors --json --quiet
sha256=$(get weights_sha256)

run 0 inspect model.safetensors
silent err
says out '64 - 5 - 10'
says out 'parameters  385'
says out 'seed 7'
says out "$sha256"
says out 'as stored'
run 0 inspect model.safetensors --json
same "$(get layers.1)" 5
same "$(get parameters)" 385
same "$(get classes.9)" 9
same "$(get recipe.seed)" 7
same "$(get scale)" 0.0625
same "$(get weights_sha256)" "$sha256"
same "$(get stored_sha256)" "$sha256"

# A flipped bit: told by inspect with status 3, refused by all that would use the weights.
size=$(wc -c <model.safetensors)
{ head -c "$((size - 2))" model.safetensors && printf '\001\001'; } >damaged.safetensors
run 3 inspect damaged.safetensors
says out DIFFERENT
says out "$sha256"
run 3 inspect damaged.safetensors --json
same "$(get stored_sha256)" "$sha256"
refused 1 export damaged.safetensors --out damaged.onnx
says err damaged
[ ! -e damaged.onnx ] || fail "a damaged model was exported"

# Names cannot reach the terminal as they are.
write_model '"mlp_cl.classes":"[\"\\u001b[31m\",\"\\u0085\\u202e\",\"ok\"]","x\u0007":"a\nb"' >hostile.safetensors
run 0 inspect hostile.safetensors
says out '\x1b[31m'
says out '\xc2\x85\xe2\x80\xae'
says out 'none is stored'
if tr -d '\n' <out | grep -q '[[:cntrl:]]'; then fail "$last: control characters in the text"; fi
run 0 inspect hostile.safetensors --json
same "$(get classes.2)" ok

run 0 export model.safetensors --out model.onnx
says err 'wrote model.onnx'
at_least "$(wc -c <model.onnx)" 1540
cp model.onnx kept.onnx
refused 1 export model.safetensors --out model.onnx
says err --force
run 0 export model.safetensors --out model.onnx --force --json --quiet
silent err
same "$(get format)" onnx
cmp -s model.onnx kept.onnx || fail "the same model gave other bytes"
refused 2 export model.safetensors
says err --out
refused 2 export --out x.onnx
says err 'which model?'
refused 2 inspect
refused 1 inspect nowhere.safetensors
refused 1 inspect model.onnx
refused 1 export model.safetensors --out nowhere/model.onnx
if [ -e /dev/full ]; then refused 2 export model.safetensors --out /dev/full --force; fi

# --init-from: with a learning rate of 0 the weights stay; what does not fit names both sides.
start="train --device reference --init-from model.safetensors --quiet --json --epochs 1"
# shellcheck disable=SC2086 # a list of words
{
  run 0 $start --lr 0 --out again.safetensors
  same "$(get weights_sha256)" "$sha256"
  same "$(get network.layers.1)" 5
  run 0 $start --hidden 5 --verify
  same "$(get identical)" true
  [ "$(get weights_sha256)" != "$sha256" ] || fail "$last: nothing was learnt"
  run 2 $start --hidden 6
  says err '--hidden 6: model.safetensors has 5'
  run 2 $start --no-bias
  says err 'has biases'
  run 2 $start --init he
  run 2 $start --activation tanh
  says err '--activation tanh: model.safetensors has relu'
  run 1 train --device reference --init-from hostile.safetensors --quiet
  says err 'hostile.safetensors takes 1 values a row, but the data has 64'
  run 1 train --device reference --init-from damaged.safetensors --quiet
  says err damaged
  run 1 train --device reference --init-from nowhere.safetensors --quiet
}
