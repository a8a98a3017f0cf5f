#!/bin/sh
# The search for parameters: each candidate is tried and reported, one that takes too long or fails does no harm, and what
# was found is used by other commands until it is forgotten.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
MLP_CL_CACHE=$TEST_FOLDER/cache
export MLP_CL_CACHE

# A search, whichever candidate it prefers.
run 0 tune --device "$device" --kernels panel --layers 20,9,3 --batch 7 --most 2 --json --quiet
silent err
same "$(get candidates.0.failure)" null
at_least "$(get candidates.0.step_us.0)" 0.1
same "$(get candidates.0.speed)" 1.0
get candidates.1.tuning >/dev/null
run 0 tune --device "$device" --kernels panel --forget

# One is tried, compared with the reference, remembered, used, forgotten.
found='tile_rows=4 tile_panels=1 unit_rows=32 groups=64'
run 0 tune --device "$device" --kernels panel --try "$found" --keep --json
run 0 bench --device "$device" --kernels panel --layers 20,9,3 --json
same "$(get tuning)" "$found"
run 0 tune --device "$device" --kernels panel --forget --json
run 0 bench --device "$device" --kernels panel --layers 20,9,3 --json
[ "$(get tuning)" != "$found" ] || fail "$last: it was not forgotten"

# A process that cannot do its work, and one that is stopped.
run 2 tune --device "$device" --kernels panel --try tile_rows=5 --json
same "$(get error.status)" BAD_ARGUMENT
run 1 tune --device "$device" --kernels panel --layers 2000,16777216,16777216 --batch 1000000 --most 2
says err "no candidate works"
run 1 tune --device "$device" --kernels panel --layers 4000,4000,4000,4000 --batch 9000 --most 2 --limit 1
says err "longer than 1 s"

run 2 tune --device reference
says err reference
refused 2 tune --device "$device" --limit 0
refused 2 tune --device "$device" --most x
refused 2 tune --device "$device" --most 1
refused 2 tune --device "$device" --layers 20
