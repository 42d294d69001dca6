#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 180
#
# Kernels that end while programs talk: -EPIPE, then -ESTALE once they run
# again; nothing that had arrived is lost, and nobody else notices.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/agents
. /mk/agents
plan 22

id() { show "$1" id; }
odd() {
	grep -E '^(unknown|refused|lost|bad_length|bad_index) ' \
		"/sys/kernel/multikernel/instances/$1/counters" | tr '\n' ' '
}

expect_exit spawn-a 0 spawn_agent a 2
expect_exit spawn-b 0 spawn_agent b 3
expect_exit spawn-doomed 0 spawn_agent doomed 4
chan "allow:$(id a):b:doomed" > /dev/null

# A sibling is killed
later sibling at a listen:5:b caller:9000 recv:3 drain send:1 poll:0 stale:20000 \
	drain poll:0
wait_for 5 has_said sibling 'listen ok'
later b at b call:a:5 send:3 stay
wait_for 5 has_said sibling 'recv 3'
expect_exit kill-b 0 mkctl kill b
check pipe-at-a wait_for 5 has_said sibling 'send 0 EPIPE 132'
expect_equal hup-at-a "$(grep poll $MK_RUN/sibling)" 'poll in rdhup hup'
expect_later program-of-the-killed 'call ok;send 3;stay' b
expect_exit start-b 0 mkctl start b
expect_later stale-at-a \
	'listen ok;caller out;recv 3;drain 0 EPIPE 132;send 0 EPIPE 132;poll in rdhup hup;stale yes;drain 0 ESTALE 133;poll in rdhup hup;' \
	sibling
expect_steps again 'call ok;echo 50 ok;' at a call:b:0 echo:50:64

# The peer of the host panics, with messages that were not read yet
later there at doomed listen:5:host caller:9000 send:60 sleep:60000
wait_for 5 has_said there 'listen ok'
later here /mk/bin/chan call:doomed:5 recv:1 sleep:2000 drain send:1 stale:20000
wait_for 5 has_said here 'recv 1'
# Someone who calls meanwhile, from another instance
later aside at a listen:6:doomed caller:9000 recv:1 drain
wait_for 5 has_said aside 'listen ok'
later aside2 at doomed call:a:6 send:1 stay
wait_for 5 has_said aside 'recv 1'
later crash sh_at doomed 'echo c > /proc/sysrq-trigger'
check panicked wait_for 10 has_state doomed panicked
check read-what-had-arrived wait_for 5 has_said here 'drain 59 EPIPE 132'
expect_later sibling-of-the-panic \
	'listen ok;caller out;recv 1;drain 0 EPIPE 132;' aside
expect_exit start-doomed 0 mkctl start doomed
expect_later stale-after-panic \
	'call ok;recv 1;sleep;drain 59 EPIPE 132;send 0 EPIPE 132;stale yes;' here

# One that hangs with interrupts off does not answer
later spin sh_at doomed "insmod /lib/mk/\$(uname -r)/mk_spin.ko"
sleep 1
expect_steps hung 'call ETIMEDOUT 141;' chan call:doomed:0:500
expect_steps hung-for-a-sibling 'call ETIMEDOUT 141;' at a call:doomed:0:500
later waits /mk/bin/chan call:doomed:0:20000
sleep 1
expect_exit kill-the-hung 0 mkctl kill doomed
expect_later call-ends-with-it 'call EPIPE 132;' waits
expect_steps others-are-well 'call ok;echo 100 ok;' at a call:b:0 echo:100:256
expect_equal nothing-odd-from-a "$(odd a)" \
	'lost 0 bad_length 0 bad_index 0 unknown 0 refused 0 '
expect_equal nothing-odd-from-b "$(odd b)" \
	'lost 0 bad_length 0 bad_index 0 unknown 0 refused 0 '
