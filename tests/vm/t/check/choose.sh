#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs by number and node, memory by node: mkctl takes what it says, and takes
# the same again. On cores of two: 0-1 2-3 on node 0, 4-5 6-7 on node 1.
# timeout: 120

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 22

small=$MK_SMALL

# want NAME CPUS [MEMORY [MORE]]: CPUs and memory as JSON; prints the file
want() {
	cat > "$MK_RUN/$1.json" <<-EOF
	{
		"name": "$1", "kernel": "/boot/a", "initrd": "/boot/instance.cpio",
		"cmdline": "loglevel=7", ${4:-}
		"cpus": $2,
		"memory": ${3:-\"$small\"}
	}
	EOF
	echo "$MK_RUN/$1.json"
}

online() { cat /sys/devices/system/cpu/online; }
# planned FILE: the CPUs that a dry run would take
planned() { mkctl spawn -n "$1" | sed -n 's/.*take CPUs \([0-9,-]*\) offline.*/\1/p'; }
# node_of NAME: of its pieces of memory
nodes_of() { show "$1" state > /dev/null; sed -n 's/^ *"node": \([0-9]*\),*$/\1/p' $MK_RUN/show | sort -u | tr '\n' ' '; }

expect_equal one-core "$(planned "$(want a '{"count": 2}')")" 2-3
expect_equal one-node "$(planned "$(want a '{"count": 4}')")" 4-7
expect_equal two-nodes "$(planned "$(want a '{"count": 6}')")" 2-7
expect_equal by-node "$(planned "$(want a '{"count": 2, "numa": 1}')")" 4-5
expect_equal by-nodes-in-turn "$(planned "$(want a '{"count": 4, "numa": [1, 0]}')")" 2-5
expect_equal split "$(planned "$(want a '{"count": 1}' '' '"allow_split_core": true,')")" 1

remember
expect_refusal odd 5 '3 CPUs are wanted and 2 can be had$' mkctl spawn "$(want a '{"count": 3}')"
expect_text odd-says-why "$ERR" 'only whole cores are taken'
expect_refusal node-too-small 5 '6 CPUs are wanted and 4 can be had on node 1$' \
	mkctl spawn "$(want a '{"count": 6, "numa": 1}')"
expect_refusal no-node 3 'there is no NUMA node 2$' mkctl spawn "$(want a '{"count": 2, "numa": 2}')"
expect_refusal memory-node-full 5 'not enough free memory on node1: 600M wanted, [0-9]+M free' \
	mkctl spawn "$(want a '"2-3"' '{"size": "600M", "numa": 1}')"
expect_refusal memory-no-node 3 'the pool has no memory on NUMA node 7' \
	mkctl spawn "$(want a '"2-3"' '{"size": "64M", "numa": 7}')"

expect_exit spawn 0 mkctl spawn "$(want near '{"count": 2, "numa": 1}' '{"size": "128M", "numa": 1}')"
expect_equal taken "$(online) $(nodes_of near)" '0-3,6-7 1 '
# A sibling that is lent is not shown by sysfs any more
expect_exit spawn-split 0 mkctl spawn "$(want half '"3"' '' '"allow_split_core": true,')"
remember
expect_refusal beside-lent 5 "CPU 2 shares a core with CPU 3, which is lent to instance 'half'" \
	mkctl spawn "$(want a '"2"')"
expect_equal around-lent "$(planned "$(want a '{"count": 2}')")" 6-7
expect_exit end 0 mkctl kill near half
expect_equal all-back "$(online)" 0-7
# The split is remembered, and so is what was chosen
expect_exit start 0 mkctl start near half
expect_equal taken-again "$(online)" '0-2,6-7'
expect_text asked "/run/mkctl/near.json" '"cpus_asked": *"2 on node 1"'
