# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests that look at instances through the ioctls (progs/health.c), and have
# one that does as it is told (agents).

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/agents
. /mk/agents

# Numbers of enum mk_state
# shellcheck disable=SC2034 # for the tests
RUNNING=3 UNRESPONSIVE=4 PANICKED=8

health() { /mk/bin/health "$@"; }

# wait_state NAME STATE MS: a spin lasts longer, too, on a slow kernel
wait_state() { health wait "$1" "$2" $(($3 * MK_SLOW)); }

# instance_module NAME: where the kernel of an instance of variant a has it
instance_module() { echo "/lib/mk/\$(uname -r)/$1.ko"; }

# spin CPU HOW MS: a CPU of doomed does so, some 350 ms after this
spin() {
	sh_at doomed "rmmod mk_spin 2>/dev/null; insmod $(instance_module mk_spin) cpu=$1 how=$2 ms=$(($3 * MK_SLOW))"
}

# spin_now: the same, and it spins when this is over, but its watchdog is patient
spin_now() {
	mk_before=$(spins_begun)
	health watchdog doomed 60000 && spin "$@" && wait_for 10 spins_more "$mk_before" &&
		usleep $((200000 * MK_SLOW))
}
spins_begun() { log_lines doomed 'mk_spin: CPU . spins'; }
spins_more() { [ "$(spins_begun)" -gt "$1" ]; }

# beats NAME: of all its CPUs since its start
beats() { show "$1" beats; }

# log_lines NAME PATTERN: how many lines of its log are like it
log_lines() { mkctl logs "$1" | grep -cE -e "$2"; }

# expect_going VERDICT NAME: its heart beats
expect_going() {
	mk_before=$(beats "$2")
	check "$1" wait_for 5 beats_more "$2" "$mk_before"
}
beats_more() { [ "$(beats "$1")" -gt "$2" ]; }

# What a kernel says when somebody kept its CPUs from it. One that QEMU does not run for
# some milliseconds says so, too, of whichever NMI handler that was in: not meant here.
# shellcheck disable=SC2034 # for the tests
NOISE='INFO: rcu|self-detected|lockup|blocked for more|unknown reason|Dazed|WARNING|'
NOISE=$NOISE'[^)] took too long|mk_park_nmi\) took too long|took too long to run: [0-9]{3,}\.'
