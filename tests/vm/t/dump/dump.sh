#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl dump of an instance that panicked, of one that spins with interrupts off,
# of one that was killed then, and of one that lives. The host and a sibling talk
# all the while.
# timeout: 250

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/talk.sh
. /mk/talk.sh
plan 69

boot_id() { cat /proc/sys/kernel/random/boot_id; }
received_more() { [ "$(counter sibling received)" -gt "$1" ]; }
has_beaten_more() { [ "$(show "$1" beats)" -gt "$2" ]; }

# goes_on VERDICT: the sibling talks with the host
goes_on() {
	check "$1-sibling-talks" wait_for 20 received_more $(($(counter sibling received) + 100))
	expect_equal "$1-sibling-same-boot" "$(show sibling boot_id)" "$sibling"
}

# take NAME: out of the VM, for gdb
take() {
	check "$1-taken-out" sh -c "cat /run/$1.zst > $(mk_port "mk.$1")"
	rm "/run/$1.zst"
}

# dumped VERDICT FILE REGISTERS: what mkctl said in $OUT, and the file
dumped() {
	expect_equal "$1-registers" "$(json "$OUT" nr_registers)" "$3"
	expect_equal "$1-vmcoreinfo" "$(json "$OUT" vmcoreinfo)" true
	expect_equal "$1-mapped" "$(json "$OUT" mapped_complete)" true
	expect_equal "$1-size" "$(json "$OUT" file_bytes)" "$(stat -c %s "$2")"
}

expect_exit sibling-up 0 spawn_talker sibling 6 ''
start_inside sibling /run/host "talk endless -l host 1"
talk endless sibling 1 > $MK_RUN/talk &
talker=$!
sibling=$(show sibling boot_id)
host=$(boot_id)
goes_on before

# --- after a panic ------------------------------------------------------------------

expect_exit panicked-up 0 mkctl spawn "$(make_config panicked 4-5 "$MK_SMALL" \
	'loglevel=7 mk.run="echo marker: $$; sleep 1; echo c > /proc/sysrq-trigger"')"
check panicked-state wait_for 20 has_state panicked panicked
expect_exit panicked-dump 0 mkctl dump panicked -j -o /run/panicked
dumped panicked /run/panicked 2
# The file has holes: most of its memory was never touched
check panicked-sparse test $(($(stat -c %b /run/panicked) / 2)) -lt $((MK_SMALL_MIB * 1024 * 9 / 10))
expect_equal panicked-not-frozen "$(json "$OUT" frozen)" false
expect_exit panicked-zstd 0 mkctl dump panicked -j -z -o /run/panicked.zst
expect_exit panicked-dmesg 0 mkctl dump panicked --dmesg
cp "$OUT" $MK_RUN/dmesg
expect_text panicked-dmesg-first $MK_RUN/dmesg '^\[ +0\.000000\] Linux version 6\.12\.'
expect_text panicked-dmesg-last $MK_RUN/dmesg '\] Kernel panic - not syncing: sysrq triggered crash'
data dmesg $MK_RUN/dmesg
goes_on panicked

# A file that exists stays as it is
sum=$(md5sum /run/panicked)
remember
expect_refusal exists 5 'panicked: /run/panicked: it exists|/run/panicked: it exists' \
	mkctl dump panicked -o /run/panicked
expect_equal exists-unchanged "$(md5sum /run/panicked)" "$sum"
expect_exit stdout 0 sh -c 'mkctl dump panicked -o - | md5sum'
expect_equal stdout-same "$(cut -d' ' -f1 "$OUT")" "${sum%% *}"
rm /run/panicked

# A disk that is full
mkdir /run/small
check small-disk mount -t tmpfs -o size=1M tmpfs /run/small
expect_exit disk-full 1 mkctl dump panicked -o /run/small/core
expect_text disk-full-says "$ERR" 'small/core: cannot write: No space left on device'
expect_equal disk-full-no-partial-file "$(ls -A /run/small)" ''
umount /run/small

take panicked
expect_exit panicked-starts-again 0 mkctl start panicked
check panicked-second-boot wait_for 20 has_state panicked panicked
save_instance_log panicked
mkctl rm panicked

# --- one that was never started ---------------------------------------------------------

config=$(make_config loaded 4 "$MK_SMALL")
MKCTL_FAIL_STEP=start mkctl spawn --keep "$config" > /dev/null 2>&1
expect_equal loaded-state "$(state loaded)" loaded
remember
expect_refusal never-started 4 'loaded: no kernel has run' mkctl dump loaded -o /run/loaded
check_not never-started-no-file test -e /run/loaded -o -e /run/loaded.partial
mkctl rm loaded

# --- one that spins with interrupts off -----------------------------------------------------

expect_exit spun-up 0 mkctl spawn "$(make_config spun 4-5 "$MK_SMALL" \
	'loglevel=7 mk.run="cd /lib/mk/$(uname -r); insmod ./mk_spin.ko cpu=1; sleep 1000"')"
check spun-unresponsive wait_for 20 has_state spun unresponsive
expect_exit hung-dump 0 mkctl dump spun -j -o /run/hung
expect_equal hung-size "$(json "$OUT" file_bytes)" "$(stat -c %s /run/hung)"
expect_equal hung-still "$(state spun)" unresponsive
rm /run/hung
expect_exit spun-kill 0 mkctl kill spun
expect_exit spun-dump 0 mkctl dump spun -j -z -o /run/spun.zst
dumped spun /run/spun.zst 2
goes_on spun
take spun
mkctl rm spun

# --- one that lives ---------------------------------------------------------------------------

expect_exit live-up 0 mkctl spawn "$(make_config live 4-5 "$MK_SMALL" \
	'loglevel=7 mk.run="sleep 1000"')"
live=$(show live boot_id)
sleep 1	# until it has nothing to do
begin=$(mk_now_ms)
expect_exit live-dump 0 mkctl dump live -j -z -o /run/live.zst
echo "mk-test: a dump of $MK_SMALL took $(($(mk_now_ms) - begin)) ms"
dumped live /run/live.zst 2
expect_equal live-was-frozen "$(json "$OUT" frozen)" true
expect_equal live-runs "$(state live)" running
check live-beats wait_for 20 has_beaten_more live "$(show live beats)"
take live

# slow_dump: one whose reader never comes; waits until it has frozen the instance
mkfifo /run/fifo
slow_dump() {
	# shellcheck disable=SC2217 # it keeps it open and reads nothing
	sleep 1000 < /run/fifo &
	reader=$!
	mkctl dump live -o - > /run/fifo 2> "$ERR" &
	dump=$!
	wait_for 20 has_state live frozen
}

# Interrupted, and killed, in the middle of it: it goes on all the same
check interrupted-frozen slow_dump
kill -TERM "$dump"
wait "$dump"
expect_equal interrupted-status $? 143
check interrupted-runs wait_for 5 has_state live running
kill "$reader"
check killed-frozen slow_dump
kill -9 "$dump"
check killed-runs wait_for 5 has_state live running
kill "$reader"
check live-beats-afterwards wait_for 20 has_beaten_more live "$(show live beats)"
expect_equal live-same-boot "$(show live boot_id)" "$live"
expect_exit live-not-frozen 0 mkctl dump live --live -j -o /run/not-frozen
expect_equal live-not-frozen-says "$(json "$OUT" frozen)" false
goes_on live
expect_equal host-same-boot "$(boot_id)" "$host"
expect_equal nothing-wrong "$(grep -c WRONG $MK_RUN/talk)" 0
kill $talker
