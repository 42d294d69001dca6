# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Instances that talk, for the machines traffic, deaths and hostile; sourced in
# the VM as /mk/talk.sh, after lib.sh. See progs/talk.c for what is said.

export PATH="$PATH:/mk/bin"
TALK_AGENT=9	# port at which an instance takes commands

# spawn_talker NAME CPUS ALLOWED: an instance that takes commands from the host
# and may have channels to ALLOWED (names in quotes, with commas)
spawn_talker() {
	[ -e /run/talk.cpio ] || make_initrd /run/talk.cpio /mk/bin/talk
	mk_config=$(make_config "$1" "$2" "$MK_SMALL" \
		"loglevel=7 mk.run=\"talk agent host $TALK_AGENT\"" \
		"${mk_kernel:-/boot/a}" /run/talk.cpio)
	sed -i "s/^{/{ \"channels\": [$3],/" "$mk_config"
	mkctl spawn "$mk_config"
}

# inside NAME COMMAND: what it prints, and its exit status
inside() { talk "do" "$1" $TALK_AGENT "$2"; }

# start_inside NAME FILE COMMAND: in the background, with what it prints in FILE
start_inside() { inside "$1" "sh -c 'echo \$\$ > $2.pid; exec $3' > $2 2>&1 &"; }

# counter NAME KEY: what the host counted of this instance
counter() { awk -v key="$2" '$1 == key { print $2 }' "/sys/kernel/multikernel/instances/$1/counters"; }

# counters_inside NAME PEER: those of an instance
counters_inside() { inside "$1" "cat /sys/kernel/multikernel/peers/$2/counters"; }

# faults: from counters on stdin, those of what must not happen, or "ok"
faults() {
	awk '/^(lost|bad_length|bad_index|unknown|refused|late_replies) / {
			seen++
			if ($2 != 0)
				printf "%s ", $0
		}
		END { print seen == 6 ? "ok" : "incomplete" }'
}
