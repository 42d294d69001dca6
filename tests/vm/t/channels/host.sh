#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 180
#
# Channels between the host and an instance.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/agents
. /mk/agents
plan 37

# Before there is anybody
expect_steps unknown-peer 'call ENOENT 128;' chan call:a:5
expect_steps self 'call EINVAL 130;' chan call:host:5
expect_steps bad-port 'call EINVAL 135;' chan call:a:65536
expect_steps listen-at-the-echo 'listen EINVAL 135;' chan listen:0
expect_steps no-name 'call ENOENT 128;' chan call::5
expect_steps endless-name 'call ENOENT 128;' chan \
	call:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:5
expect_exit not-named-host 3 mkctl spawn "$(make_config host 2 "$MK_SMALL")"
check write-before-a-call sh -c \
	'/mk/bin/chan listen:5 send:1 | tail -n 1 | grep -qx "send 0 ENOTCONN 145"'

expect_exit spawn 0 spawn_agent a 2
check agent wait_for 20 log_has a 'agent: ready'
expect_steps echo-in-the-instance 'call ok;echo 500 ok;echo 100 ok;' \
	chan call:a:0 echo:500:8 echo:100:256
expect_steps echo-in-the-host 'call ok;echo 500 ok;echo 100 ok;' \
	at a call:host:0 echo:500:8 echo:100:256
expect_steps nobody-listens 'call ECONNREFUSED 136;' chan call:a:5
expect_steps nobody-listens-in-the-host 'call ECONNREFUSED 136;' \
	at a call:host:5

# The echo does not hoard: what is neither read nor credited is not sent
expect_steps echo-is-bounded \
	'call ok;nonblock;fill 128 EAGAIN 138;get state 2 peer a port 0 sent 128 received 64 lost 0;block;recv 128;nonblock;recv 0 EAGAIN 144;' \
	chan call:a:0 nonblock fill get block recv:128 nonblock recv:1

# The instance listens
later there at a listen:5 caller:5000 recv:100 send:3:256 drain get
wait_for 5 has_said there 'listen ok'
expect_steps call 'call ok;send 100;recv 3;shut;' \
	chan call:a:5 send:100 recv:3 shut
expect_later called \
	'listen ok;caller out;recv 100;send 3;drain 0 end;get state 3 peer host port 5 sent 3 received 100 lost 0;' \
	there

# The host listens; one caller each, the oldest end first; whom is asked for
later here1 /mk/bin/chan listen:6:b caller:15000
later here2 /mk/bin/chan listen:6:a caller:9000 recv:1 drain
wait_for 5 has_said here2 'listen ok'
later here3 /mk/bin/chan listen:6 caller:9000 recv:2 drain
wait_for 5 has_said here3 'listen ok'
expect_steps first-caller 'call ok;send 1;' at a call:host:6 send:1
expect_steps second-caller 'call ok;send 2;' at a call:host:6 send:2
expect_steps third-caller 'call ECONNREFUSED 136;' at a call:host:6
expect_later first-called 'listen ok;caller out;recv 1;drain 0 end;' here2
expect_later second-called 'listen ok;caller out;recv 2;drain 0 end;' here3
kill "$(cat $MK_RUN/here1.pid)"
expect_steps call-of-itself-after-all 'call EINVAL 130;' at a call:a:6

# Full, then room again; a stopped receiver loses nothing. Room for one may be all
# at first: the answer comes when all have been read.
later there at a listen:5 caller:5000 sleep:2000 recv:64 send:1 drain
wait_for 5 has_said there 'listen ok'
expect_steps full \
	'call ok;nonblock;fill 64 EAGAIN 138;room nothing;room out;poll in;recv 1;send 10;' \
	chan call:a:5 nonblock fill room:500 room:5000 poll:5000 recv:1 send:10
expect_later got-all 'listen ok;caller out;sleep;recv 64;send 1;drain 10 end;' there

sh_at a 'cp /bin/chan /bin/victim'
later there /mk/bin/chan at a 'victim listen:5 caller:5000 drain'
wait_for 5 has_said there 'listen ok'
sh_at a 'killall -STOP victim'
later here /mk/bin/chan call:a:5 send:2000 shut
sleep 3
check receiver-is-stopped kill -0 "$(cat $MK_RUN/here.pid)"
sh_at a 'killall -CONT victim'
expect_later sent-to-the-stopped 'call ok;send 2000;shut;' here
expect_later got-while-stopped 'listen ok;caller out;drain 2000 end;' there

# Odd messages
later there at a listen:5 caller:5000 send:1:256 recv:1 sleep:500
wait_for 5 has_said there 'listen ok'
expect_steps odd-messages \
	'call ok;poll in;small EMSGSIZE 140;recv 1;big EMSGSIZE 140;empty EINVAL 143;send 1;' \
	chan call:a:5 poll:5000 small recv:1 big empty send:1
expect_later got-the-right-one 'listen ok;caller out;send 1;recv 1;sleep;' there

# What was sent before a close arrives, even to one that is slow
later there at a listen:5 caller:5000 sleep:1000 poll:1000 drain send:1 poll:0
wait_for 5 has_said there 'listen ok'
expect_steps send-and-close 'call ok;send 60;shut;' chan call:a:5 send:60 shut
expect_later closed \
	'listen ok;caller out;sleep;poll in rdhup;drain 60 end;send 0 EPIPE 137;poll in rdhup;' there

# kill -9 of a program is a close
later there /mk/bin/chan at a 'victim listen:5 send:0 caller:5000 send:2 stay'
wait_for 5 has_said there 'listen ok'
later here /mk/bin/chan call:a:5 recv:2 drain send:1
wait_for 5 has_said here 'recv 2'
sh_at a 'killall -9 victim'
expect_later other-program-killed 'call ok;recv 2;drain 0 end;send 0 EPIPE 137;' here
later there at a listen:5 caller:5000 recv:1 drain send:1
wait_for 5 has_said there 'listen ok'
later here /mk/bin/chan call:a:5 send:1 stay
wait_for 5 has_said there 'recv 1'
kill -9 "$(cat $MK_RUN/here.pid)"
expect_later own-program-killed \
	'listen ok;caller out;recv 1;drain 0 end;send 0 EPIPE 137;' there

# As many ends as there may be; none is lost by closing them
many() { sh -c "ulimit -n 2048; exec /mk/bin/chan $*"; }
expect_steps many-ends 'open 1024 ENOSPC 139;' many open:1050
expect_steps many-ends-again 'open 1024;' many open:1024

counters=/sys/kernel/multikernel/instances/a/counters
expect_equal nothing-odd-was-said \
	"$(grep -E '^(unknown|refused|lost|bad_length|bad_index) ' $counters | tr '\n' ';')" \
	'lost 0;bad_length 0;bad_index 0;unknown 0;refused 0;'
