#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkd: what a person wants goes before any policy; and mkd itself may die.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/mkd.sh
. /mk/mkd.sh
plan 42

always='{"restart": {"when": "always", "backoff": 3, "backoff_max": 3}}'
waits() { said "$1" 'panicked \(panic\): starts again in'; }
# panic NAME: it has a program that waits for this, once it is there
panic() { wait_for 20 mkctl msg send "$1" 7 panic --timeout 2; }
cat > /run/inner <<'END'
#!/bin/sh
mkctl msg recv host 7 -c 1
echo c > /proc/sysrq-trigger
END
chmod 755 /run/inner
make_initrd /run/inner.cpio /run/inner
spawn_inner() { spawn_with "$1" "$2" "$3" 'loglevel=7 mk.run=inner' /run/inner.cpio; }

check mkd-starts start_mkd
expect_exit second-mkd 5 mkd
expect_text second-mkd-says "$ERR" 'another mkd is at work \(pid '"$MKD_PID"'\)'

# Stopped, killed
expect_exit spawn 0 spawn_inner web 1 "$always"
expect_exit other-spawn 0 spawn_inner other 2 "$always"
other_id=$(show other boot_id)
mkctl stop web > /dev/null
check stop-is-respected wait_for 10 said web 'stopped \(stop\): stays so, somebody asked for it'
mkctl start web > /dev/null
mkctl kill web > /dev/null
check kill-is-respected wait_for 10 said web 'killed \(kill\): stays so, somebody asked for it'
expect_equal stays-killed "$(state web) $(epoch web)" 'killed 2'

# Stopped while it waits for its start
mkctl start web > /dev/null
check panic panic web
check panic-is-seen wait_for 10 waits web
expect_exit stop-while-it-waits 0 mkctl stop web
check stop-while-it-waits-said wait_for 10 said web 'panicked \(panic\): stays so, somebody stopped it'
sleep 4
expect_equal stop-while-it-waits-holds "$(state web) $(epoch web)" 'panicked 3'

# Started by hand while it waits: mkd does not start it as well
mkctl start web > /dev/null
check hand-panic panic web
check hand-panics mkctl wait web --for panicked --timeout 20
expect_exit hand-start 0 mkctl start web
sleep 4
expect_equal hand-start-is-the-only-one "$(state web) $(epoch web)" 'running 5'

# mkd is killed in the middle of a wait; the next one goes on with it, once
check killed-panic panic web
check killed-panics mkctl wait web --for panicked --timeout 20
starts=$(said_times web 'panicked .panic.: started again')
check killed-waits wait_for 10 grep -q '"verdict": "start"' /run/mkctl/mkd/web.json
end_mkd KILL
sleep 1
expect_equal killed-nothing-happens "$(state web)" panicked
check killed-mkd-starts start_mkd
expect_exit killed-restarted 0 mkctl wait web --for running --ended --timeout $((20 * MK_SLOW))
sleep 4
expect_equal killed-restarted-once "$(epoch web) $(($(said_times web 'panicked .panic.: started again') - starts))" '6 1'
expect_equal killed-other-untouched "$(show other boot_id)" "$other_id"

# It ends while there is no mkd at all
end_mkd KILL
check alone-panic panic web
check alone-panics mkctl wait web --for panicked --timeout 20
mkctl kill other > /dev/null
sleep 4
check alone-mkd-starts start_mkd
expect_exit alone-restarted 0 mkctl wait web --for running --ended --timeout $((20 * MK_SLOW))
expect_equal alone-restarted-once "$(epoch web)" 7
check alone-kill-is-respected wait_for 10 said other 'killed \(kill\): stays so'
expect_equal alone-other "$(state other)" killed

# Killed right behind a START: that boot is known, and not done again
check mid-panic panic web
wait_for 20 grep -q '"started_epoch": 8' /run/mkctl/mkd/web.json
end_mkd KILL
check mid-mkd-starts start_mkd
expect_exit mid-runs 0 mkctl wait web --for running --ended --timeout $((20 * MK_SLOW))
sleep 4
expect_equal mid-once "$(epoch web)" 8

# Removed while it waits
check rm-panic panic web
check rm-waits wait_for 10 grep -q '"epoch": 8' /run/mkctl/mkd/web.json
expect_exit rm-while-it-waits 0 mkctl rm web
check rm-said wait_for 10 said web 'gone: it is not started again'
check_not rm-record-is-gone test -e /run/mkctl/mkd/web.json
clear_instances
expect_exit mkd-ends 0 end_mkd TERM
save_mkd_log
