#!/bin/sh
# README.md keeps its word: the walk from a table to predictions runs as it stands there, and every other command in it is one
# that mlp_cl understands.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "$0")/../.." && pwd) || exit 1

mkdir bin
ln -s "$MLP_CL" bin/mlp_cl
cp -r "$source/examples" .
PATH=$PWD/bin:$PATH

# block LANGUAGE: the lines of README's blocks of code in that language.
block() {
  awk -v fence="\`\`\`" -v language="$1" 'index($0, fence) == 1 { inside = !inside; wanted = $0 == fence language; next }
    inside && wanted' "$source/README.md"
}

block sh >walk.sh
[ "$(grep -c mlp_cl walk.sh)" = 6 ] || fail "the walk is not of six commands"
last="README's walk"
sh -e walk.sh >out 2>err || fail "the walk does not run"
says out exact
says out '0,versicolor,0.'
says out 'receipt     as stored'
[ "$(wc -l <classes.csv)" = 151 ] || fail "classes.csv: $(wc -l <classes.csv) lines"
at_least "$(sed -n 's/^accuracy *\([0-9.]*\)$/\1/p' out)" 0.9

# The others need data that is not here: their options are read, then --help ends them.
block '' | sed -n 's/^mlp_cl \([^#]*\).*/\1/p' >others
[ "$(wc -l <others)" -ge 3 ] || fail "few commands were found in README.md"
while read -r line; do
  # shellcheck disable=SC2086 # words
  run 0 $line --help
done <others
