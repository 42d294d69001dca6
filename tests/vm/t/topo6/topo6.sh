#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Two sockets, APIC ids with a hole: instances in one socket and across, with up
# to four CPUs. Packages, cores and caches are in there what they are outside.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 16

online() { cat /sys/devices/system/cpu/online; }
packages() { sed -n 's/.*: package \([0-9]*\)$/\1/p' "$MK_RUN/$1.topo" | sort -u | grep -c .; }

all=$(/mk/topology)
expect_equal apic-ids "$(apicids 0-5 | tr '\n' ' ')" '0 1 2 4 5 6 '

expect_exit second-socket-spawn 0 spawn_topology second 3-4
expect_exit across-spawn 0 spawn_topology across 5,2
expect_equal cpus-lent "$(online)" 0-1
expect_topology second-socket-topology second
expect_topology across-topology across
expect_equal second-socket-one-package "$(packages second)" 1
expect_equal across-two-packages "$(packages across)" 2
expect_equal show-has-apic-ids \
	"$(mkctl show across | sed -n 's/^ *apic ids: *//p')" '6,2'
expect_exit stop 0 mkctl stop --all
expect_equal cpus-back "$(online)" 0-5

expect_exit four-spawn 0 spawn_topology four 1-2,4-5
expect_topology four-topology four
mkctl logs four > "$MK_RUN/log"
expect_text four-cpus-up "$MK_RUN/log" 'smp: Brought up 1 node, 4 CPUs'
expect_exit four-kill 0 mkctl kill four
expect_equal host-topology-as-before "$(/mk/topology)" "$all"
