# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For the machines faults, hangs and floods, sourced in the VM as /mk/faults.sh:
# something happens to an instance called victim, while the host and an instance
# called calm talk. Whatever it is, these two go on, and so does the victim after
# its next start.

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/talk.sh
. /mk/talk.sh

# What a kernel says that is not well; sysrq and emergencies of others included
FAULT_SIGNS='WARNING:|BUG:|Oops|Call Trace:|Kernel panic|unable to handle|stall|lockup|Disabling IRQ'

host_boot_id() { cat /proc/sys/kernel/random/boot_id; }
exchanged() { counter calm received; }
insmod_inside() { inside "$1" "insmod /lib/mk/\$(uname -r)/$2"; }

# begin_talk: calm on CPU $1 and the host talk from here on
begin_talk() {
	spawn_talker calm "$1" "${2:-}" || return
	start_inside calm /run/host 'talk endless -l host 1'
	talk endless calm 1 > $MK_RUN/talk &
	talk_pid=$!
	wait_for 20 grep -q up $MK_RUN/talk || return
	host_id=$(host_boot_id) calm_id=$(show calm boot_id)
	dmesg -c > /dev/null
}

# before_fault: remember how much was said, and when
before_fault() {
	said=$(exchanged)
	# shellcheck disable=SC2034 # for the tests
	fault_ms=$(mk_now_ms)
}

goes_on() { [ "$(exchanged)" -gt $((said + 20)) ]; }

# wrongs: what is not as it has to be with the others, since before_fault
wrongs() {
	now=$(exchanged)
	[ "$now" -gt $((said + 20)) ] || echo "only $((now - said)) messages meanwhile"
	said=$now
	wait_for 5 goes_on || echo "no messages any more"
	[ "$(host_boot_id)" = "$host_id" ] || echo "another host"
	[ "$(show calm boot_id)" = "$calm_id" ] || echo "another calm"
	has_state calm running || echo "calm is $(state calm)"
	mk_counters=$(faults < /sys/kernel/multikernel/instances/calm/counters)
	[ "$mk_counters" = ok ] || echo "counters: $mk_counters"
	grep -c . $MK_RUN/talk | grep -qx 1 || cat $MK_RUN/talk
	dmesg -c > $MK_RUN/dmesg
	grep -E "$FAULT_SIGNS" $MK_RUN/dmesg
}

# others VERDICT: host and calm go on
others() { expect_equal "$1" "$(wrongs)" ''; }

# again VERDICT: the victim starts, is another one, and hears
again() {
	mk_old=$victim_id
	mkctl logs victim > $MK_RUN/log
	save_log "victim.$1" $MK_RUN/log
	if ! mkctl start victim > $MK_RUN/output 2>&1; then
		not_ok "$1" "$(tail -n 3 $MK_RUN/output)"
		return
	fi
	victim_id=$(show victim boot_id)
	if [ "$victim_id" = "$mk_old" ]; then
		not_ok "$1" 'the same boot id'
	else
		expect_equal "$1" "$(inside victim 'echo $((6 * 7))')" 42
	fi
}

# begin_victim CPUS [KERNEL]
begin_victim() {
	spawn_talker victim "$1" '' || return
	victim_id=$(show victim boot_id)
}

# end_talk: each of its two ends has seen one channel, and nothing wrong
end_talk() {
	kill -TERM "$talk_pid"
	check talk-ended wait_for 20 grep -q right: $MK_RUN/talk
	expect_equal one-channel-all-the-time "$(grep -c . $MK_RUN/talk)" 2
	inside calm 'cat /run/host' > $MK_RUN/talk.calm
	expect_text calm-lost-nothing $MK_RUN/talk.calm 'closed after'
	check nothing-wrong sh -c "! grep WRONG $MK_RUN/talk $MK_RUN/talk.calm"
}
