#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance ends by itself in every way that there is; the host learns which,
# gets the CPUs back and keeps memory and log; nobody else notices. Started
# again from each end, it is a new boot.
# timeout: 200

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 62

free_bytes() { run_mkctl pool show -j && json "$OUT" free_bytes; }
online() { cat /sys/devices/system/cpu/online; }
beats_move() { [ "$(show steady beats)" -gt "$beats" ]; }
boot_id() { cat /proc/sys/kernel/random/boot_id; }

# ended WAY STATE CAUSE PATTERN: what must be true after its end
ended() {
	check "$1-state" wait_for 20 has_state doomed "$2"
	expect_equal "$1-cause" "$(show doomed cause)" "$3"
	expect_equal "$1-cpu-back" "$(online)" 0-4
	expect_equal "$1-memory-kept" "$(free_bytes)" "$running_free"
	check "$1-log-kept" log_has doomed '\] (\[U\] )?marker: first words'
	check "$1-log-last-words" log_has doomed "$4"
}

# live_and_end WAY STATE CAUSE PATTERN CMDLINE: spawned, ended, started, ended
live_and_end() {
	cmdline=$5
	expect_exit "$1-spawn" 0 mkctl spawn "$(make_config doomed 2 "$MK_SMALL" "$cmdline")"
	first=$(show doomed boot_id)
	running_free=$(free_bytes)
	ended "$1" "$2" "$3" "$4"
	expect_exit "$1-start-again" 0 mkctl start doomed
	check "$1-new-boot-id" test "$(show doomed boot_id)" != "$first"
	expect_equal "$1-epoch" "$(show doomed epoch)" 2
	wait_for 20 has_state doomed "$2"
	save_instance_log doomed
	mkctl rm doomed > /dev/null
}

# run COMMAND: a command line that runs it, a moment after PID 1 was started
run() { echo "loglevel=7 mk.run=\"echo marker: first words; sleep 1; $1\""; }

mkctl spawn "$(make_config steady 5 "$MK_SMALL" loglevel=7)" > /dev/null
steady=$(show steady boot_id)
host=$(boot_id)

live_and_end poweroff stopped poweroff 'reboot: Power down' "$(run poweroff)"
live_and_end reboot stopped reboot 'reboot: Restarting system' "$(run reboot)"
live_and_end halt stopped halt 'reboot: System halted' "$(run 'halt -f')"
live_and_end panic panicked panic 'Kernel panic - not syncing: sysrq triggered crash' \
	"$(run 'echo c > /proc/sysrq-trigger')"
# PID 1 is a shell that counts a while and then exits
# shellcheck disable=SC2016
live_and_end init-exit panicked panic 'Kernel panic - not syncing: Attempted to kill init' \
	'loglevel=7 rdinit=/bin/sh -- -c "echo marker: first words; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"'

mkctl spawn "$(make_config doomed 2-3 "$MK_SMALL" loglevel=7)" > /dev/null
expect_exit stop 0 mkctl stop doomed
expect_equal stop-state "$(state doomed)" stopped
expect_equal stop-cause "$(show doomed cause)" stop
expect_exit stop-again 0 mkctl stop doomed
expect_exit kill-after-end 0 mkctl kill doomed
expect_equal kill-changes-no-end "$(show doomed cause)" stop

beats=$(show steady beats)
check other-instance-goes-on wait_for 5 beats_move
expect_equal other-instance-same-boot "$(show steady boot_id)" "$steady"
expect_equal other-instance-epoch "$(show steady epoch)" 1
expect_equal host-same-boot "$(boot_id)" "$host"
expect_exit stop-all 0 mkctl stop --all
expect_equal all-cpus-back "$(online)" 0-5
