#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl restart on real kernels, and what it keeps of the boot before.
# timeout: 100

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 37

online() { cat /sys/devices/system/cpu/online; }
logs_of() { mkctl logs "$@" > $MK_RUN/kept; }
kept() { cd /run/mkctl && echo ./*.log; }
seconds() { read -r s _ < /proc/uptime; echo "${s%.*}"; }

expect_exit spawn 0 mkctl spawn "$(make_config duo 4-5 "$MK_SMALL" 'loglevel=7 mk.run="echo first; while sleep 1; do :; done"')"
expect_exit spawn-other 0 mkctl spawn "$(make_config other 2 "$MK_SMALL" loglevel=7)"
boot_id=$(show duo boot_id)
other_id=$(show other boot_id)
check first-boot-speaks wait_for 10 log_has duo 'first'

expect_exit restart 0 mkctl restart duo
expect_text restart-says-steps "$OUT" '^  log '
expect_text restart-says-what-runs "$OUT" '^duo: running, id 1, CPUs 4-5 \(APIC ids 5-6\)'
expect_equal restart-state "$(state duo)" running
expect_equal restart-epoch "$(show duo epoch)" 2
check restart-new-boot test "$(show duo boot_id)" != "$boot_id"
expect_equal restart-same-cpus "$(online)" 0-1,3
expect_equal restart-others-untouched "$(show other boot_id)" "$other_id"
expect_equal restart-keeps-log "$(kept)" ./duo.boot-1.log
logs_of duo --boot -1
expect_text kept-log-begins $MK_RUN/kept '^\[ +0\.000000\] .*Linux version'
expect_text kept-log-middle $MK_RUN/kept 'first$'
expect_text kept-log-ends $MK_RUN/kept 'reboot: Power down|mk-init: .*end|poweroff'

# The kept log is the one that was there, to the byte
mkctl kill duo > /dev/null
mkctl logs duo -j > $MK_RUN/last
expect_exit start-after-kill 0 mkctl start duo
mkctl logs duo --boot 2 -j > $MK_RUN/kept
check kept-log-is-the-log cmp $MK_RUN/last $MK_RUN/kept
check kept-log-not-empty test "$(wc -l < $MK_RUN/kept)" -gt 50

# One that does not stop when asked: its PID 1 ignores all signals
cat > /run/deaf <<'END'
#!/bin/sh
trap '' TERM INT HUP USR1 USR2
echo deaf
while :; do sleep 1; done
END
chmod 755 /run/deaf
make_initrd /run/deaf.cpio /run/deaf
expect_exit spawn-deaf 0 mkctl spawn "$(make_config deaf 1 "$MK_SMALL" 'loglevel=7 rdinit=/bin/deaf' /boot/a /run/deaf.cpio)"
begin=$(seconds)
expect_exit deaf-restart 7 mkctl restart deaf --timeout 2
expect_text deaf-says-so "$ERR" 'deaf: has not stopped after 2 s'
check deaf-waited test $(($(seconds) - begin)) -ge 1
expect_equal deaf-first-boot-still "$(show deaf epoch)" 1
expect_exit deaf-restart-kill 0 mkctl restart deaf --timeout 1 --kill
expect_equal deaf-second-boot "$(show deaf epoch)" 2
mkctl kill deaf > /dev/null
save_instance_log deaf
mkctl rm deaf > /dev/null

# Refused before anything is done
MKCTL_FAIL_STEP=cpus mkctl spawn "$(make_config made 3 "$MK_SMALL")" --keep > /dev/null 2>&1
remember
expect_refusal restart-created 5 'made: not possible while it is created' mkctl restart made
expect_refusal restart-nobody 4 'nobody: no such instance' mkctl restart nobody
mkctl rm made > /dev/null

# Several: what can be done is done
expect_exit restart-several 64 mkctl restart other nobody duo
expect_equal restart-several-done "$(show other epoch) $(show duo epoch)" '2 4'
mkctl kill other > /dev/null
expect_exit restart-all 0 mkctl restart --all
expect_equal restart-all-those-that-run "$(show other epoch) $(show duo epoch)" '2 5'

# The log of a panic is there after the next start, too
expect_exit spawn-doomed 0 mkctl spawn "$(make_config doomed 3 "$MK_SMALL" 'loglevel=7 mk.run="echo c > /proc/sysrq-trigger"')"
check doomed-panics wait_for 10 has_state doomed panicked
logs_of doomed
cp $MK_RUN/kept $MK_RUN/last
mkctl start doomed > /dev/null
logs_of doomed --boot 1
check panic-log-is-kept cmp $MK_RUN/last $MK_RUN/kept
expect_text panic-log-says-it $MK_RUN/kept 'sysrq: Trigger a crash|Kernel panic'

clear_instances
expect_equal nothing-kept-of-the-removed "$(kept)" './*.log'
expect_equal cpus-back "$(online)" 0-5
