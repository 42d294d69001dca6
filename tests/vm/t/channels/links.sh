#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Channels between two instances: who may, their rings, and what becomes of
# them. The region has room for a few pairs of rings only, so a leak is seen.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/agents
. /mk/agents
plan 33

ROUNDS=12
id() { show "$1" id; }
peers() { sh_at "$1" 'ls /sys/kernel/multikernel/peers' | tr '\n' ' '; }

expect_exit spawn-a 0 spawn_agent a 2
expect_exit spawn-b 0 spawn_agent b 3
expect_exit spawn-c 0 spawn_agent c 4
expect_steps unknown 'call ENOENT 128;' at a call:nobody:5
expect_steps not-allowed 'call EACCES 131;' at a call:b:0
expect_steps self 'call EINVAL 130;' at a call:a:0
expect_equal no-link-yet "$(peers a)" 'host '

# Whom may it talk to?
expect_steps allow-unknown-instance 'allow ENOENT 19;' chan allow:99:b
expect_steps allow-bad-name 'allow EINVAL 16;' chan "allow:$(id a):B_"
expect_steps allow-host 'allow EINVAL 16;' chan "allow:$(id a):host"
expect_steps allow 'allow ok;' chan "allow:$(id a):nobody:b"
expect_steps allow-in-an-instance 'allow other 3;' at a allow:1:b
expect_steps echo-a-b 'call ok;echo 300 ok;' at a call:b:0 echo:300:100
expect_steps echo-b-a 'call ok;echo 300 ok;' at b call:a:0 echo:300:100
expect_steps nobody-listens 'call ECONNREFUSED 136;' at a call:b:5
expect_steps still-not-allowed 'call EACCES 131;' at c call:b:0
expect_equal one-link-at-a "$(peers a)" 'b host '
expect_equal one-link-at-b "$(peers b)" 'a host '
expect_equal no-link-at-c "$(peers c)" 'host '

# Exactly the two rings are mapped, write-back
maps() { sh_at "$1" 'grep -c ioremap /proc/vmallocinfo'; }
expect_equal two-rings-more "$(($(maps a) - $(maps c)))" 2

# Both ways at once, while the host does the same with both
later there at b listen:5:a caller:9000 send:2000:200 recv:2000 drain
wait_for 5 has_said there 'listen ok'
later two at a call:b:5 recv:2000 send:2000:100 get
later three /mk/bin/chan call:a:0 echo:2000:256
expect_steps host-meanwhile 'call ok;echo 2000 ok;' chan call:b:0 echo:2000:8
expect_later host-meanwhile-too 'call ok;echo 2000 ok;' three
expect_later both-ways-a \
	'call ok;recv 2000;send 2000;get state 2 peer b port 5 sent 2000 received 2000 lost 0;' two
expect_later both-ways-b 'listen ok;caller out;send 2000;recv 2000;drain 0 end;' there

# No longer allowed: the link ends, and with it what was on it
later there at b listen:5:a caller:9000 recv:2 drain send:1
wait_for 5 has_said there 'listen ok'
later two at a call:b:5 send:2 drain
wait_for 5 has_said there 'recv 2'
expect_steps forbid 'allow ok;' chan "allow:$(id a)"
expect_later forbidden-a 'call ok;send 2;drain 0 EPIPE 132;' two
expect_later forbidden-b \
	'listen ok;caller out;recv 2;drain 0 EPIPE 132;send 0 EPIPE 132;' there
expect_steps forbidden 'call EACCES 131;' at b call:a:0
chan "allow:$(id b):a" > /dev/null
expect_steps allowed-again 'call ok;echo 10 ok;' at a call:b:0 echo:10:8

# One end starts again and again: each time with new rings, and the old ones are
# used again
round() {
	mkctl kill b > /dev/null && mkctl start b > /dev/null &&
		sh_at a 'ls /sys/kernel/multikernel/peers' | grep -qx host &&
		at a call:b:0 echo:10:8 | grep -qx 'echo 10 ok'
}
all_rounds() {
	mk_i=0
	while [ $mk_i -lt $ROUNDS ]; do
		round || return
		mk_i=$((mk_i + 1))
	done
}
check restarts all_rounds
expect_equal still-one-link "$(peers a)" 'b host '

# Does not run
mkctl kill c > /dev/null
chan "allow:$(id c):a" > /dev/null
expect_steps down 'call EHOSTDOWN 129;' at a call:c:0
expect_steps down-for-the-host 'call EHOSTDOWN 129;' chan call:c:0
