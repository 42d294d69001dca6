#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance sends fixed IPIs of all vectors from 32 on, and NMIs, to CPUs of
# the host and of a sibling, which talk on; and to itself. The same for one that
# overwrites every byte that it shares.
# timeout: 300

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/faults.sh
. /mk/faults.sh
plan 59

ALL=0,1,4	# APIC ids of host and calm

# load_flood PARAMETERS: it has ended when it can be removed
load_flood() { insmod_inside victim "mk_flood.ko $*"; }
end_flood() {
	inside victim 'rmmod mk_flood' || return
	mk_sent=$(mkctl logs victim | sed -n 's/.*mk_flood: sent \([0-9]*\) in.*/\1/p' | tail -n 1)
	echo "mk-test: $(mkctl logs victim | grep 'mk_flood: sent' | tail -n 1)"
}

# flood VERDICT PARAMETERS: while host and calm talk
flood() {
	mk_f=$1
	shift
	before_fault
	load_flood "$@" && end_flood || echo "mk-test: $mk_f: no flood"
	echo "mk-test: $mk_f: $(($(exchanged) - said)) messages in $(($(mk_now_ms) - fault_ms)) ms"
	others "$mk_f"
}

check calm-up begin_talk 4
check victim-up begin_victim 2-3

# served VERDICT: on no CPU is an interrupt left that nobody acknowledged
served() {
	insert mk_isr
	rmmod mk_isr
	insmod_inside calm mk_isr.ko
	inside calm 'rmmod mk_isr'
	dmesg | sed -n 's/.*mk_isr: //p' | grep service > $MK_RUN/isr
	mkctl logs calm | sed -n 's/.*mk_isr: //p' | tail -n 1 >> $MK_RUN/isr
	expect_equal "$1" "$(xargs < $MK_RUN/isr)" \
		'0 vectors are in service 0 vectors are in service'
}

# --- vectors by sixteen, so that one that harms is found ---------------------------

first=32
while [ $first -lt 256 ]; do
	last=$((first + 15))
	flood "vectors-$first-to-$last" apicids=$ALL first=$first last=$last ms=200
	check "vectors-$first-were-sent" test "$mk_sent" -ge 48
	first=$((last + 1))
done
served vectors-all-acknowledged

# --- all of it -------------------------------------------------------------------

flood all-vectors apicids=$ALL ms=2000
flood nmis apicids=$ALL first=0 nmi=1 ms=2000
# Itself as well: 2 and 3 are its own
flood all-and-nmis-to-all apicids=$ALL,2,3 nmi=1 ms=2000
served all-acknowledged
expect_equal victim-lives "$(state victim) $(show victim boot_id)" "running $victim_id"

# --- vectors that devices have -----------------------------------------------------

# More in a row than Linux lets pass of an interrupt that its driver knows nothing of:
# of a level (ACPI's) and of messages (virtio's). The first vectors are those that it
# gives away first. Not for so long that RCU has reason to complain.
interrupts_of() {
	awk -v name="$1" '$NF ~ name { for (i = 2; i < 4; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts
}

# flood_devices VECTOR DEVICE...
flood_devices() {
	mk_vector=$1
	shift
	for mk_device; do
		interrupts_of "$mk_device" > "$MK_RUN/hits.$mk_device"
	done
	flood "vector-$mk_vector" apicids=0,1 first="$mk_vector" last="$mk_vector" ms=15000
	for mk_device; do
		mk_hits=$(($(interrupts_of "$mk_device") - $(cat "$MK_RUN/hits.$mk_device")))
		echo "mk-test: $mk_device: $mk_hits interrupts that are none"
		check "$mk_device-was-hit" test $mk_hits -gt $((100000 / MK_SLOW))
	done
}
flood_devices 32 acpi
flood_devices 33 virtio0-config virtio0-virtqueues

# --- itself ------------------------------------------------------------------------

before_fault
insmod_inside victim 'mk_fault.ko fault=nmi-self apicid=2 times=1000'
check nmi-self wait_for 20 log_has victim 'sent 1000 NMIs to APIC id 2'
check nmi-self-seen log_has victim 'NMI received for unknown reason'
expect_equal nmi-self-lives "$(state victim) $(show victim boot_id)" "running $victim_id"
others nmi-self-others

# --- killed meanwhile ----------------------------------------------------------------

# Itself, too
before_fault
load_flood apicids=$ALL,2,3 nmi=1 ms=60000
sleep 1
said=$(exchanged)
check meanwhile-they-talk wait_for 5 goes_on
expect_exit kill-while-it-floods 0 mkctl kill victim
expect_equal killed "$(state victim) $(show victim cause)" 'killed kill'
others killed-others
again killed-again

# --- every byte that it shares ---------------------------------------------------------

before_fault
region=$(($(cut -d ' ' -f 1 /sys/kernel/multikernel/region)))
insmod_inside victim "mk_hostile.ko region=$region id=$(show victim id) sweep=1 seconds=3"
check overwrite-begins wait_for 10 log_has victim 'mk_hostile: shared: [0-9]+ bytes in'
has_bad_index() { [ "$(counter victim bad_index)" -gt 0 ]; }
check overwrite-seen wait_for 20 has_bad_index
sleep 3
others overwrite-others
expect_exit overwrite-kill 0 mkctl kill victim
again overwrite-again
end_talk
