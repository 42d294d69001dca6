#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A CPU that hangs is noticed within 5 s, in every way in which one can hang, and
# so is that it goes on. Nobody ends the instance for it.
# timeout: 300

# shellcheck source=tests/vm/health.sh
. /mk/health.sh
plan 42

sys=/sys/kernel/multikernel/instances/doomed
mine() { health events - | grep '^steady' | tail -n 5 | tr '\n' ';'; }

expect_exit spawn-steady 0 spawn_agent steady 1
expect_exit spawn-doomed 0 spawn_agent doomed 2-4 loglevel=7
expect_equal default "$(health get doomed)" '3 0 4000 0 0 0 0'
expect_equal sysfs-default "$(cat $sys/watchdog_ms $sys/stuck | tr '\n' ' ')" '4000 0 '
expect_equal too-short "$(health watchdog doomed 999)" '22 192 999 1000 '
expect_equal too-long "$(health watchdog doomed 600001)" '22 192 600001 1000 '
expect_equal nobody "$(health watchdog nobody 4000)" '2 19 0 0 nobody'

over() { [ "$(log_lines doomed 'mk_spin: over')" -eq 4 ]; }

# hang HOW CPU HOST-CPU: for 8 s
hang() {
	expect_exit "$1-spin" 0 spin "$2" "$1" 8000
	took=$(wait_state doomed $UNRESPONSIVE 9000)
	# 5 s from when it spins, see spin
	expect_within "$1-noticed" "$took" 5300
	expect_equal "$1-which" "$(health get doomed)" "4 7 4000 1 $3 0 0"
	expect_equal "$1-sysfs" "$(cat $sys/state $sys/cause $sys/stuck | tr '\n' ' ')" \
		"unresponsive hang 1 $3 "
	expect_equal "$1-no-freeze" "$(health freeze doomed)" "110 193 $3 0 doomed"
	check "$1-recovers" wait_state doomed $RUNNING 20000
	expect_equal "$1-over" "$(health get doomed)" '3 0 4000 0 0 0 0'
}
hang irq 2 4
hang preempt 1 3
hang nmi 2 4

# Another time, and none
expect_exit set-short 0 health watchdog doomed 1500
spin 1 irq 8000
expect_within short-noticed "$(wait_state doomed $UNRESPONSIVE 9000)" 2500
expect_exit switch-off 0 health watchdog doomed 0
check off-is-well wait_state doomed $RUNNING 1000
check_not off-stays-well health wait doomed $UNRESPONSIVE 4000
check off-over wait_for 10 over
expect_exit set-again 0 health watchdog doomed 4000

# All of them, and for good
later all sh_at doomed "rmmod mk_spin; insmod $(instance_module mk_spin)"
expect_within all-noticed "$(wait_state doomed $UNRESPONSIVE 20000)" 12000
wait_for 3 grep -q '^3 ' $sys/stuck
expect_equal all-stuck "$(cat $sys/stuck)" '3 2'
expect_exit kill-hung 0 health kill doomed 7
expect_equal kill-hung-cause "$(health get doomed)" '9 7 4000 0 0 9 7'
expect_exit start-again 0 mkctl start doomed
expect_equal last-is-known "$(health get doomed)" '3 0 4000 0 0 9 7'
save_instance_log doomed
expect_equal steady-events "$(mine)" \
	'steady 0 0 0 0 0;steady 1 0 0 0 0;steady 2 0 1 0 0;steady 3 0 1 0 0;steady 3 0 1 0 0;'
