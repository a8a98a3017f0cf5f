#!/bin/sh
# Makes a data set in the MNIST layout: 8 images of 2x2 in two classes, for training and for testing. tiny_data.sh FOLDER
set -eu
mkdir -p "$1"
for part in train t10k; do
  printf '\000\000\010\003\000\000\000\010\000\000\000\002\000\000\000\002' >"$1/$part-images-idx3-ubyte"
  for _ in 1 2 3 4; do printf '\001\377\001\377\377\001\377\001'; done >>"$1/$part-images-idx3-ubyte"
  printf '\000\000\010\001\000\000\000\010\000\001\000\001\000\001\000\001' >"$1/$part-labels-idx1-ubyte"
done
