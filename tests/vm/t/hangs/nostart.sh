#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs of an instance that never start: the first, and then only the second.
# timeout: 100

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/faults.sh
. /mk/faults.sh
plan 21

online() { cat /sys/devices/system/cpu/online; }
check calm-up begin_talk 4
mkctl pool show -j > $MK_RUN/pool
page=$(json $MK_RUN/pool start_page)
all=$(online)
config=$(make_config victim 2-3 "$MK_SMALL" loglevel=7)

before_fault
check no-first-cpu-begins insert mk_nostart "page=$page"
expect_exit no-first-cpu 7 mkctl spawn "$config" --timeout 2 --keep
expect_equal no-first-cpu-state "$(state victim) $(show victim cause)" 'failed boot-timeout'
expect_equal no-first-cpu-all-back "$(online)" "$all"
others no-first-cpu-others
check no-first-cpu-over rmmod mk_nostart
victim_id=none
mkctl start victim > /dev/null
expect_equal no-first-cpu-again "$(state victim)" running
mkctl kill victim > /dev/null
save_instance_log victim
mkctl rm victim > /dev/null

before_fault
check no-second-cpu-begins insert mk_nostart "page=$page" apicid=3
expect_exit no-second-cpu 0 spawn_talker victim 2-3
expect_equal no-second-cpu-lives "$(inside victim 'cat /sys/devices/system/cpu/online')" 0
check no-second-cpu-says-so log_has victim 'CPU1'
others no-second-cpu-others
check no-second-cpu-over rmmod mk_nostart
victim_id=$(show victim boot_id)
mkctl kill victim > /dev/null
again no-second-cpu-again
expect_equal no-second-cpu-two-again "$(inside victim 'cat /sys/devices/system/cpu/online')" 0-1
expect_equal no-second-cpu-nobody-stuck "$(mkctl kill victim > /dev/null && online)" "$all"
end_talk
