#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs whose APIC ids are far from their numbers, in no order.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 12

online() { cat /sys/devices/system/cpu/online; }

expect_equal apic-ids "$(apicids 0-4 | tr '\n' ' ')" '0 1 236 237 238 '
expect_exit spawn 0 spawn_topology far 4,2
expect_topology topology far
expect_equal show-has-apic-ids \
	"$(mkctl show far | sed -n 's/^ *apic ids: *//p')" '238,236'
expect_exit second-spawn 0 spawn_topology near 1
expect_topology second-topology near
expect_equal lent "$(online)" 0,3
expect_exit stop-both 0 mkctl stop --all
expect_exit start-again 0 mkctl start far
expect_equal lent-again "$(online)" 0-1,3
expect_exit kill-all 0 mkctl kill --all
expect_equal all-back "$(online)" 0-4
