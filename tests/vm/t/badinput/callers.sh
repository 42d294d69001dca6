#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Who asks, and when: not root, two at once, a boot that takes too long.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 30

echo 'nobody:x:65534:65534::/:/bin/sh' > /etc/passwd
echo 'nogroup:x:65534:' > /etc/group
nobody() { start-stop-daemon -S -c nobody:nogroup -x /bin/mkctl -- "$@"; }

state_file() { cat /sys/kernel/multikernel/instances/"$1"/state 2>/dev/null; }
is_starting() { [ "$(state_file "$1")" = starting ]; }
seconds() { read -r s _ < /proc/uptime; echo "${s%.*}"; }

# A kernel that panics before PID 1 and then waits, as panic=300 asks
hung='loglevel=7 rdinit=/none init=/none panic=300'

limit=$((3 * MK_SLOW))

good=$(make_config good 2 "$MK_SMALL" loglevel=7)
remember
expect_refusal not-root-ls 6 'not permitted' nobody ls
expect_text not-root-hint "$ERR" 'run it as root'
expect_refusal not-root-spawn 6 'run it as root' nobody spawn "$good"
expect_refusal not-root-kill 6 'run it as root' nobody kill good

expect_refusal boot-timeout 7 "did not start PID 1 within $limit s" \
	mkctl spawn "$(make_config doomed 2-3 "$MK_SMALL" "$hung")" --timeout $limit
expect_text boot-timeout-shows-log "$ERR" 'last lines of its log:'
expect_text boot-timeout-shows-last-words "$ERR" '^  \[.*Kernel panic - not syncing: Requested init'
expect_text boot-timeout-hint "$ERR" '--timeout'

expect_exit boot-timeout-json 7 mkctl spawn "$MK_RUN/doomed.json" --timeout $limit -j
expect_text boot-timeout-json-error "$ERR" '^\{.*"code": ?"timeout".*"log":'
expect_unchanged boot-timeout-json-nothing-changed

expect_exit boot-timeout-keep 7 mkctl spawn "$MK_RUN/doomed.json" --timeout $limit --keep
expect_equal keep-state "$(state doomed)" failed
expect_equal keep-cause "$(show doomed cause)" boot-timeout
check keep-log log_has doomed 'not syncing: Requested init'
expect_equal keep-cpus-back "$(cat /sys/devices/system/cpu/online)" 0-5
save_instance_log doomed
expect_exit keep-rm 0 mkctl rm doomed
expect_unchanged keep-rm-nothing-left

# One that panics while it boots is not waited for
begin=$(seconds)
expect_refusal boot-panic 1 'it ended while it booted: panicked' \
	mkctl spawn "$(make_config doomed 2 "$MK_SMALL" 'loglevel=7 rdinit=/none init=/none')" --timeout $((40 * MK_SLOW))
expect_within boot-panic-at-once $(($(seconds) - begin)) 14
expect_text boot-panic-shows-last-words "$ERR" '^  \[.*Kernel panic - not syncing: Requested init'

# The second waits for the first, 10 s at most; who only looks does not wait
mkctl spawn "$(make_config doomed 2 "$MK_SMALL" "$hung")" --timeout $((14 * MK_SLOW)) > /dev/null 2>&1 &
first=$!
check first-is-under-way wait_for 5 is_starting doomed
begin=$(seconds)
expect_exit looking-is-free 0 mkctl ls
check looking-does-not-wait test $(($(seconds) - begin)) -lt $((5 * MK_SLOW))
expect_exit second-gives-up 5 mkctl spawn "$good"
expect_text second-names-the-first "$ERR" "another mkctl is changing instances \\(pid $first\\)"
waited=$(($(seconds) - begin))
check second-waited-10-s test "$waited" -ge 10
wait $first
expect_unchanged first-took-all-back

mkctl spawn "$MK_RUN/doomed.json" --timeout 3 > /dev/null 2>&1 &
first=$!
wait_for 5 is_starting doomed
expect_exit second-had-its-turn 0 mkctl spawn "$good"
wait $first
expect_equal second-runs "$(state good)" running
