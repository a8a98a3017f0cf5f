#!/bin/sh
# Installs the build into an empty folder, moves it, and does with it what other people's programs will: pkg-config, CMake, C++.
set -eu
: "${SOURCE:?}" "${BUILD:?}" "${TEST_FOLDER:?}" "${CC:?}" "${NM:?}" "${VERSION:?}"
rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER"
cd "$TEST_FOLDER"
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

cmake --install "$BUILD" --prefix "$PWD/first" >install.log
mv first installed
lib=$(dirname "$(find "$PWD/installed" -name libmlp_cl.a)")
export LD_LIBRARY_PATH="$lib" PKG_CONFIG_PATH="$lib/pkgconfig"
[ "$(installed/bin/mlp_cl --version | cut -d' ' -f2)" = "$VERSION" ] || fail "the command's version"
[ "$(pkg-config --modversion mlp_cl)" = "$VERSION" ] || fail "pkg-config's version"
for file in man/man1/mlp_cl.1 man/man1/mlp_cl-train.1 bash-completion/completions/mlp_cl zsh/site-functions/_mlp_cl fish/vendor_completions.d/mlp_cl.fish; do
  [ -s "installed/share/$file" ] || fail "$file is not installed"
done

# The names that the libraries offer are those of the header, no more and no fewer.
grep -o '^MLP_CL_API [^(]*(' installed/include/mlp_cl.h | sed -n 's/.*\(mlp_cl_[a-z0-9_]*\)($/\1/p' | sort >declared
[ "$(wc -l <declared)" -gt 40 ] || fail "few functions were found in mlp_cl.h"
"$NM" -D --defined-only "$lib/libmlp_cl.so" | sed -n 's/.* T \(.*\)@@MLP_CL_1$/\1/p' | sort >shared
"$NM" -g --defined-only "$lib/libmlp_cl.a" | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort >static
for library in shared static; do
  diff declared $library >difference || fail "the $library library offers other names: $(head -n 5 difference)"
done
major=${VERSION%%.*}
[ "$(readlink "$lib/libmlp_cl.so")" = "libmlp_cl.so.$major" ] || fail "libmlp_cl.so is no link to the soname"
[ -e "$lib/libmlp_cl.so.$major" ] || fail "the soname's link leads nowhere"

# The program of README.md, linked both ways, has one receipt. A static link needs no shared mlp_cl.
# shellcheck disable=SC2016 # backquotes of Markdown
sed -n '/^```c$/,/^```$/p' "$SOURCE/README.md" | grep -v '^```' >readme.c
# shellcheck disable=SC2046,SC2086 # lists of words
{
  $CC ${CFLAGS-} -std=c11 -pedantic -Wall -Wextra -Werror readme.c -o readme $(pkg-config --cflags --libs mlp_cl)
  $CC ${CFLAGS-} readme.c -o readme_static $(pkg-config --cflags mlp_cl) "$lib/libmlp_cl.a" \
    $(pkg-config --static --libs mlp_cl | sed 's/-lmlp_cl//')
}
export MLP_CL_DEVICE=reference
./readme >receipt
LD_LIBRARY_PATH='' ./readme_static >receipt_static
[ "$(wc -c <receipt)" = 65 ] || fail "no receipt: $(cat receipt)"
cmp receipt receipt_static
[ -s digits.safetensors ] || fail "README's program wrote no model"

# Every example by CMake, from a copy: nothing of the source tree may be needed.
cp -r "$SOURCE/examples" examples
cat >>examples/CMakeLists.txt <<'END'
find_package(mlp_cl 1 REQUIRED COMPONENTS static)
add_executable(linked_static train_arrays.c)
target_link_libraries(linked_static PRIVATE mlp_cl::static m)
END
cmake -S examples -B built -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="${CFLAGS-}" -DCMAKE_PREFIX_PATH="$PWD/installed" \
  >cmake.log 2>&1 || fail "$(cat cmake.log)"
cmake --build built >build.log 2>&1 || fail "$(cat build.log)"
built/exercise reference 20 >exercise.out
built/train_arrays >arrays.out
LD_LIBRARY_PATH='' built/linked_static | cmp - arrays.out
built/inference_loop >loop.out
installed/bin/mlp_cl train --data examples/iris.csv --device reference --out iris.safetensors --quiet >iris.out
built/table_row iris.safetensors 5.9 3.0 4.2 1.5 >row.out
built/table_row iris.safetensors 5.9 3.0 4.2 2>row.err && fail "table_row takes three fields of four"
built/own_batches reference >own.out
built/progress >progress.out 2>progress.err
built/two_networks >networks.out
built/stop_and_go whole.safetensors reference 300 >whole.out 2>whole.err
timeout -s INT 0.3 built/stop_and_go run.safetensors reference 300 >stopped.out 2>stopped.err || true
built/stop_and_go run.safetensors reference 300 >gone_on.out 2>gone_on.err || fail "stop_and_go: $(cat gone_on.err)"
grep -q 'accuracy 0.99' arrays.out || fail "train_arrays: $(cat arrays.out)"
grep -q '^actions ' loop.out || fail "inference_loop: $(cat loop.out)"
grep -q '^versicolor, 0' row.out || fail "table_row: $(cat row.out)"
grep -q 'wants these fields: sepal_length' row.err || fail "table_row: $(cat row.err)"
grep -q 'off by 0\.[0-4]' own.out || fail "own_batches: $(cat own.out)"
grep -q '^stopped: 0.9[5-9]' progress.out || fail "progress: $(cat progress.out)"
grep -q 'start again to go on' stopped.err || [ -s stopped.out ] || fail "stop_and_go: $(cat stopped.err)"
[ "$(wc -c <gone_on.out)" = 65 ] || fail "stop_and_go: $(cat gone_on.err)"
cmp gone_on.out whole.out || fail "stop_and_go goes on to other weights"
grep -q '^together:  0.9' networks.out || fail "two_networks: $(cat networks.out)"

# C++ may include the header.
cat >program.cpp <<'END'
#include <mlp_cl.h>
#include <iostream>
int main() {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  std::cout << mlp_cl_version() << ' ' << recipe.epochs << ' ' << mlp_cl_status_name(MLP_CL_OK) << '\n';
}
END
for standard in c++11 c++20; do
  # shellcheck disable=SC2046,SC2086 # lists of words
  g++ ${CFLAGS-} -std=$standard -Wall -Wextra -pedantic -Werror program.cpp -o program $(pkg-config --cflags --libs mlp_cl)
  [ "$(./program)" = "$VERSION 10 OK" ] || fail "$standard: $(./program)"
done
