#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A PREEMPT_RT instance measures its latencies with cyclictest for 30 s, while the
# host is kept busy with hackbench. What it measures is written down, and no test:
# here the CPUs of both kernels are threads of one emulator.
# timeout: 150
# shellcheck disable=SC2016 # programs of awk

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 10

seconds=30 interval=10000
loops=$((seconds * 1000000 / interval))

# The instance's initramfs: all files of cyclictest that this machine has
cp /boot/instance.cpio /run/rt.cpio
{
	echo usr
	echo usr/bin
	echo usr/bin/cyclictest
	(cd / && find lib/x86_64-linux-gnu lib64)
	(cd / && find lib -maxdepth 0)
} | sort -u | (cd / && cpio -o -H newc 2>/dev/null) >> /run/rt.cpio

# idle: ticks for which the host's CPUs had nothing to do, and all of them
cpu_ticks() { awk '/^cpu / { print $5 + $6, $2 + $3 + $4 + $5 + $6 + $7 + $8 }' /proc/stat; }

# The rounds of hackbench that ended well while a file is there
load() {
	n=0
	while [ -e /run/load ]; do
		hackbench -p -g 4 -l 100 > /dev/null || break
		n=$((n + 1))
		echo $n > /run/rounds
	done
}

cyclictest="mkdir -p /dev/shm; cyclictest -q -m -t 2 -a 0-1 -p 80 -i $interval -d 0 -D $seconds; echo rt: exit \$?"
expect_exit spawn 0 mkctl spawn \
	"$(make_config rt 2-3 128M "loglevel=7 mk.run=\"uname -v; $cyclictest\"" \
		/boot/rt /run/rt.cpio)"
echo 0 > /run/rounds
: > /run/load
load &
cpu_ticks > /run/ticks-before
begin=$(mk_now_ms)
check cyclictest-ends wait_for $((seconds + 30)) log_has rt 'rt: exit [0-9]+$'
took=$(($(mk_now_ms) - begin))
cpu_ticks > /run/ticks-after
rm /run/load
wait

mkctl logs rt > "$MK_RUN/log"
expect_text says-preempt-rt "$MK_RUN/log" '#1 SMP PREEMPT_RT '
expect_text cyclictest-exit "$MK_RUN/log" 'rt: exit 0$'
check cyclictest-ran-its-time test $took -ge $(((seconds - 2) * 1000))

# numbers: THREAD LOOPS MIN AVG MAX, from its two lines at the end
sed -nE 's/.*T: *([0-9]+) .* C: *([0-9]+) Min: *([0-9]+) Act: *[0-9]+ Avg: *([0-9]+) Max: *([0-9]+).*/\1 \2 \3 \4 \5/p' \
	"$MK_RUN/log" > /run/numbers
expect_equal two-threads "$(wc -l < /run/numbers)" 2
# A wake-up that comes more than an interval late leaves loops out; of an
# emulated CPU that has to share, a fourth has to be there.
check enough-loops awk -v least=$((loops / 4)) -v most=$((loops + 10)) \
	'$2 < least || $2 > most { bad = 1 } END { exit bad || NR != 2 }' /run/numbers
check numbers-in-order awk '$3 > $4 || $4 > $5 || $5 == 0 { bad = 1 } END { exit bad || NR != 2 }' /run/numbers

check hackbench-ran test "$(cat /run/rounds)" -ge 1
busy=$(paste /run/ticks-before /run/ticks-after | awk '{ all = $4 - $2; print int(100 * (all - ($3 - $1)) / all) }')
# More than one of its four CPUs all the time
check host-was-busy test "$busy" -ge 25

awk -v rounds="$(cat /run/rounds)" -v busy="$busy" -v took=$took -v interval=$interval '
	{ list = list sep sprintf("{\"thread\":%d,\"loops\":%d,\"min_us\":%d,\"avg_us\":%d,\"max_us\":%d}", $1, $2, $3, $4, $5); sep = "," }
	END { printf "{\"took_ms\":%d,\"interval_us\":%d,\"hackbench_rounds\":%d,\"host_busy_percent\":%d,\"threads\":[%s]}\n", took, interval, rounds, busy, list }' \
	/run/numbers > /run/cyclictest.json
data cyclictest /run/cyclictest.json
