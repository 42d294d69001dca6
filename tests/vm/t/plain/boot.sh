#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test machine itself: does the host's kernel bring up what all other tests
# stand on?

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 5

expect_equal all-cpus-online "$(cat /sys/devices/system/cpu/online)" 0-5
check cpu-hotplug sh -c 'cd /sys/devices/system/cpu/cpu5 &&
	echo 0 > online && echo 1 > online && grep -q 1 online'
check boot-id grep -q . /proc/sys/kernel/random/boot_id
check strict-devmem sh -c '[ -c /dev/mem ] && ! dd if=/dev/mem bs=4096 skip=8192 count=1 of=/dev/null'
expect_equal init-is-ours "$(cat /proc/1/comm)" init
