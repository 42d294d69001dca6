#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs that are lent: which ones can be, that the host leaves them alone, and
# that they come back.
# timeout: 100

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 34

cd /sys/devices/system/cpu || exit
online() { cat /sys/devices/system/cpu/online; }

# ipis CPU: function call interrupts that this CPU of the host got
ipis() { sed -n "s/^ *CAL: *//p" /proc/interrupts | awk -v n="$1" '{ print $n }'; }

spawn() { # NAME CPUS
	mkctl spawn "$(make_config "$1" "$2" "$MK_SMALL" "$3")"
}

echo 0 > cpu4/online
remember
expect_refusal cpu-0 3 'CPU 0 is never lent' spawn x 0
expect_refusal cpu-0-among-others 3 'CPU 0 is never lent' spawn x 2,0
expect_refusal cpu-unknown 3 'CPU 77 does not exist' spawn x 77
expect_refusal cpu-offline 5 'CPU 4 is offline' spawn x 4
expect_refusal cpu-offline-says-how 5 'chcpu -e 4' spawn x 5,4
expect_refusal cpu-twice 3 'twice' spawn x 3,3

expect_exit spawn 0 spawn duo 2-3 \
	'loglevel=7 mk.run="while sleep 1; do grep -E CAL:.TLB: /proc/interrupts; done"'
expect_equal lent "$(online)" 0-1,5
remember
expect_refusal cpu-lent 5 "CPU 3 is lent to instance 'duo'" spawn x 3
expect_refusal cpu-lent-among-others 5 "CPU 3 is lent to instance 'duo'" spawn x 5,3
expect_refusal cpu-lent-says-how 5 'mkctl stop duo' spawn x 2

# Whatever asks for a lent CPU to come online gets EBUSY and a line in the log
dmesg -c > /dev/null
expect_exit online-refused 1 sh -c 'echo 1 > /sys/devices/system/cpu/cpu3/online'
expect_text online-refused-ebusy "$ERR" 'Device or resource busy'
dmesg > "$MK_RUN/dmesg"
expect_text online-refused-names-instance "$MK_RUN/dmesg" \
	"multikernel: CPU 3 stays offline: it is lent to instance 'duo'"
check online-refused-many sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do
	! echo 1 > /sys/devices/system/cpu/cpu2/online || exit 1
	! echo 1 > /sys/devices/system/cpu/cpu3/online || exit 1
	done 2>/dev/null'
expect_equal online-refused-changes-nothing "$(online)" 0-1,5
expect_equal duo-still-runs "$(state duo)" running

# A CPU that was offline is not ours to bring online, nor held by anybody
check own-cpu-comes-online sh -c 'echo 1 > /sys/devices/system/cpu/cpu4/online'
expect_equal own-cpu-online "$(online)" 0-1,4-5
echo 0 > cpu4/online

# Two CPUs, two more instances: each gets its own, all come back
expect_exit spawn-second 0 spawn solo 5 \
	'loglevel=7 mk.run="sleep 2; while sleep 1; do grep CAL: /proc/interrupts; done"'
expect_equal lent-both "$(online)" 0-1
expect_exit kill-first 0 mkctl kill duo
expect_equal first-back "$(online)" 0-3

# Broadcasts stay at home: the host rings all its CPUs, the instance hears none
remember
before=$(ipis 4)
for _ in 1 2 3 4 5 6; do
	insert mk_pattern
	rmmod mk_pattern
done
check host-rings-its-cpus test "$(ipis 4)" -gt "$before"
check instance-counts wait_for 10 log_has solo '\] +CAL: +[0-9]'
sleep 2
mkctl logs solo | sed -n 's/.*\] *CAL: *\([0-9]*\) .*/\1/p' > "$MK_RUN/cal"
expect_equal instance-hears-no-broadcast "$(tail -n 1 "$MK_RUN/cal")" 0
check instance-no-shorthand log_has solo 'IPI shorthand broadcast: disabled'

expect_exit start-first 0 mkctl start duo
expect_equal same-cpus "$(online)" 0-1
expect_exit kill-all 0 mkctl kill --all
expect_equal all-back "$(online)" 0-3,5
check online-again sh -c 'echo 1 > /sys/devices/system/cpu/cpu4/online'
expect_equal all-online "$(online)" 0-5
check hotplug-is-the-hosts-again sh -c 'cd /sys/devices/system/cpu/cpu3 &&
	echo 0 > online && echo 1 > online && grep -q 1 online'
