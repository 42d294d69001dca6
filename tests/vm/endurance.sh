# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machines endurance and endurance-long: mk.cycles= times an
# instance is spawned beside another one that lives, and that other one stopped
# and removed; then the same with kill. So two live at once all the time, each
# ends as often as it was spawned, and at the end the host has what it had: memory,
# slab, pool, CPUs, descriptors, iomem, and all else that is in snapshot.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 21

CYCLES=$(sed -n 's/.*mk\.cycles=\([0-9]*\).*/\1/p' /proc/cmdline)
CYCLES=$(((CYCLES + MK_SLOW - 1) / MK_SLOW / 2 * 2))
# What comes once (caches of the kernel's own, first use of a file) has come
WARM_UP=2

# In KiB. Noise is pages of processes that come and go, and stacks that the
# kernel keeps for the next one. A page lost in each of the 100 cycles of a long
# round is as much; what comes from vmalloc is compared to the byte.
FREE_TOLERANCE=400
SLAB_TOLERANCE=128
# The kernel's count of open files may be wrong by so many for each CPU
FILES_TOLERANCE=32

# others_online 0|1: take all but CPU 0 offline, or online: what waits at a CPU (free
# pages and objects, counts) is handed back when it goes
others_online() {
	for mk_cpu in 1 2 3; do
		echo "$1" > /sys/devices/system/cpu/cpu$mk_cpu/online
	done
}

# values: "free slab vmalloc files": KiB, KiB, bytes, and how many are open. Caches
# are free; what is in files here is shown as cache. The kernel keeps stacks of
# dead tasks for new ones.
values() {
	others_online 0
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(MemFree|Buffers|Cached|SReclaimable):/ { free += $2 }
		/^SUnreclaim:/ { slab = $2 }
		/^ +count:/ { free += 4 * $2 }
		END { printf "%d %d ", free, slab }' /proc/meminfo /proc/zoneinfo
	awk '!/kernel_clone|fork_idle|unpurged/ { bytes += $2 }
		END { printf "%d ", bytes }' /proc/vmallocinfo
	awk '{ print $1 }' /proc/sys/fs/file-nr
	others_online 1
}

bad() {
	echo "mk-test: cycle $cycle: $*"
	faulty="$faulty cycle $cycle: $*;"
}

# end HOW NAME STATE: it ends, says so, and is removed
end() {
	mkctl "$1" "$2" > "$OUT" 2> "$ERR" || bad "$1 gave $?: $(tail -n 2 "$ERR")"
	[ "$(cat "/sys/kernel/multikernel/instances/$2/state")" = "$3" ] ||
		bad "$2 is $(state "$2"), not $3"
	if [ $((cycle % 10)) -eq 0 ]; then
		mkctl logs "$2" > $MK_RUN/log
		save_log "$2.$1.$cycle" $MK_RUN/log
	fi
	mkctl rm "$2" > "$OUT" 2> "$ERR" || bad "rm gave $?: $(tail -n 2 "$ERR")"
}

spawn() {
	mkctl spawn "$MK_RUN/$1.json" > "$OUT" 2> "$ERR" ||
		bad "spawn gave $?: $(tail -n 2 "$ERR")"
}

# cycles HOW STATE COUNT: one lives at the beginning, and one at the end
cycles() {
	cycle=0
	while [ $cycle -lt "$3" ]; do
		cycle=$((cycle + 1))
		[ $((cycle % 2)) -eq 0 ] && new=a old=b || new=b old=a
		spawn "$new"
		end "$1" "$old" "$2"
		[ -z "$faulty" ] || return
	done
}

# settled: is all as in $MK_RUN/values? Some is given back a moment later (RCU,
# works); a leak never is.
settled() {
	read -r free slab vmalloc files < $MK_RUN/values
	values > $MK_RUN/values.now
	read -r free_now slab_now vmalloc_now files_now < $MK_RUN/values.now
	[ "$free_now" -ge $((free - FREE_TOLERANCE)) ] &&
		[ "$slab_now" -le $((slab + SLAB_TOLERANCE)) ] &&
		[ "$vmalloc_now" -le "$vmalloc" ] && [ "$files_now" -le $((files + FILES_TOLERANCE)) ]
}

# nothing_lost VERDICT
nothing_lost() {
	wait_for 10 settled
	echo "mk-test: $1: free, slab, vmalloc, files: $(cat $MK_RUN/values); then $(cat $MK_RUN/values.now)"
	check "$1-free-memory" test "$free_now" -ge $((free - FREE_TOLERANCE))
	check "$1-slab" test "$slab_now" -le $((slab + SLAB_TOLERANCE))
	check "$1-vmalloc" test "$vmalloc_now" -le "$vmalloc"
	check "$1-open-files" test "$files_now" -le $((files + FILES_TOLERANCE))
}

# The least that an instance needs, so that a cycle is short
echo init | (cd / && cpio -o -H newc 2> /dev/null) > /run/init.cpio
memory=32M
! is_debug || memory=$MK_SMALL
make_config a 1 "$memory" loglevel=7 /boot/a /run/init.cpio > /dev/null
make_config b 2 "$memory" loglevel=7 /boot/a /run/init.cpio > /dev/null
expect_equal all-online "$(cat /sys/devices/system/cpu/online)" 0-3
remember
steady=$(cat /proc/sys/kernel/random/boot_id)

faulty='' cycle=0
spawn a
cycles stop stopped $WARM_UP
expect_equal warm-up-stop "$faulty" ''
cycles kill killed $WARM_UP
expect_equal warm-up-kill "$faulty" ''
end kill a killed
expect_unchanged warm-up-leaves-nothing
sleep 1
values > $MK_RUN/values

for how in stop kill; do
	[ $how = stop ] && ended=stopped || ended=killed
	faulty='' cycle=0 begin=$(mk_now_ms)
	spawn a
	cycles $how "$ended" "$CYCLES"
	expect_equal $how-all "$faulty" ''
	echo "mk-test: $cycle cycles of spawn and $how took $(($(mk_now_ms) - begin)) ms"
	counted $cycle "cycles of spawn and $how"
	expect_equal $how-all-done $cycle "$CYCLES"
	end $how a "$ended"
	nothing_lost $how
	expect_unchanged $how-leaves-nothing
	expect_equal $how-cpus-online "$(cat /sys/devices/system/cpu/online)" 0-3
done
expect_equal same-host "$(cat /proc/sys/kernel/random/boot_id)" "$steady"
