#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What it costs a kill to have the registers stored first: next to nothing when
# all CPUs answer, 100 ms when one does not. Against an instance that answers to
# no NMI at all, because the host seems not to offer it when it starts.
# timeout: 400

# shellcheck source=tests/vm/health.sh
. /mk/health.sh
plan 6

# kill_one FILE: started and killed, in us; what was stored is in FILE
kill_one() {
	mkctl start doomed > /dev/null
	[ "$1" != silent ] || { spin 1 nmi 60000; usleep 1000000; }
	health kill doomed
	health dump doomed | grep '^saved' > "$MK_RUN/$1"
}

expect_exit spawn 0 spawn_agent doomed 2-3
mkctl kill doomed > /dev/null
read -r region _ < /sys/kernel/multikernel/region
insert mk_poke addr=$((region + 24)) bytes=8 value=5
without=$(kill_one without)
rmmod mk_poke
with=$(kill_one with)
expect_equal registers-stored "$(cat "$MK_RUN/with")" 'saved 2'
silent=$(kill_one silent)
expect_equal registers-of-one-missing "$(cat "$MK_RUN/silent")" 'saved 1'
expect_within without-them "$((without / 1000))" 500
# And some ticks, by which any two runs may differ: the host sleeps a lot
# while it takes CPUs back
expect_within cost-of-registers "$((with - without))" 30000
expect_within cost-of-no-answer "$((silent - without))" 150000
mkctl rm doomed > /dev/null
