#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kexec-tools on a host: loading and unloading is as ever and disturbs nobody;
# a kexec ends the instances first or is refused, as mk_kexec= says; the next
# kernel has all CPUs and all memory; a crash kernel leaves instances alone.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh

online() { cat /sys/devices/system/cpu/online; }
loaded() { cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded | tr '\n' ' '; }
pool_value() { mkctl pool show -j > "$MK_RUN/pool" && json "$MK_RUN/pool" "$1"; }
pool_start() { sed -n 's/^ *\([0-9a-f]*\)-.* Multikernel Pool$/0x\1/p' /proc/iomem; }
cmdline_get() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }

# MiB of RAM in the memory map that this kernel was booted with
ram() {
	for entry in /sys/firmware/memmap/*; do
		[ "$(cat "$entry/type")" != 'System RAM' ] ||
			echo $((($(cat "$entry/end") + 1 - $(cat "$entry/start")) / 1024))
	done | awk '{ n += $1 } END { print int(n / 1024) }'
}

# load OPTIONS CMDLINE
load() {
	[ -e /run/initrd ] || cat /sys/firmware/initrd > /run/initrd
	# shellcheck disable=SC2086 # options
	kexec $1 --initrd=/run/initrd --command-line="$2" /boot/next
}

two_instances() { # PREFIX LEFT RIGHT
	expect_exit "$1-spawn-left" 0 mkctl spawn "$(make_config "$2" 2-3 "$MK_SMALL" loglevel=7)"
	expect_exit "$1-spawn-right" 0 mkctl spawn "$(make_config "$3" 5 "$MK_SMALL" loglevel=7 /boot/b)"
}

# boot ids and epochs of the instances: the same as long as nothing happens
lives() { for i in $(mkctl ls -q); do show "$i" boot_id; show "$i" epoch; state "$i"; done; }
beats_move() { [ "$(show "$1" beats)" -gt "$2" ]; }
goes_on() { # NAME INSTANCE
	beats=$(show "$2" beats)
	check "$1" wait_for 5 beats_move "$2" "$beats"
}

# Loading in every way there is; ends with nothing loaded
loads() { # PREFIX
	for way in c s; do
		expect_exit "$1-load-$way" 0 load "-l -$way" foo
		expect_exit "$1-load-crash-$way" 0 load "-p -$way" foo
		expect_equal "$1-loaded-$way" "$(loaded)" '1 1 '
		expect_exit "$1-unload-$way" 0 kexec -u "-$way"
		expect_exit "$1-unload-crash-$way" 0 kexec -p -u "-$way"
		expect_equal "$1-unloaded-$way" "$(loaded)" '0 0 '
	done
}

# After a kexec: everything is there, nothing is left of the instances
arrived() { # PREFIX
	expect_equal "$1-all-cpus" "$(online)" 0-5
	expect_equal "$1-all-ram" "$(ram)" "$(cmdline_get mk.was_ram)"
	expect_equal "$1-all-pool" "$(pool_value free_bytes)" "$(cmdline_get mk.was_free)"
	expect_equal "$1-no-instances" "$(mkctl ls -q)" ''
}

case $MK_PART in
1) # booted by firmware, no instances
	plan 86
	loads alone
	expect_exit alone-load 0 load '-l -s' "$(go_on 2 1 \
		"mk.was_ram=$(ram) mk.was_free=$(pool_value free_bytes)")"
	kexec -e
	;;
2) # by kexec_file_load(2); two instances, which the kexec will end
	arrived first
	two_instances stop left right
	expect_equal stop-lend-only "$(/mk/bin/lend-cpus idle 4)" '0 0 0 0 '
	before=$(lives)
	loads stop
	expect_equal stop-loading-disturbs-nobody "$(lives)" "$before"
	goes_on stop-left-goes-on left
	goes_on stop-right-goes-on right
	# The whole next kernel in what is pool now: nothing is put there yet
	start=$(pool_start)
	expect_exit stop-load-into-pool 0 load "-l -c --mem-min=$start --mem-max=$((start + 0x20000000))" \
		"$(go_on 3 5 mk_kexec=refuse)"
	expect_equal stop-load-disturbs-nobody "$(lives)" "$before"
	goes_on stop-left-still-goes-on left
	goes_on stop-right-still-goes-on right
	ok stop-exec
	kexec -e
	;;
3) # by kexec_load(2); the same is refused now
	arrived second
	two_instances refuse one two
	before=$(lives)
	expect_exit refuse-load 0 load '-l -s' "$(go_on 4 18 mk_kexec=stop)"
	dmesg -c > /dev/null
	expect_exit refuse-exec 255 kexec -e
	expect_text refuse-ebusy "$ERR" 'Device or resource busy'
	dmesg > "$MK_RUN/dmesg"
	expect_text refuse-names-one "$MK_RUN/dmesg" "multikernel: no kexec: CPUs are lent to instance 'one'"
	expect_text refuse-names-two "$MK_RUN/dmesg" "multikernel: no kexec: CPUs are lent to instance 'two'"
	expect_equal refuse-still-loaded "$(loaded)" '1 0 '
	expect_equal refuse-disturbs-nobody "$(lives)" "$before"
	goes_on refuse-one-goes-on one
	goes_on refuse-two-goes-on two
	expect_exit refuse-something-starts 0 mkctl spawn "$(make_config three 4 "$MK_SMALL" loglevel=7)"
	expect_exit refuse-stop-all 0 mkctl stop --all
	expect_equal refuse-lend-only "$(/mk/bin/lend-cpus idle 4)" '0 0 0 0 '
	dmesg -c > /dev/null
	expect_exit refuse-exec-lent-only 255 kexec -e
	expect_equal refuse-names-idle-only "$(dmesg | sed -n 's/.*no kexec: //p')" "CPUs are lent to instance 'idle'"
	expect_equal refuse-take-back "$(/mk/bin/lend-cpus idle)" '0 0 0 0 '
	expect_equal refuse-cpus-back "$(online)" 0-5
	expect_equal refuse-all-stopped "$(lives | grep -c stopped)" 3
	ok refuse-exec-now
	kexec -e
	;;
4) # a CPU that does not come back; then a crash
	arrived third
	expect_exit stuck-spawn 0 mkctl spawn "$(make_config stuck 2-3 "$MK_SMALL" loglevel=7)"
	check stuck-load-module insert mk_noonline cpu=3
	expect_exit stuck-load 0 load '-l -s' foo
	dmesg -c > /dev/null
	expect_exit stuck-exec 255 kexec -e
	dmesg > "$MK_RUN/dmesg"
	expect_text stuck-says-why "$MK_RUN/dmesg" "multikernel: no kexec: CPUs are lent to instance 'stuck'"
	check stuck-unload-module rmmod mk_noonline
	expect_exit stuck-kill 0 mkctl kill stuck
	expect_equal stuck-cpus-back "$(online)" 0-5
	expect_exit crash-spawn 0 mkctl spawn "$(make_config orphan 2-3 "$MK_SMALL" loglevel=7)"
	region="$(pool_value region_addr) $(pool_value region_bytes)"
	expect_exit crash-load 0 load '-p -c' "$(go_on 5 2 "mk.region=${region%% *} mk.room=$(cmdline_get crashkernel) nr_cpus=1" |
		sed 's/crashkernel=[^ ]*//')"
	ok crash
	echo c > /proc/sysrq-trigger
	;;
5) # the crash kernel
	expect_equal kdump-one-cpu "$(nproc)" 1
	room=$(cmdline_get mk.room)
	check kdump-little-memory test "$(sed -n 's/MemTotal: *\([0-9]*\) .*/\1/p' /proc/meminfo)" -lt $((${room%M} * 1024))
	expect_equal kdump-no-host "$(cat /sys/kernel/multikernel/role)" none
	dmesg > "$MK_RUN/dmesg"
	expect_text kdump-says-why "$MK_RUN/dmesg" 'multikernel: a crash kernel is no host'
	expect_equal kdump-vmcore "$(dd if=/proc/vmcore bs=1 skip=1 count=3 2>/dev/null)" ELF
	region=$(cmdline_get mk.region)
	first=$(/mk/bin/peek "$region" 1048576)
	expect_equal kdump-can-look "${first:+yes}" yes
	sleep 1
	check kdump-instance-lives-on test "$(/mk/bin/peek "$region" 1048576)" != "$first"
	;;
esac
