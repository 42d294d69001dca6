#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The region's header, overwritten by accident: who comes to join it refuses,
# and nobody else is concerned.
# timeout: 120

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 16

read -r region _ < /sys/kernel/multikernel/region
ko=/lib/mk/$(uname -r)/mk_poke.ko

good=$(make_config good 2 "$MK_SMALL" loglevel=7)
remember
expect_exit neighbour 0 mkctl spawn "$(make_config neighbour 1 "$MK_SMALL" loglevel=7)"

# broken NAME OFFSET BYTES VALUE
broken() {
	check "$1-written" insmod "$ko" addr=$((region + $2)) bytes="$3" value="$4"
	expect_exit "$1" 7 mkctl spawn -t $((3 * MK_SLOW)) "$good"
	rmmod mk_poke
}
broken magic 0 8 0
broken version-from-the-future 8 4 0xffff
broken unknown-feature-needed 64 8 0x100000000
broken size 16 8 4096
broken table-outside 40 4 0xfffff000
broken cpus-outside 76 4 0xffffffff

check neighbour-answers mkctl msg ping neighbour -c 10
expect_exit whole-again 0 mkctl spawn "$good"
clear_instances
expect_unchanged nothing-changed
