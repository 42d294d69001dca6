#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkd: which ends are followed by a start, how often, and after how long.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/mkd.sh
. /mk/mkd.sh
plan 38

# A host without mkd leaves an instance as it is
expect_exit spawn-early 0 spawn_with early 1 '{"restart": {"when": "on-failure", "backoff": 0}}' \
	'loglevel=7 mk.run="echo c > /proc/sysrq-trigger"'
check early-panicked mkctl wait early --for panicked --timeout $((20 * MK_SLOW))
check mkd-starts start_mkd
# It was there when that had ended long ago
check early-adopted mkctl wait early --for running --ended --timeout $((20 * MK_SLOW))
check early-said said early 'panicked \(panic\): started again, try 1 of 5'
mkctl kill early > /dev/null
mkctl rm early > /dev/null

# A row of three, each after twice as long, and its end
expect_exit row-spawn 0 spawn_with row 1 '{"restart": {"when": "on-failure", "max": 3, "backoff": 1}}' \
	'loglevel=7 mk.run="echo c > /proc/sysrq-trigger"'
check row-ends wait_for 60 said row 'panicked \(panic\): given up after 3 starts in a row'
expect_equal row-state "$(state row) $(show row cause)" 'panicked panic'
expect_equal row-boots "$(epoch row)" 4
expect_equal row-starts "$(said_times row 'panicked .panic.: started again')" 3
for n in 1 2 3; do
	check row-try-$n said row "panicked \\(panic\\): started again, try $n of 3"
	wanted=$((1000 << (n - 1)))
	waited=$(($(event_ms row $((n + 1)) starting) - $(event_ms row $n panicked)))
	check row-waits-$n test "$waited" -ge $wanted
	expect_within row-waits-no-longer-$n "$waited" $((wanted + 4000))
done
mkctl ls > "$OUT"
expect_text row-last-end "$OUT" '^row .* 4 +panicked \(panic\)'
# By hand: it begins anew
mkctl start row > /dev/null
gave_up_again() { [ "$(said_times row 'panicked .panic.: given up')" = 2 ]; }
check row-begins-anew wait_for 60 gave_up_again
expect_equal row-boots-again "$(epoch row)" 8
mkctl rm row > /dev/null

# never; always, also after a poweroff; on-failure not
expect_exit never-spawn 0 spawn_with never 1 '{}' 'loglevel=7 mk.run="echo c > /proc/sysrq-trigger"'
check never-said wait_for 20 said never 'panicked \(panic\): stays so, its policy is restart never'
expect_exit always-spawn 0 spawn_with always 2 '{"restart": {"when": "always", "backoff": 0, "max": 2}}' \
	'loglevel=7 mk.run=true mk.end=poweroff'
check always-said wait_for 30 said always 'stopped \(poweroff\): given up after 2 starts'
expect_equal always-boots "$(epoch always)" 3
expect_exit failure-spawn 0 spawn_with failure 3 '{"restart": "on-failure"}' 'loglevel=7 mk.run=true mk.end=poweroff'
check failure-said wait_for 20 said failure 'stopped \(poweroff\): stays so, its policy is restart on-failure'
expect_equal failure-boots "$(epoch failure)" 1
expect_equal never-boots "$(epoch never)" 1
clear_instances

# A reboot inside
expect_exit reboot-spawn 0 spawn_with again 1 '{"on_reboot": "start", "restart": {"when": "never", "max": 2}}' \
	'loglevel=7 mk.run=true mk.end=reboot'
check reboot-said wait_for 30 said again 'stopped \(reboot\): given up after 2 starts'
expect_equal reboot-boots "$(epoch again)" 3
expect_exit noreboot-spawn 0 spawn_with once 2 '{"on_reboot": "stop", "restart": "always"}' \
	'loglevel=7 mk.run=true mk.end=reboot'
check noreboot-said wait_for 20 said once 'stopped \(reboot\): stays so'
expect_equal noreboot-boots "$(epoch once)" 1
clear_instances

expect_exit mkd-ends 0 end_mkd TERM
save_mkd_log
