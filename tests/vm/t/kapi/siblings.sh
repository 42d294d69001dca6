#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The in-kernel API of messages between two instances of different builds, with
# the host as no party of it: the host's module only tells b's what to do, and b's
# tells c's.

# shellcheck source=tests/vm/kapi.sh
. /mk/kapi.sh
plan 68

# b COMMAND, c COMMAND: by the module of that instance, about the other one
b() { kapi order "$@"; }
c() { kapi order order "$@"; }

# both NAME COMMAND WANTED: the same from both sides
both() {
	expect_equal "b-$1" "$(b "$2")" "$3"
	expect_equal "c-$1" "$(c "$2")" "$3"
}

counts_of_c() { c counts | cut -d ' ' -f 1-2; }
counts_of_b() { b counts | cut -d ' ' -f 1-2; }

b_cpu=$(apicids 2)
c_cpu=$(apicids 3)
rmmod mk_kapi 2> /dev/null	# another file's
check module insert mk_kapi
expect_exit b-up 0 spawn_kapi b 2 /boot/b '"channels": ["c"]'
expect_exit c-up 0 spawn_kapi c 3 /boot/a '"channels": ["b"]'
check b-module wait_for 10 log_has b '\] loaded'
check c-module wait_for 10 log_has c '\] loaded'

# --- peers ------------------------------------------------------------------------

expect_equal peer-of-host "$(kapi get b | cut -d ' ' -f 2-)" '1 b 1'
expect_equal peer-of-b "$(b get c | cut -d ' ' -f 2-)" '1 c 1'
expect_equal peer-of-c "$(c get b | cut -d ' ' -f 2-)" '1 b 1'
expect_equal no-such-peer "$(b get d)" "$ENOENT"
usleep 300000
expect_equal b-was-told "$(b seen)" 'host 0 up, c 1 up'
expect_equal c-was-told "$(c seen)" 'host 0 up, b 1 up'

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
both request-too-large "small $ECHO 5000 hello" "$EMSGSIZE"
both timeout "request $SILENT 200" "$ETIMEDOUT"
both no-timeout "request $ECHO 0" "$EINVAL"
both reply-to-unknown "reply 123456" "$ENOENT"
both reply-twice "request $TWICE 5000" once
expect_equal second-reply-refused "$(c counts | cut -d ' ' -f 3)" "$ENOENT"

# --- order and flow ------------------------------------------------------------------

b counts > /dev/null
both stream "stream $COUNT 2000 5000" 0
both stream-synced "request $ECHO 5000 sync" sync
expect_equal c-got-all "$(counts_of_c)" '2000 0'
expect_equal b-got-all "$(counts_of_b)" '2000 0'

# While the handler of the first runs, 63 more may be under way
b request $SLEEP 100 3000 > /dev/null
got=$(b fill $COUNT)
check window-full test "${got#* }" = "$EAGAIN" -a "${got% *}" -ge 61 -a "${got% *}" -le 63
expect_equal window-still-full "$(b send $COUNT 100 0)" "$ETIMEDOUT"
expect_equal window-then-room "$(b send $COUNT 10000 0)" 0
b request $ECHO 10000 sync > /dev/null
expect_equal window-lost-none "$(counts_of_c)" "$((${got% *} + 1)) 0"

# --- the older interface ---------------------------------------------------------------------

# heard SENDER CPU TYPE BYTES IRQ: one message, by both callbacks when IRQ is 1
heard() { echo "1: $1 to $2, type $3, $4 bytes, task 1, irq $5, bad 0"; }
expect_equal old-sent "$(b cpu "$c_cpu" 0x80000000 256)" 0
b request $ECHO 5000 sync > /dev/null
expect_equal old-c-heard "$(c heard)" "$(heard "$b_cpu" "$c_cpu" 0x80000000 256 1)"
expect_equal old-sent-back "$(c cpu "$b_cpu" 7 0)" 0
c request $ECHO 5000 sync > /dev/null
expect_equal old-b-heard "$(b heard)" "$(heard "$c_cpu" "$b_cpu" 0x7 0 0)"
both old-no-such-cpu "cpu 4095 7 4" "$ENODEV"

# --- ends -------------------------------------------------------------------------------------

# In the shell's background: both modules wait meanwhile
(b request $SLEEP 15000 10000 > "$MK_RUN/waited") &
usleep 500000
expect_exit kill-c 0 mkctl kill c
wait
expect_equal waiting-request "$(cat "$MK_RUN/waited")" "$EPIPE"
expect_equal send-to-dead "$(b send $COUNT 1000 0)" "$EPIPE"
expect_equal ended-peer "$(b get c)" "$EHOSTDOWN"
expect_equal told-of-the-end "$(b seen)" 'c 1 down'
expect_exit start-c 0 mkctl start c
check c-module-again wait_for 10 log_has c '\] loaded'
expect_equal send-to-former "$(b send $COUNT 1000 0)" "$ESTALE"
expect_equal request-to-former "$(b request $ECHO 1000)" "$ESTALE"
expect_equal peer-again "$(b get c | cut -d ' ' -f 2-)" '2 c 1'
expect_equal request-again "$(b request $ECHO 5000 you)" you
expect_exit kill-all 0 mkctl kill --all
