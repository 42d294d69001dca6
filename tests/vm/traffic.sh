# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machines traffic and traffic-long: mk.count= messages each way
# between two instances and the host, all at once; what happens when there is no
# room; and a receiver that is stopped for seconds. Nothing may be lost, come
# twice, out of order or changed.

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/talk.sh
. /mk/talk.sh
plan 35

COUNT=$(($(sed -n 's/.*mk\.count=\([0-9]*\).*/\1/p' /proc/cmdline) / MK_SLOW))
SECONDS_MAX=$((COUNT / 500 + 60))

# ended FILE: has this end said how it went?
ended() { grep -qE 'right:|WRONG' "$1"; }
ended_inside() { inside "$1" "grep -qE 'right:|WRONG' $2"; }

# fetch NAME FILE: an end inside, once it has ended, as a file of the host
fetch() {
	wait_for $SECONDS_MAX ended_inside "$1" "$2"
	inside "$1" "cat $2" > "$MK_RUN/$1.${2##*/}"
}

# right VERDICT FILE COUNT
right() {
	expect_text "$1" "$2" "right: sent $3 received $3 "
	sed 's/^/mk-test: /' "$2"
}

no_faults() {
	for mk_i in a b; do
		expect_equal "$1-host-to-$mk_i" "$(faults < /sys/kernel/multikernel/instances/$mk_i/counters)" ok
		mk_other=b
		[ $mk_i = a ] || mk_other=a
		for mk_peer in host $mk_other; do
			counters_inside $mk_i "$mk_peer" > "$MK_RUN/counters"
			sed "s/^/mk-test: $mk_i to $mk_peer: /" "$MK_RUN/counters"
			expect_equal "$1-$mk_i-to-$mk_peer" "$(faults < "$MK_RUN/counters")" ok
		done
	done
}

expect_exit a-up 0 spawn_talker a 2 '"b"'
expect_exit b-up 0 spawn_talker b 3 '"a"'
expect_equal a-hears "$(inside a 'echo $((6 * 7))')" 42
expect_equal b-hears "$(inside b 'echo $((6 * 7))')" 42

# --- all at once ----------------------------------------------------------------

begin=$(mk_now_ms)
start_inside a /run/host "talk count -l host 1 $COUNT"
start_inside b /run/host "talk count -l host 1 $COUNT"
start_inside b /run/a "talk count -l a 3 $COUNT"
start_inside a /run/b "talk count b 3 $COUNT"
talk count a 1 "$COUNT" > $MK_RUN/a &
talk count b 1 "$COUNT" > $MK_RUN/b &
wait_for $SECONDS_MAX ended $MK_RUN/a
wait_for $SECONDS_MAX ended $MK_RUN/b
fetch a /run/b
fetch b /run/a
fetch a /run/host
fetch b /run/host
took=$(($(mk_now_ms) - begin))
counted $((6 * COUNT)) messages
echo "mk-test: $((6 * COUNT)) messages in $took ms: $((6000 * COUNT / took))/s"

right host-to-a $MK_RUN/a "$COUNT"
right host-to-b $MK_RUN/b "$COUNT"
right a-to-host $MK_RUN/a.host "$COUNT"
right b-to-host $MK_RUN/b.host "$COUNT"
right a-to-b $MK_RUN/a.b "$COUNT"
right b-to-a $MK_RUN/b.a "$COUNT"
no_faults all-at-once
check host-counted-them test "$(counter a sent)" -ge "$COUNT" -a \
	"$(counter a received)" -ge "$COUNT"

# --- no room, then room -----------------------------------------------------------

# no_room VERDICT: what fill and hold said, in $MK_RUN/fill and hold
no_room() {
	expect_text "$1-window-full" $MK_RUN/fill 'full after 64: EAGAIN$'
	expect_text "$1-then-room" $MK_RUN/fill 'right: sent 1000, '
	expect_text "$1-none-lost" $MK_RUN/hold 'right: received 1000$'
}

start_inside a /run/hold 'talk hold -l host 4 1000'
talk fill a 4 1000 > $MK_RUN/fill
wait_for 20 ended_inside a /run/hold
inside a 'cat /run/hold' > $MK_RUN/hold
no_room host-to-instance

start_inside a /run/hold 'talk hold -l b 5 1000'
inside b 'talk fill a 5 1000' > $MK_RUN/fill
wait_for 20 ended_inside a /run/hold
inside a 'cat /run/hold' > $MK_RUN/hold
no_room between-instances

# --- a receiver that is stopped for 3 seconds ----------------------------------------

# stop_inside NAME, go_inside NAME: the program that start_inside started
stop_inside() { inside "$1" 'kill -STOP $(cat /run/stop.pid)'; }
go_inside() { inside "$1" 'kill -CONT $(cat /run/stop.pid)'; }

few=$((COUNT / 5))
start_inside a /run/stop "talk count -l host 6 $few"
talk count a 6 $few > $MK_RUN/stop &
wait_for 20 sh -c "[ \$(awk '\$1 == \"sent\" { print \$2 }' /sys/kernel/multikernel/instances/a/counters) -gt $(($(counter a sent) + 500)) ]"
check stopped stop_inside a
usleep 500000
sent=$(counter a sent)
usleep 2500000
# Acks and what asks for them, a few; but no stream
check stopped-sender-waits test $(($(counter a sent) - sent)) -lt 100
check stopped-nobody-is-done sh -c "! grep -q . $MK_RUN/stop"
check stopped-goes-on go_inside a
wait_for $SECONDS_MAX ended $MK_RUN/stop
wait_for $SECONDS_MAX ended_inside a /run/stop
inside a 'cat /run/stop' > $MK_RUN/a.stop
right stopped-sender-lost-none $MK_RUN/stop $few
right stopped-receiver-lost-none $MK_RUN/a.stop $few
no_faults in-the-end
