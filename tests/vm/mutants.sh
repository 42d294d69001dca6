# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machines loader and loader-long: mk.count= broken kernel images
# are loaded, none is started. Each is refused, or what the loader reads of it is
# what it reads of the unbroken one (see progs/mutants.c), and nothing has
# changed for the host.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 10

MK_KASAN=0
! is_debug || MK_KASAN=1
COUNT=$(sed -n 's/.*mk\.count=\([0-9]*\).*/\1/p' /proc/cmdline)
COUNT=$((COUNT / MK_SLOW))
SEED=$(sed -n 's/.*mk\.seed=\([0-9]*\).*/\1/p' /proc/cmdline)
SEED=${SEED:-$(date +%s)000}
echo "mk-test: seed $SEED"

total() { sed -n "s/.*total .* $1 \([0-9]*\).*/\1/p" "$MK_RUN/mutants"; }

# All that is free or a cache, KiB; some waits at a CPU for its next use. KASAN sets
# freed objects aside, which only kmemleak can tell from lost ones, and keeps a byte
# for every eight of vmalloc addresses until these are used again.
free_kib() {
	echo 3 > /proc/sys/vm/drop_caches
	awk -v kasan="$MK_KASAN" '/^(MemFree|Buffers|Cached|SReclaimable):/ { free += $2 }
		/^SUnreclaim:/ && kasan { free += $2 }
		/unpurged/ && kasan { free += $2 / 8 / 1024 }
		/^ +count:/ { free += 4 * $2 }
		END { printf "%d\n", free }' /proc/meminfo /proc/zoneinfo /proc/vmallocinfo
}
free_again() { [ "$(free_kib)" -ge $((free - 512)) ]; }

# It has all that a load wants: memory, CPUs
MKCTL_FAIL_STEP=load mkctl spawn "$(make_config holder 1 "$MK_SMALL")" --keep > /dev/null 2>&1
expect_equal there "$(state holder)" created
# What the first ones leave for the next ones is no loss
/mk/bin/mutants /boot/a /boot/a.bz holder 1 10 > $MK_RUN/mutants
expect_equal warm-up $? 0
remember
free=$(free_kib)
# All but what a busy computer makes a virtual machine say
host_says() { dmesg | grep -vE 'hrtimer: interrupt took|clocksource'; }
host_says > $MK_RUN/dmesg

begin=$(mk_now_ms)
/mk/bin/mutants /boot/a /boot/a.bz holder "$SEED" "$COUNT" > $MK_RUN/mutants
mk_rc=$?
cat $MK_RUN/mutants
counted $(($(total refused) + $(total taken) + $(total wrong))) 'broken images'
echo "mk-test: $COUNT mutants took $(($(mk_now_ms) - begin)) ms"
expect_equal refused-or-equal "$mk_rc $(grep -c WRONG $MK_RUN/mutants)" '0 0'
[ $mk_rc -eq 0 ] || grep WRONG $MK_RUN/mutants | head -n 5
# That they were broken at all, and that not all were broken in vain
check many-refused test "$(total refused)" -ge $((COUNT / 2))
check some-equal test "$(total taken)" -ge $((COUNT / 20))
reasons=5
[ "$COUNT" -ge 100 ] || reasons=3
check many-reasons test "$(grep -c 'reason [0-9]*: ' $MK_RUN/mutants)" -ge $reasons

host_says | diff $MK_RUN/dmesg - > $MK_RUN/said
expect_equal host-says-nothing "$(cat $MK_RUN/said)" ''
expect_unchanged host-unchanged
check memory-is-free-again wait_for 10 free_again
echo "mk-test: free $free KiB, then $(free_kib) KiB"
mkctl rm holder > /dev/null
expect_exit good-one-boots 0 mkctl spawn "$(make_config good 1 "$MK_SMALL" loglevel=7 /boot/a.bz)"
