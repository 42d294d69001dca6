#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A failure at each step of a plan is undone; a killed mkctl is repaired by the
# next one.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 56

config=$(make_config good 2-3 "$MK_SMALL" loglevel=7)
hung='loglevel=7 rdinit=/none init=/none panic=300'
state_file() { cat /sys/kernel/multikernel/instances/"$1"/state 2>/dev/null; }
is_starting() { [ "$(state_file "$1")" = starting ]; }
is_running() { [ "$(state_file "$1")" = running ]; }
online() { cat /sys/devices/system/cpu/online; }

# failing STEP COMMAND...: mkctl whose step fails, or whose undo of it does
failing() { MKCTL_FAIL_STEP=$1 mkctl "$2" "$3"; }
failing_undo() { MKCTL_FAIL_STEP=$1 MKCTL_FAIL_UNDO=$2 mkctl "$3" "$4"; }

# Something to move, all the time: what must come back is more than CPUs
sleep 10000 &
sleeper=$!
taskset -p 8 $sleeper > /dev/null
remember
for step in check create channels policy tasks cpus memory load shares start boot; do
	expect_refusal "spawn-fails-at-$step" 1 "step '$step' failed on request" \
		failing $step spawn "$config"
done
expect_exit spawn-after-all-that 0 mkctl spawn "$config"
mkctl stop good > /dev/null

# A start that fails leaves an instance that has ended
online=$(online)
for step in check tasks cpus log shares start; do
	remember
	failing $step start good 2> "$ERR"
	expect_equal "start-fails-at-$step-exit" $? 1
	expect_equal "start-fails-at-$step-cpus" "$(online)" "$online"
	expect_equal "start-fails-at-$step-state" "$(state good)" stopped
done
expect_exit start-fails-at-boot 1 failing boot start good
expect_equal start-fails-at-boot-state "$(state good)" killed
expect_equal start-fails-at-boot-cpus "$(online)" "$online"
expect_exit start-after-all-that 0 mkctl start good
mkctl kill good > /dev/null
mkctl rm good > /dev/null

# What cannot be undone is said, and can be removed by hand
remember
expect_exit undo-fails-create 8 failing_undo cpus create spawn "$config"
expect_text undo-fails-says-what "$ERR" "undo of 'create' failed"
expect_text undo-fails-says-how "$ERR" 'mkctl rm'
expect_equal undo-fails-left-over "$(mkctl ls -q)" good
mkctl rm good > /dev/null
expect_unchanged undo-fails-removed
expect_exit undo-fails-tasks 8 failing_undo cpus tasks spawn "$config"
mkctl kill --all > /dev/null
expect_unchanged undo-fails-tasks-repaired
expect_exit undo-fails-cpus 8 failing_undo memory cpus spawn "$config"
expect_unchanged undo-fails-cpus-go-with-instance

# SIGTERM while it waits: undone before it ends
mkctl spawn "$(make_config doomed 2-3 "$MK_SMALL" "$hung")" --timeout 30 > /dev/null 2> "$ERR" &
pid=$!
wait_for 5 is_starting doomed
kill $pid
wait $pid
expect_equal interrupted-exit $? 143
expect_text interrupted-says-so "$ERR" 'interrupted while it booted'
expect_unchanged interrupted-nothing-left

# SIGKILL while it waits: the next change finds the leftover and removes it
mkctl spawn "$MK_RUN/doomed.json" --timeout 30 > /dev/null 2>&1 &
pid=$!
wait_for 5 is_starting doomed
kill -9 $pid
wait $pid
expect_equal killed-leaves-instance "$(mkctl ls -q)" doomed
expect_text killed-leaves-pending /run/mkctl/doomed.json '"pending": true'
expect_exit killed-then-a-change 0 mkctl kill --all
expect_unchanged killed-is-repaired

# The same, but the kernel comes up all the same: it is adopted
mkctl spawn "$config" > /dev/null 2>&1 &
pid=$!
while ! is_starting good; do usleep 2000; done
kill -STOP $pid
check orphan-comes-up wait_for 10 is_running good
kill -9 $pid
wait $pid
expect_text orphan-pending /run/mkctl/good.json '"pending": true'
expect_exit orphan-next-change 5 mkctl rm good
expect_text orphan-adopted /run/mkctl/good.json '"pending": false'
expect_exit orphan-kill 0 mkctl kill good
mkctl rm good > /dev/null
expect_unchanged orphan-removed
kill $sleeper
