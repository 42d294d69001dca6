# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machine kapi-stream: mk.count= messages
# from kernel code of the host to kernel code of an instance, as many back, and
# as many both ways at once. Nothing may be lost, come twice or out of order.

# shellcheck source=tests/vm/kapi.sh
. /mk/kapi.sh
plan 17

N=$(($(sed -n 's/.*mk\.count=\([0-9]*\).*/\1/p' /proc/cmdline) / MK_SLOW))

kapi_b() { kapi order "$@"; }

# What has arrived, and how much of it not in order; a request is behind it all
arrived_in_b() {
	kapi request $ECHO 60000 sync > /dev/null
	kapi_b counts | cut -d ' ' -f 1-2
}
arrived_in_host() {
	kapi_b request $ECHO 60000 sync > /dev/null
	kapi counts | cut -d ' ' -f 1-2
}

stream="stream $COUNT $N 60000"
# timed VERDICT COMMAND...: it prints 0, and how long that took
timed() {
	mk_name=$1
	shift
	begin=$(mk_now_ms)
	expect_equal "$mk_name" "$("$@")" 0
	begin=$(($(mk_now_ms) - begin + 1))
	echo "mk-test: $mk_name: $N messages in $begin ms: $((N * 1000 / begin))/s"
}

check module insert mk_kapi
expect_exit b-up 0 spawn_kapi b 2 /boot/b
check b-module wait_for 10 log_has b '\] loaded'
kapi get b > /dev/null
expect_equal b-knows-host "$(kapi_b get host)" '0 0 host 1'
kapi_b counts > /dev/null

timed host-to-b kapi "$stream"
expect_equal b-got-all "$(arrived_in_b)" "$N 0"
timed b-to-host kapi_b "$stream"
expect_equal host-got-all "$(arrived_in_host)" "$N 0"

# Its lock makes who reads the result wait for the end of the command
expect_equal b-begins "$(kapi_b "sh echo $stream > $module/do &")" 0
timed host-to-b-at-once kapi "$stream"
expect_equal b-to-host-at-once "$(kapi_b "sh [ \$(cat $module/result) = 0 ]")" 0
expect_equal b-got-all-at-once "$(arrived_in_b)" "$N 0"
expect_equal host-got-all-at-once "$(arrived_in_host)" "$N 0"

counters=/sys/kernel/multikernel/instances/b/counters
sed 's/^/mk-test: /' $counters
for key in lost stream_lost stream_bad; do
	expect_equal "none-$key" "$(sed -n "s/^$key //p" $counters)" 0
done
expect_exit kill-b 0 mkctl kill b
