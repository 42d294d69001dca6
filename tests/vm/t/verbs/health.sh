#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl wait, events, freeze and thaw on real instances; ls with the last end.
# timeout: 100

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 33

T=$((20 * MK_SLOW))
# Of what events -j said: "created loaded ..."; running comes again with "ready"
states() { sed -n 's/.*"state":"\([a-z]*\)".*/\1/p' "$1" | uniq | tr '\n' ' '; }
beats() { show "$1" beats; }
ping_once() { mkctl msg ping "$1" -c 1 -t 2; }

# A state that lasts for a moment is not missed: the waiting begins before
mkctl spawn "$(make_config duo 4-5 "$MK_SMALL" loglevel=7)" > /dev/null
mkctl kill duo > /dev/null
mkctl wait duo --for starting --ended --timeout $T > $MK_RUN/waited 2>&1 &
waiter=$!
sleep 1
expect_exit start 0 mkctl start duo
check short-state-is-seen wait $waiter
expect_equal short-state-said "$(cat $MK_RUN/waited)" 'duo: starting'
expect_exit wait-there 0 mkctl wait duo --for running
expect_exit wait-timeout 7 mkctl wait duo --for panicked --timeout 1
expect_exit wait-nobody 4 mkctl wait nobody --for running
mkctl ls > "$OUT"
expect_text ls-last-end "$OUT" '^duo +1 +running +- .* 2 +killed \(kill\) '

# What an end leads to while it is waited for
mkctl wait duo --for running,frozen,panicked --timeout $T > $MK_RUN/waited 2>&1
mkctl wait duo --for panicked --timeout $T > $MK_RUN/waited 2>&1 &
waiter=$!
sleep 1
mkctl stop duo > /dev/null
wait $waiter
expect_equal wait-ended-otherwise $? 5
expect_text wait-ended-says $MK_RUN/waited 'duo: it (has ended: stopped|is stopping) \(stop\), so'

# Its life, of the kernel's memory and as it goes on
mkctl events -j duo > $MK_RUN/events
expect_equal events "$(states $MK_RUN/events)" 'created loaded starting running killed starting running stopping stopped '
mkctl events -f duo -j > $MK_RUN/followed 2> "$ERR" &
follower=$!
mkctl start duo > /dev/null
mkctl kill duo > /dev/null
mkctl rm duo > /dev/null
check events-follow-to-the-removal wait $follower
expect_equal events-followed "$(states $MK_RUN/followed)" \
	"$(states $MK_RUN/events)starting running killed gone "
expect_equal events-none-lost "$(grep -c '"lost":0' $MK_RUN/followed)" "$(wc -l < $MK_RUN/followed)"
expect_equal events-in-order "$(sed 's/.*"seq":\([0-9]*\),.*/\1/' $MK_RUN/followed | sort -n -u | wc -l)" \
	"$(wc -l < $MK_RUN/followed)"
expect_exit wait-gone 0 mkctl wait duo --for gone

# Frozen: no beat, no answer; thawed: the same boot, and all goes on
mkctl spawn "$(make_config ice 4-5 "$MK_SMALL" loglevel=7)" > /dev/null
mkctl spawn "$(make_config warm 2 "$MK_SMALL" loglevel=7)" > /dev/null
boot_id=$(show ice boot_id)
check answers wait_for 10 ping_once ice
expect_exit freeze 0 mkctl freeze ice
expect_equal freeze-state "$(state ice)" frozen
before=$(beats ice)
sleep 6
expect_equal frozen-beats-not "$(beats ice)" "$before"
expect_equal frozen-stays-so "$(state ice)" frozen
check_not frozen-answers-not ping_once ice
check frozen-others-answer ping_once warm
expect_exit freeze-twice 5 mkctl freeze ice
expect_exit frozen-stop 5 mkctl stop ice
expect_exit thaw 0 mkctl thaw ice
expect_exit thaw-waited 0 mkctl wait ice --for running --timeout $T
check thawed-answers wait_for 10 ping_once ice
beats_again() { [ "$(beats ice)" -gt "$before" ]; }
check thawed-beats wait_for 5 beats_again
expect_equal thawed-boot "$(show ice boot_id)" "$boot_id"
expect_exit thaw-twice 5 mkctl thaw ice
mkctl freeze ice > /dev/null
expect_exit frozen-kill 0 mkctl kill ice
expect_equal frozen-killed "$(state ice) $(show ice cause)" 'killed kill'
expect_exit frozen-start 0 mkctl start ice
clear_instances
