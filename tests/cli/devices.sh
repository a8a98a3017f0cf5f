#!/bin/sh
# What the command says of devices, and that validation passes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 devices
says out exact
run 0 devices --json
same "$(get devices.0.index)" 0
same "$(get devices.0.exact)" true
run 0 --device "$device" devices --json
same "$(get devices.0.index)" 0

refused 4 train --device 99
says err 'no device "99"; take 0: '
refused 4 train --device 'no such thing'
run 4 train --device 99 --json
same "$(get error.status)" NO_DEVICE

echo precious >report.json
refused 1 validate --device "$device" --report report.json
says err --force
[ "$(cat report.json)" = precious ] || fail "a report was overwritten"
refused 1 validate --device "$device" --report nowhere/report.json
run 0 validate --quick --device "$device" --report report.json --force
says out identical
mv report.json out
same "$(get pass)" true
same "$(get device.exact)" true
[ -n "$(get device.driver)" ] || fail "the report names no driver"
same "$(get mismatches)" 0
at_least "$(get checks.0.elements)" 1
run 0 validate --quick --device "$device" --json
same "$(get pass)" true

# Without any driver: status 4, and one line that says what to install and what needs none.
OCL_ICD_VENDORS=/nowhere.icd
export OCL_ICD_VENDORS
for command in devices train validate bench; do
  refused 4 $command
  says err pocl-opencl-icd
  says err '--device reference'
done
run 4 devices --json
same "$(get error.status)" NO_DEVICE
run 0 devices --device reference
says out exact
run 0 train --device reference --epochs 1
