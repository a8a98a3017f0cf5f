#!/bin/sh
# Installs the packages that are missing: ci/deps.sh for building, ci/deps.sh test for the tests and linters too, ci/deps.sh
# package for making Debian packages, ci/deps.sh compilers for looking at what GPUs would run.
# On Debian and Ubuntu by apt-get; elsewhere it says what to install.
set -eu

build="build-essential cmake ninja-build pkg-config ocl-icd-opencl-dev opencl-headers pocl-opencl-icd zlib1g-dev
  libjansson-dev libsodium-dev libpopt-dev libprotobuf-c-dev protobuf-c-compiler libzip-dev"
tests="check libxml2-utils mesa-opencl-icd oclgrind clang clang-format clang-tidy shellcheck dataset-fashion-mnist
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user valgrind cppcheck"

case "${1:-}" in
  '') wanted=$build ;;
  test) wanted="$build $tests" ;;
  package) wanted="$build file" ;;
  compilers) wanted="intel-opencl-icd rocm-device-libs clang-15" ;;
  *)
    echo "usage: ci/deps.sh [test|package|compilers]" >&2
    exit 2
    ;;
esac

has_module() { pkg-config --exists "$1" 2>/dev/null; }

# Elsewhere the packages are the person's to install; this only looks whether the build can succeed.
if ! command -v apt-get >/dev/null 2>&1; then
  missing=
  for tool in cc cmake ninja pkg-config protoc-c; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
  done
  for module in OpenCL zlib jansson libsodium popt libprotobuf-c libzip; do
    has_module "$module" || missing="$missing $module"
  done
  if [ "${1:-}" = test ] && ! has_module check; then missing="$missing check"; fi
  [ -z "$missing" ] && exit 0
  cat >&2 <<END
ci/deps.sh: missing:$missing. There is no apt-get here; install with your system's package manager:
  Fedora: dnf install gcc cmake ninja-build pkgconf ocl-icd-devel opencl-headers pocl zlib-devel jansson-devel \\
          libsodium-devel popt-devel protobuf-c-devel protobuf-c-compiler libzip-devel check-devel
  Arch:   pacman -S base-devel cmake ninja ocl-icd opencl-headers pocl zlib jansson libsodium popt protobuf-c libzip check
  macOS:  brew install cmake ninja pkg-config opencl-headers opencl-icd-loader pocl zlib jansson libsodium popt protobuf-c libzip check
END
  exit 1
fi

missing=
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  echo "ci/deps.sh: run as root, or install:$missing" >&2
  exit 1
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086 # lists of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
