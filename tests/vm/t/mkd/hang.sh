#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkd: what is done about an instance of which a CPU spins with interrupts off:
# nothing, a kill, or a dump and a start.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/mkd.sh
. /mk/mkd.sh
plan 37

spins() { # MORE: mk_spin's parameters
	echo "loglevel=7 mk.run=\"sleep 2; insmod /lib/mk/\$(uname -r)/mk_spin.ko $1\""
}
dumps() { for f in /run/dumps/*; do [ ! -e "$f" ] || echo "${f##*/}"; done; }

check mkd-starts start_mkd --keep-dumps 2
expect_exit other-spawn 0 spawn_with other 5 '{}' loglevel=7
other_id=$(show other boot_id)

# Reported, and as it is when it beats again
expect_exit report-spawn 0 spawn_with report 1-2 '{"watchdog": {"timeout": 2}}' "$(spins 'all=0 cpu=1 ms=6000')"
expect_equal report-watchdog "$(show report watchdog_ms)" 2000
expect_exit report-hangs 0 mkctl wait report --for unresponsive --timeout $((20 * MK_SLOW))
mkctl ls > "$OUT"
expect_text report-ls "$OUT" '^report .* unresponsive +hang, CPU 2 '
check report-said wait_for 10 said report 'unresponsive \(hang\): CPU 2 of the host has not beaten for 2000 ms'
expect_exit report-recovers 0 mkctl wait report --for running --timeout $((30 * MK_SLOW))
check report-recovers-said wait_for 10 said report 'running: all its CPUs beat again'
expect_equal report-same-boot "$(epoch report)" 1
mkctl events report > "$OUT"
expect_text report-event "$OUT" ' report .* unresponsive \(hang\), CPU 2$'
mkctl kill report > /dev/null
save_instance_log report
mkctl rm report > /dev/null

# Killed, and left so
expect_exit kill-spawn 0 spawn_with kill 1-2 '{"watchdog": {"timeout": 2, "action": "kill"}}' "$(spins)"
expect_exit kill-killed 0 mkctl wait kill --for killed --timeout $((30 * MK_SLOW))
expect_equal kill-cause "$(show kill cause)" hang
check kill-said said kill 'unresponsive \(hang\), CPU [12]: killed, its policy is kill'
check kill-stays wait_for 10 said kill 'killed \(hang\): stays so, its policy is restart never'
# Killed, and started as the policy says
save_instance_log kill
mkctl rm kill > /dev/null
expect_exit again-spawn 0 spawn_with again 1-2 \
	'{"restart": {"when": "on-failure", "max": 1, "backoff": 0}, "watchdog": {"timeout": 2, "action": "kill"}}' "$(spins)"
check again-said wait_for 60 said again 'killed \(hang\): given up after 1 starts'
expect_equal again-boots "$(epoch again)" 2
expect_equal again-no-dump "$(dumps)" ''
save_instance_log again
mkctl rm again > /dev/null

# Dumped and started, whatever restart says; only the newest dumps are kept
expect_exit dump-spawn 0 spawn_with dump 1-2 \
	'{"restart": {"when": "never", "max": 3, "backoff": 0}, "watchdog": {"timeout": 2, "action": "dump-and-restart"}}' "$(spins)"
check dump-first wait_for 40 said dump 'dumped into /run/dumps/dump\.[0-9]*T[0-9]*\.boot1\.vmcore, [0-9]+ KiB, registers of [12] of 2 CPUs'
check dump-started wait_for 40 said dump 'killed \(hang\): started again, try 1 of 3'
check dump-row-ends wait_for 120 said dump 'killed \(hang\): given up after 3 starts'
expect_equal dump-boots "$(epoch dump)" 4
expect_equal dump-how-often "$(said_times dump 'dumped into')" 3
expect_equal dump-kept "$(dumps | sed 's/.*\.boot/boot/' | tr '\n' ' ')" 'boot2.vmcore boot3.vmcore '
expect_equal dump-is-elf "$(head -c 4 "/run/dumps/$(dumps | head -n 1)" | tail -c 3)" ELF
expect_equal dump-private "$(stat -c %a /run/dumps)" 700
mkctl rm dump > /dev/null
rm -r /run/dumps

# mkd is killed while it hangs; the next one does all of it
end_mkd KILL
expect_exit late-spawn 0 spawn_with late 1-2 '{"watchdog": {"timeout": 2, "action": "dump-and-restart"}}' "$(spins)"
expect_exit late-hangs 0 mkctl wait late --for unresponsive --timeout $((20 * MK_SLOW))
check late-mkd-starts start_mkd
expect_exit late-runs 0 mkctl wait late --for running --ended --timeout $((30 * MK_SLOW))
expect_equal late-dumped "$(dumps | sed 's/.*\.boot/boot/')" boot1.vmcore
expect_equal late-boot "$(epoch late)" 2
expect_equal other-untouched "$(state other) $(show other boot_id)" "running $other_id"
mkctl kill late > /dev/null
clear_instances
expect_exit mkd-ends 0 end_mkd TERM
save_mkd_log
