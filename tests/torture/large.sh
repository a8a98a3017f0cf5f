#!/bin/sh
# Data of more than 2^31 elements. Rows of zeros leave a network without bias as it is: 65400 of them and then 200 others
# must give the receipt of the 200 alone. large.sh; environment: MLP_CL, TEST_FOLDER. Takes 8 GB of memory.
set -eu
: "${MLP_CL:?the binary under test}" "${TEST_FOLDER:?}"
rm -rf "$TEST_FOLDER"
mkdir -p "$TEST_FOLDER/large" "$TEST_FOLDER/small"
cd "$TEST_FOLDER"
height=181 width=182 rows=200 zeros=65400

number() { # as 4 bytes, the highest first
  # shellcheck disable=SC2059 # the format is made here
  printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"
}
images_header() { printf '\000\000\010\003' && number "$1" && number $height && number $width; }
labels_header() { printf '\000\000\010\001' && number "$1"; }

"$MLP_CL" --version >noise # some bytes that are the same in every run, and many
while [ "$(wc -c <noise)" -lt $((rows * height * width)) ]; do cat noise "$MLP_CL" >grown && mv grown noise; done
head -c $((rows * height * width)) noise >rows
i=0
while [ $i -lt $((rows / 2)) ]; do printf '\000\001' && i=$((i + 1)); done >classes

for name in train t10k; do
  images_header $rows >small/$name-images-idx3-ubyte
  cat rows >>small/$name-images-idx3-ubyte
  labels_header $rows >small/$name-labels-idx1-ubyte
  cat classes >>small/$name-labels-idx1-ubyte
done
cp small/t10k-* large/
images_header $((zeros + rows)) >large/train-images-idx3-ubyte
truncate -s $((16 + zeros * height * width)) large/train-images-idx3-ubyte
cat rows >>large/train-images-idx3-ubyte
labels_header $((zeros + rows)) >large/train-labels-idx1-ubyte
truncate -s $((8 + zeros)) large/train-labels-idx1-ubyte
cat classes >>large/train-labels-idx1-ubyte

receipt() { # receipt DATA DEVICE
  "$MLP_CL" train --data "$1" --device "$2" --hidden none --no-bias --no-shuffle --momentum 0 --batch 100 --epochs 1 \
    --lr 0.001 --quiet --json | grep -o '"weights_sha256":"[0-9a-f]*"'
}
wanted=$(receipt small reference)
for device in 0 reference; do
  got=$(receipt large $device)
  [ "$got" = "$wanted" ] || {
    echo "large.sh: device $device: $got, not $wanted" >&2
    exit 1
  }
done
rm -r large
echo "$(((zeros + rows) * height * width)) elements: the receipt of the last $((rows * height * width)), on OpenCL and on the reference"
