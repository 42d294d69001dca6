#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One instance from spawn to rm, through the command line.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 20

free_bytes() { run_mkctl pool show -j && json "$OUT" free_bytes; }
online() { cat /sys/devices/system/cpu/online; }
beats_move() { [ "$(show one beats)" -gt "$beats" ]; }

free=$(free_bytes)
expect_exit dry-run 0 mkctl spawn /etc/mk/one-cpu.json --dry-run
expect_equal dry-run-changes-nothing "$(online)" 0-5

expect_exit spawn 0 mkctl spawn /etc/mk/one-cpu.json -j
expect_equal state-running "$(state one)" running
expect_equal cpu-lent "$(online)" 0-1,3-5
check boot-id-differs test "$(show one boot_id)" != \
	"$(cat /proc/sys/kernel/random/boot_id)"
check lent-cpu-refuses-online sh -c '! echo 1 > /sys/devices/system/cpu/cpu2/online'
expect_equal memory-taken "$(free_bytes)" $((free - 128 * 1048576))
check says-who-it-is wait_for 10 sh -c 'mkctl logs one | grep -q "report: uname"'
beats=$(show one beats)
check heartbeat wait_for 5 beats_move
expect_exit same-name-again 5 mkctl spawn /etc/mk/one-cpu.json

expect_exit stop 0 mkctl stop one
expect_equal state-stopped "$(state one)" stopped
expect_equal cpu-back "$(online)" 0-5
check log-survives sh -c 'mkctl logs one | grep -q "report: uname"'
expect_exit start 0 mkctl start one
expect_exit kill 0 mkctl kill one
expect_equal state-killed "$(state one)" killed
save_instance_log one
expect_exit rm 0 mkctl rm one
expect_equal memory-back "$(free_bytes)" "$free"
