#!/bin/sh
# Builds the Debian packages into build-package/. ci/package.sh try FOLDER installs and runs them in FOLDER, the root of a
# bare Debian 12 (debootstrap --variant=minbase bookworm FOLDER), which must be run as root.
set -eu
cd "$(dirname "$0")/.."

ci/deps.sh package
build="build-package"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DMLP_CL_TESTS=OFF -DMLP_CL_EXAMPLES=OFF
cmake --build "$build"
rm -f "$build"/*.deb
(cd "$build" && cpack -G DEB)
[ "${1:-}" = try ] || exit 0

root=${2:?the root of a bare Debian 12}
rm -rf "$root/packages"
mkdir "$root/packages"
cp "$build"/*.deb "$root/packages"
# PoCL looks into /proc and /sys; these mounts end with the command.
# shellcheck disable=SC2016 # expanded inside
unshare --mount sh -euc 'mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"; exec chroot "$1" sh -euc "$2"' sh "$root" '
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # The command alone, without the drivers that it recommends: it says what to install, and works on the reference.
  apt-get install -q -y --reinstall --no-install-recommends ./packages/mlp-cl_*.deb
  OCL_ICD_VENDORS=/nowhere mlp_cl devices && exit 1 || [ $? = 4 ]
  mlp_cl --device reference --quiet
  # With one of them: a device, the same bits.
  apt-get install -q -y --no-install-recommends pocl-opencl-icd
  mlp_cl --quiet
  # A program built on the packages.
  apt-get install -q -y --reinstall --no-install-recommends ./packages/libmlp-cl*.deb gcc libc6-dev pkg-config
  cp /usr/share/doc/mlp_cl/examples/train_arrays.c /tmp
  gcc /tmp/train_arrays.c -o /tmp/train_arrays $(pkg-config --cflags --libs mlp_cl) -lm
  /tmp/train_arrays
'
