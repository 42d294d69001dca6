#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every way in which an instance's kernel ends, but for those where it stands
# still (machine hangs). Each time: the state and the cause, host and sibling
# talk on, and the next start is a new boot.
# timeout: 200

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/faults.sh
. /mk/faults.sh
plan 64

fault=insmod_fault
insmod_fault() { insmod_inside victim "mk_fault.ko fault=$1"; }

# from inside, a moment after the answer has left
soon() { inside victim "(usleep 100000; $1) > /dev/null 2>&1 &"; }

# ends NAME STATE CAUSE LOG HOW...
ends() {
	mk_f=$1 mk_state=$2 mk_cause=$3 mk_log=$4
	shift 4
	before_fault
	"$@" || echo "mk-test: '$*' gave $?"
	wait_for 20 has_state victim "$mk_state"
	echo "mk-test: $mk_f took $(($(mk_now_ms) - fault_ms)) ms"
	expect_equal "$mk_f" "$(state victim) $(show victim cause)" "$mk_state $mk_cause"
	check "$mk_f-says-why" log_has victim "$mk_log"
	others "$mk_f-others"
	again "$mk_f-again"
}

make_initrd /run/talk.cpio /mk/bin/talk /mk/bin/try-kexec
check calm-up begin_talk 4
check victim-up begin_victim 2-3

ends panic	panicked panic 'Kernel panic - not syncing: mk_fault says so' $fault panic
ends bug-irq	panicked panic 'not syncing: Fatal exception in interrupt' $fault bug-irq
inside victim 'echo 1 > /proc/sys/kernel/panic_on_oops'
ends oops	panicked panic 'not syncing: Fatal exception' $fault oops
ends stack	panicked panic 'stack guard page was hit' $fault stack
ends oom	panicked panic 'not syncing: System is deadlocked on memory' $fault oom
ends sysrq-c	panicked panic 'not syncing: sysrq triggered crash' soon 'echo c > /proc/sysrq-trigger'
ends sysrq-b	stopped reboot 'emergency restart' soon 'echo b > /proc/sysrq-trigger'
ends reboot	stopped reboot 'reboot: Restarting system' soon 'reboot -f'
ends poweroff	stopped poweroff 'reboot: Power down' soon 'poweroff -f'
ends halt	stopped halt 'reboot: System halted' soon 'halt -f'

# Refused, and nothing happens
mkctl kill victim
save_instance_log victim
mkctl rm victim
check victim-up-again begin_victim 2-3
before_fault
inside victim try-kexec > $MK_RUN/kexec
expect_equal kexec-refused "$(grep -c ': 1$' $MK_RUN/kexec) $(grep -c . $MK_RUN/kexec)" '4 4'
expect_equal kexec "$(state victim) $(show victim boot_id)" "running $victim_id"
others kexec-others

# PID 1 is a shell that ends as soon as there is a certain file
cat > $MK_RUN/first <<'END'
#!/bin/sh
/bin/busybox mount -t proc proc /proc	# where its shell finds itself from here on
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
talk agent host 9 &
while [ ! -e /run/exit ]; do usleep 50000; done
exit 3
END
chmod +x $MK_RUN/first
make_initrd /run/first.cpio $MK_RUN/first /mk/bin/talk
mkctl kill victim
save_instance_log victim
mkctl rm victim
expect_exit init-exit-up 0 mkctl spawn "$(make_config victim 2-3 "$MK_SMALL" \
	'loglevel=7 rdinit=/bin/first' /boot/a /run/first.cpio)"
victim_id=$(show victim boot_id)
ends init-exit	panicked panic 'not syncing: Attempted to kill init! exitcode=0x00000300' \
	inside victim 'touch /run/exit'

# Both in the same instant, by the clock that they have in common
check twin-up spawn_talker twin 5 ''
twin_id=$(show twin boot_id)
before_fault
at=$(($(date +%s) + 3))
for one in victim twin; do
	insmod_inside $one "mk_fault.ko fault=panic at_s=$at"
done
for one in victim twin; do
	wait_for 20 has_state $one panicked
	expect_equal both-$one "$(state $one) $(show $one cause)" 'panicked panic'
done
apart=$(awk -v a="$(show victim ended_ns)" -v b="$(show twin ended_ns)" \
	'BEGIN { d = (a - b) / 1000; print int(d < 0 ? -d : d) }')
expect_within both-at-once-us "$apart" 500000
others both-others
again both-again
save_instance_log twin
expect_exit both-twin-starts 0 mkctl start twin
check both-twin-again test "$(show twin boot_id)" != "$twin_id"
expect_equal both-twin-hears "$(inside twin 'echo $((6 * 7))')" 42
end_talk
