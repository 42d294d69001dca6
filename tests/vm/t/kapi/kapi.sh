#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The in-kernel API of messages, from the host and from an instance of another
# build: test module mk_kapi is loaded on both sides and driven from here.

# shellcheck source=tests/vm/kapi.sh
. /mk/kapi.sh
plan 95

kapi_b() { kapi order "$@"; }

# both NAME COMMAND WANTED: the same from both sides
both() {
	expect_equal "host-$1" "$(kapi "$2")" "$3"
	expect_equal "b-$1" "$(kapi_b "$2")" "$3"
}

counter() { sed -n "s/^$1 //p" /sys/kernel/multikernel/instances/b/counters; }

counter_is() { [ "$(counter "$1")" -eq "$2" ]; }

b_cpu=$(apicids 2)
host_cpu=$(apicids 1)
check module insert mk_kapi
expect_exit b-up 0 spawn_kapi b 2 /boot/b
check b-module wait_for 10 log_has b '\] loaded'

# --- peers ------------------------------------------------------------------------

expect_equal peer-of-host "$(kapi get b | cut -d' ' -f 2-)" '1 b 1'
expect_equal peer-of-b "$(kapi_b get host)" '0 0 host 1'
both no-such-peer "get nobody" "$ENOENT"
expect_equal host-itself "$(kapi get host)" "$EINVAL"
expect_equal b-itself "$(kapi_b get b)" "$EINVAL"
expect_equal no-name "$(kapi get)" "$EINVAL"
expect_equal notifier-up "$(kapi seen)" 'b 1 up'
expect_equal notifier-of-those-that-were-up "$(kapi_b seen)" 'host 0 up'

# --- messages, requests ---------------------------------------------------------------

both send "send $COUNT 0 4" 0
both send-empty "send $COUNT 1000 0" 0
both send-largest "send $COUNT 1000 256" 0
both send-too-large "send $COUNT 1000 257" "$EMSGSIZE"
both request "request $ECHO 5000 hello there" 'hello there'
both range-of-types "request 29 5000" 29
both in-interrupt "request $IRQ 5000" "$EDEADLK"
both error-of-handler "request $FAIL 5000" "$EXDEV"
both unknown-type "request 999 5000" "$ENOSYS"
expect_equal unknown-type-counted "$(counter unknown)" 1
both request-too-large "small $ECHO 5000 hello" "$EMSGSIZE"
both timeout "request $SILENT 200" "$ETIMEDOUT"
both no-timeout "request $ECHO 0" "$EINVAL"
both reply-to-unknown "reply 123456" "$ENOENT"
both reply-twice "request $TWICE 5000" once
expect_equal second-reply-refused "$(kapi counts | cut -d' ' -f 3)" "$ENOENT"
late=$(counter late_replies)
expect_equal late-timeout "$(kapi request $SLEEP 300 3000)" "$ETIMEDOUT"
check late-reply-counted wait_for 10 counter_is late_replies $((late + 1))

# --- order and flow ------------------------------------------------------------------

kapi counts > /dev/null
kapi_b counts > /dev/null
both stream "stream $COUNT 1000 5000" 0
kapi request $ECHO 5000 sync > /dev/null
kapi_b request $ECHO 5000 sync > /dev/null
expect_equal host-got-all "$(kapi counts | cut -d' ' -f 1-2)" '1000 0'
expect_equal b-got-all "$(kapi_b counts | cut -d' ' -f 1-2)" '1000 0'

# While the handler of the first runs, 63 more may be under way
kapi request $SLEEP 100 4000 > /dev/null
got=$(kapi fill $COUNT)
check window-full test "${got#* }" = "$EAGAIN" -a "${got% *}" -ge 61 -a "${got% *}" -le 63
expect_equal window-still-full "$(kapi send $COUNT 100 0)" "$ETIMEDOUT"
expect_equal window-then-room "$(kapi send $COUNT 10000 0)" 0

# --- handlers ---------------------------------------------------------------------------

both type-taken "taken" "$EBUSY"
dmesg -c > /dev/null
both remove-within "request $REMOVE 5000" "$EDEADLK"
# In the instance it would be from within the handler of orders
expect_equal removed-twice "$(kapi twice)" "$ENOENT"
dmesg > "$MK_RUN/dmesg"
expect_text remove-within-said "$MK_RUN/dmesg" 'a message handler cannot be removed from within one'
expect_text removed-twice-said "$MK_RUN/dmesg" 'a message handler that is not registered'

# --- the older interface ---------------------------------------------------------------------

# heard SENDER CPU TYPE BYTES IRQ: one message, by both callbacks when IRQ is 1
heard() { echo "1: $1 to $2, type $3, $4 bytes, task 1, irq $5, bad 0"; }
expect_equal old-sent "$(kapi cpu "$b_cpu" 0x80000000 256)" 0
kapi_b request $ECHO 5000 sync > /dev/null
got=$(kapi_b heard)
from=${got#1: }
from=${from%% *}
expect_equal old-b-heard "$got" "$(heard "$from" "$b_cpu" 0x80000000 256 1)"
check old-sender-is-host test "$from" != "$b_cpu"
expect_equal old-sent-back "$(kapi_b cpu "$host_cpu" 7 0)" 0
kapi_b request $ECHO 5000 sync > /dev/null
expect_equal old-host-heard "$(kapi heard)" "$(heard "$b_cpu" "$host_cpu" 0x7 0 0)"
expect_equal old-own-cpu "$(kapi cpu "$host_cpu" 8 1)" 0
usleep 300000
got=$(kapi heard)
from=${got#1: }
from=${from%% *}
expect_equal old-own-heard "$got" "$(heard "$from" "$host_cpu" 0x8 1 1)"
both old-no-such-cpu "cpu 4095 7 4" "$ENODEV"
both old-bad-cpu "cpu -1 7 4" "$EINVAL"
both old-too-large "cpu $b_cpu 7 257" "$EINVAL"
both old-type-too-large "cpu $b_cpu 0x100000001 4" "$EINVAL"
dmesg -c > /dev/null
kapi oldtwice > /dev/null
kapi cpu "$host_cpu" 0x77 1 > /dev/null
usleep 300000
dmesg > "$MK_RUN/dmesg"
expect_text old-removed-twice-said "$MK_RUN/dmesg" 'a callback that is not registered'
expect_text old-remove-within-said "$MK_RUN/dmesg" 'a callback cannot be removed from within one'
kapi heard > /dev/null
kapi cpu "$host_cpu" 9 1 > /dev/null
check old-still-registered wait_for 5 sh -c "[ \"\$(echo heard > $module/do; cut -c 1 $module/result)\" = 1 ]"

# --- ends -------------------------------------------------------------------------------------

# In the shell's background: the module waits in mk_request() meanwhile
(kapi request $SLEEP 20000 15000 > "$MK_RUN/waited") &
usleep 500000
expect_exit kill-b 0 mkctl kill b
wait
expect_equal waiting-request "$(cat "$MK_RUN/waited")" "$EPIPE"
expect_equal send-to-dead "$(kapi send $COUNT 1000 0)" "$EPIPE"
expect_equal ended-peer "$(kapi get b)" "$EHOSTDOWN"
expect_equal notifier-down "$(kapi seen)" 'b 1 down'
expect_exit start-b 0 mkctl start b
expect_equal send-to-former "$(kapi send $COUNT 1000 0)" "$ESTALE"
expect_equal request-to-former "$(kapi request $ECHO 1000)" "$ESTALE"
check b-module-again wait_for 10 log_has b '\] loaded'
expect_equal peer-again "$(kapi get b | cut -d' ' -f 2-)" '2 b 1'
expect_equal request-again "$(kapi request $ECHO 5000 you)" you
expect_equal notifier-up-again "$(kapi seen)" 'b 2 up'

# --- modules ------------------------------------------------------------------------------------

kapi_b get host > /dev/null
expect_equal busy-request "$(kapi_b request $SLEEP 100 4000)" "$ETIMEDOUT"
check_not module-stays-while-called rmmod mk_kapi
usleep 5000000
echo 1 > $module/forget
dmesg -c > /dev/null
check module-goes rmmod mk_kapi
dmesg > "$MK_RUN/dmesg"
expect_text forgotten-handlers "$MK_RUN/dmesg" 'module mk_kapi is gone without removing its message handler'
expect_text forgotten-callbacks "$MK_RUN/dmesg" 'module mk_kapi is gone without removing its callback'
check module-comes-back insert mk_kapi
expect_exit kill-all 0 mkctl kill --all
