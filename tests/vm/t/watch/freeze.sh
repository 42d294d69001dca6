#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A frozen instance stands still, all of it, and goes on as if nothing had been.
# timeout: 300

# shellcheck disable=SC2016 # what a shell in there is told
# shellcheck source=tests/vm/health.sh
. /mk/health.sh
plan 46

count='i=0; while true; do i=$((i+1)); echo count $i; usleep 100000; done & exec chan agent'
counter() { # NAME CPUS
	[ -e /run/agent.cpio ] || make_initrd /run/agent.cpio /mk/bin/chan
	mkctl spawn "$(make_config "$1" "$2" "$MK_SMALL" \
		"loglevel=7 rcupdate.rcu_cpu_stall_timeout=3 mk.run=\"$count\"" \
		/boot/a /run/agent.cpio)"
}
counts() { log_lines "$1" 'count [0-9]+$'; }
counts_more() { [ "$(counts "$1")" -gt "$2" ]; }

expect_exit spawn-steady 0 counter steady 1
expect_exit spawn-doomed 0 counter doomed 2-4
boot_id=$(show doomed boot_id)
check counts wait_for 5 counts_more doomed 3

expect_exit freeze 0 health freeze doomed
expect_equal frozen "$(health get doomed)" '5 0 4000 0 0 0 0'
beats=$(beats doomed) lines=$(counts doomed) sibling=$(counts steady)
# Longer than its stall detector is patient, and the host's watchdog
sleep 9
expect_equal no-beats "$(beats doomed)" "$beats"
expect_equal no-user-space "$(counts doomed)" "$lines"
check sibling-counts counts_more steady "$sibling"
expect_equal still-frozen "$(health get doomed)" '5 0 4000 0 0 0 0'
expect_equal stop-refused "$(health stop doomed)" '16 20 5 0 doomed'
expect_equal freeze-refused "$(health freeze doomed)" '16 20 5 0 doomed'
expect_exit thaw 0 health thaw doomed
expect_equal thawed "$(health get doomed)" '3 0 4000 0 0 0 0'
expect_equal thaw-refused "$(health thaw doomed)" '16 20 3 0 doomed'
check counts-again wait_for 5 counts_more doomed "$lines"
expect_going beats-again doomed
# All of its CPUs, and its clock is right
expect_equal all-work "$(sh_at doomed 'for c in 0 1 2; do taskset $((1 << c)) true && echo $c; done' | tr '\n' ' ')" \
	'0 1 2 '
apart=$(($(date +%s) - $(sh_at doomed 'date +%s')))
check clock-right test $((apart * apart)) -le 1
sleep 5
check_not stays-well health wait doomed $UNRESPONSIVE 1000
expect_equal no-noise "$(mkctl logs doomed | grep -E "$NOISE")" ''
expect_equal same-boot "$(show doomed boot_id)" "$boot_id"

# Again and again, at once
n=0 bad=''
while [ $n -lt 25 ]; do
	n=$((n + 1))
	health freeze doomed > /dev/null && health thaw doomed > /dev/null || bad="$bad $n"
done
expect_equal often "$bad" ''
expect_going often-beats doomed
expect_equal often-no-noise "$(mkctl logs doomed | grep -E "$NOISE")" ''

# A CPU that is offline in there has no part in it, and comes back
sh_at doomed 'echo 0 > /sys/devices/system/cpu/cpu1/online'
expect_exit offline-freeze 0 health freeze doomed
expect_equal offline-saved "$(health dump doomed | grep -E '^(saved|cpu 1)' | tr '\n' ';')" \
	'saved 2;cpu 1 -;'
expect_exit offline-thaw 0 health thaw doomed
check_not offline-well health wait doomed $UNRESPONSIVE 5000
sh_at doomed 'echo 1 > /sys/devices/system/cpu/cpu1/online'
expect_exit online-freeze 0 health freeze doomed
expect_equal online-saved "$(health dump doomed | grep saved)" 'saved 3'
expect_exit online-thaw 0 health thaw doomed
# While it goes up and down
later updown sh_at doomed 'for i in 1 2 3 4 5 6 7 8; do for o in 0 1; do echo $o > /sys/devices/system/cpu/cpu1/online; done; done; cat /sys/devices/system/cpu/online'
n=0 bad=''
while [ $n -lt 25 ]; do
	n=$((n + 1))
	health freeze doomed > /dev/null && health thaw doomed > /dev/null || bad="$bad $n"
done
expect_equal hotplug "$bad" ''
expect_later hotplug-all-online '0-2;' updown

# One CPU takes no NMI: none is frozen
sh_at doomed 'echo 60 > /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout'
expect_exit spin-in-nmi 0 spin_now 2 nmi 7000
expect_equal no-answer "$(health freeze doomed)" '110 193 4 0 doomed'
expect_equal no-answer-running "$(health get doomed | cut -d' ' -f1)" $RUNNING
expect_going others-go-on doomed
wait_for 15 log_has doomed 'mk_spin: over'
check_not late-nmi-noticed log_has doomed 'unknown reason|Dazed'
check no-answer-over wait_for 10 has_state doomed running
expect_exit freezes-now 0 health freeze doomed

# The end of a frozen one, and a new life
expect_exit kill-frozen 0 mkctl kill doomed
expect_equal kill-frozen-end "$(health get doomed)" '9 6 60000 0 0 9 6'
expect_equal cpus-back "$(cat /sys/devices/system/cpu/online)" '0,2-5'
save_instance_log doomed
expect_exit start-again 0 mkctl start doomed
expect_going start-again-beats doomed
expect_equal kinds-of-events "$(health events - | sed -n 's/^doomed 5 .*/f/p' | wc -l | sed 's/^[1-9][0-9]$/many/')" many
