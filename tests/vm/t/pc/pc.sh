#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance on a machine of another kind lives, ends, and gives all back.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 10

free_bytes() { run_mkctl pool show -j && json "$OUT" free_bytes; }
free=$(free_bytes)

check is-that-machine sh -c "! grep -q 'MMCONFIG' /proc/iomem && dmesg | grep -q PIIX"
expect_exit spawn 0 spawn_topology two 2-3
expect_equal state "$(state two)" running
expect_topology topology two
expect_exit stop 0 mkctl stop two
expect_exit start-again 0 mkctl start two
expect_exit kill 0 mkctl kill two
expect_exit rm 0 mkctl rm two
expect_equal cpus-back "$(cat /sys/devices/system/cpu/online)" 0-3
expect_equal memory-back "$(free_bytes)" "$free"
