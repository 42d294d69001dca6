#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# SMT: whole cores by default. To split one needs "allow_split_core"; siblings
# are in an instance what they are outside.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 41

cd /sys/devices/system/cpu || exit
online() { cat online; }
split='"allow_split_core": true'
spawn() { mkctl spawn "$(make_config "$1" "$2" "$MK_SMALL" loglevel=7)"; }
core_with() { sed -n "s/^topo: $2: core-with //p" "$MK_RUN/$1.topo"; }

expect_equal siblings-2-and-3 "$(cat cpu2/topology/core_cpus_list)" 2-3
remember
expect_refusal split-refused 5 'CPU 2 shares a core with CPU 3, which is not in the list' spawn x 2
expect_refusal split-refused-says-how 5 '"allow_split_core": true' spawn x 2
expect_refusal split-among-others 5 'CPU 5 shares a core with CPU 4' spawn x 2-3,5
expect_refusal split-beside-cpu-0 5 'CPU 1 shares a core with CPU 0' spawn x 1

# A sibling that is offline runs nothing
echo 0 > cpu3/online
expect_exit sibling-offline 0 spawn lone 2
expect_exit sibling-offline-rm 0 sh -c 'mkctl kill lone && mkctl rm lone'
echo 1 > cpu3/online

expect_exit whole-spawn 0 spawn_topology whole 2-5
expect_topology whole-topology whole
expect_equal whole-siblings "$(core_with whole 2)" 2,3,
expect_equal whole-other-siblings "$(core_with whole 4)" 4,5,
expect_exit whole-kill 0 mkctl kill whole

# The same, asked of the kernel itself: what an instance has already counts as
# going back to the host, unless it is on the new list
lend() { /mk/bin/lend-cpus "$@" 2>&1; }
expect_equal kernel-lends-whole-cores "$(lend raw 2 3)" '0 0 0 0 '
remember
expect_equal kernel-refuses-half-of-its-own "$(lend raw 2)" '16 41 2 3 '
expect_equal kernel-refuses-half-of-another "$(lend raw 2 3 4)" '16 41 4 5 '
expect_unchanged kernel-refusal-changes-nothing
expect_equal kernel-takes-another-core "$(lend raw 5 4) $(online)" '0 0 0 0  0-3,6-7'
expect_equal kernel-splits-when-told "$(lend raw split 4) $(online)" '0 0 0 0  0-3,5-7'
expect_equal kernel-names-who-has-it "$(lend raw2 5)" '16 41 5 4 raw'
expect_equal kernel-makes-it-whole-again "$(lend raw 4 5) $(online)" '0 0 0 0  0-3,6-7'
expect_equal kernel-takes-all-back "$(lend raw) $(online)" '0 0 0 0  0-7'
expect_exit kernel-rm 0 mkctl rm raw raw2

# The sibling stays with the host
expect_exit half-spawn 0 spawn_topology half 2 "$split"
expect_topology half-topology half
expect_equal half-alone-on-its-core "$(core_with half 2)" 2,
expect_equal sibling-stays-with-host "$(online)" 0-1,3-7
expect_equal host-sees-it-alone "$(cat cpu3/topology/core_cpus_list)" 3
remember
expect_refusal second-half-refused 5 'CPU 3 shares a core with CPU 2' spawn x 3

# The sibling goes to another instance
expect_exit other-half-spawn 0 spawn_topology other 3 "$split"
expect_topology other-half-topology other
expect_equal both-lent "$(online)" 0-1,4-7
expect_equal both-run "$(state half) $(state other)" 'running running'
expect_exit half-kill 0 mkctl kill half
expect_equal half-back "$(online)" 0-2,4-7
expect_equal other-still-runs "$(state other)" running

# Restarted, it may have its half again
expect_exit half-start 0 mkctl start half
expect_equal half-lent-again "$(online)" 0-1,4-7
expect_exit stop-all 0 mkctl stop --all
expect_equal all-back "$(online)" 0-7
expect_equal siblings-again "$(cat cpu2/topology/core_cpus_list)" 2-3
expect_equal smt-control "$(cat smt/active)" 1
