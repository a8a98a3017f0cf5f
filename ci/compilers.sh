#!/bin/sh
# What the compilers of Intel's and AMD's GPUs make of the kernels, without such a GPU: that all build, that the sums of a tile
# stay in registers while slabs are added, and how many registers a work-item has. Intel's gives up on all of them where some
# find no place, and then reads and writes each sum in memory at each step.
set -eu
cd "$(dirname "$0")/.."
ci/deps.sh compilers
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
programs=$(cd kernels && ls program_plain.cl program_tile.cl program_adam*.cl program_steps*.cl matmul_tile_small.cl \
  activation.cl adam.cl clip.cl label_terms.cl peak.cl target_loss.cl)
complain() {
  echo "ci/compilers.sh: $1" >&2
  failed=1
}

# As host/opencl/tuning.c has them by default where work-groups have up to 256 work-items.
options="-I kernels -cl-std=CL1.2 -DVECTOR_LINES=0 -DSTEP_ITEMS=256 -DOUTPUT_ROWS=4 -DSMALL_PARTS=4"
options="$options -DSMALL_GROUP_ROWS=4 -DSMALL_GROUP_COLS=8 -DSMALL_ITEM_ROWS=4 -DSMALL_ITEM_COLS=4"
few_registers="-DGROUP_ROWS=16 -DGROUP_COLS=8 -DITEM_ROWS=4 -DITEM_COLS=4"

# Gen9 (Skylake) to Xe-HPG (Arc). What a kernel keeps in memory is told by two patch tokens: 18, scratch space, is there or
# not; the fourth word of 38, private memory, is 0 or not.
for device in skl icllp tgllp acm-g10; do
  echo "Intel $device"
  for program in $programs; do
    ocloc compile -q -file "kernels/$program" -device $device -out_dir "$out" -output built -output_no_suffix \
      -options "$options $few_registers" >"$out/log" 2>&1 || {
      cat "$out/log" >&2
      complain "$program does not build for $device"
      continue
    }
    grep spilled "$out/log" && complain "$program: what is spilled makes the compiler give up on registers"
    rm -rf "$out/dump"
    mkdir "$out/dump"
    ocloc disasm -file "$out/built" -device $device -dump "$out/dump" >"$out/log" 2>&1 || cat "$out/log" >&2
    grep -q 'KernelName ' "$out/dump/PTM.txt" || {
      complain "what $program became for $device cannot be read"
      continue
    }
    kept=$(awk '/KernelName / { name = $2 } /Token/ { token = $3 }
      token == 18 || (token == 38 && /Hex/ && $14 $15 != "00") { print name }' "$out/dump/PTM.txt" | sort -u | tr '\n' ' ')
    case $kept in *dense*) complain "$program for $device keeps sums in memory: $kept" ;; esac
  done
done

bitcode=$(dirname "$(dpkg -L rocm-device-libs | grep '/opencl.bc$')")
# Vega, RDNA 1 and 2, CDNA 2. Blocks' sums may be spilled: they are read and written once in 256 steps.
for device in gfx900 gfx1010 gfx1030 gfx90a; do
  echo "AMD $device: registers, spilled ones, bytes in memory"
  for program in $programs; do
    # shellcheck disable=SC2086 # lists of words
    clang-15 -target amdgcn-amd-amdhsa -mcpu=$device -x cl -Xclang -finclude-default-header -O3 -w $options \
      --rocm-device-lib-path="$bitcode" "kernels/$program" -S -o "$out/built.s" || {
      complain "$program does not build for $device"
      continue
    }
    awk '/^    \.name:/ { name = $2 } /^    \.private_segment_fixed_size:/ { bytes = $2 } /^    \.vgpr_count:/ { count = $2 }
      /^    \.vgpr_spill_count:/ && name ~ /^(dense|output|train)/ { printf "  %-28s %3d %3d %4d\n", name, count, $2, bytes }' "$out/built.s"
  done
done
exit $failed
