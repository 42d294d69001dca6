#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs of an instance that stand still: spinning, or in a deadlock. The host
# notices within 5 seconds; host and sibling talk on; a kill ends it, and the next
# start is a new boot.
# timeout: 200

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/faults.sh
. /mk/faults.sh
plan 43

# hangs NAME FAULT: noticed, killed, started again
hangs() {
	before_fault
	insmod_inside victim "mk_fault.ko fault=$2 delay_ms=50"
	fault_ms=$(mk_now_ms)
	wait_for 10 has_state victim unresponsive
	# By the stamp in the host's log: this loop may be late
	noticed=$(dmesg | sed -n "s/^\\[ *\\([0-9]*\\)\\.\\([0-9]\\{3\\}\\).*'victim' is unresponsive.*/\\1\\2/p" | tail -n 1)
	noticed=$((${noticed:-99999999} - fault_ms))
	expect_equal "$1" "$(state victim) $(show victim cause)" 'unresponsive hang'
	expect_within "$1-noticed-ms" $noticed 5000
	others "$1-others"
	expect_exit "$1-kill" 0 mkctl kill victim
	expect_equal "$1-killed" "$(state victim) $(show victim cause)" 'killed kill'
	again "$1-again"
}

check calm-up begin_talk 4
check victim-up begin_victim 2-3
hangs spin-one spin-one
hangs spin-all spin-all
hangs deadlock abba-irqs
hangs deadlock-preempt abba-preempt

# The same with a kernel that can preempt
mkctl kill victim > /dev/null
save_instance_log victim
mkctl rm victim > /dev/null
mk_kernel=/boot/b
check victim-b-up begin_victim 2-3
hangs preempt-spin spin-preempt
hangs preempt-deadlock abba-preempt
end_talk
