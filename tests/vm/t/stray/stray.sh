#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A stray write through a kernel's direct map faults wherever the memory is not
# its own, and changes no byte of anybody. On both sides a page with a pattern
# is watched; on the host also the memory below 640 KiB.
# timeout: 130

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 33

# pattern_page: from a kernel log on stdin, the address of its watched page
pattern_page() { sed -n 's/.*mk_pattern: page at \(0x[0-9a-f]*\).*/\1/p' | tail -n 1; }

# addresses NAME: first, middle and last byte of its memory, with commas
addresses() {
	mkctl show "$1" -j | sed -n 's/^ *"\(addr\|bytes\)": *\([0-9]*\),.*/\1 \2/p' |
		while read -r key value; do
			[ "$key" = bytes ] || { addr=$value; continue; }
			echo "$addr,$((addr + value / 2)),$((addr + value - 1))"
		done
}

pool_value() { mkctl pool show -j > "$MK_RUN/pool" && json "$MK_RUN/pool" "$1"; }
count() { echo "$1" | tr ',' '\n' | grep -c .; }
written() { grep -v '^control' "$MK_RUN/said" | grep -c WRITTEN; }
log_of() { mkctl logs "$1" | sed -n 's/.*mk_stray: //p' > "$2"; }

# inner ORDERS: the command line of an instance that watches a page and then
# carries out the orders, in the folder of its modules
inner() {
	echo "loglevel=7 mk.run=\"cd /lib/mk/\$(uname -r); insmod ./mk_pattern.ko; $1\""
}

# --- the host strays: pool, region, an instance -------------------------------

dmesg -c > /dev/null
expect_exit prey-up 0 mkctl spawn "$(make_config prey 2 "$MK_SMALL" "$(inner "sleep $((12 * MK_SLOW)); rmmod mk_pattern; sleep 1000")")"
check prey-watches wait_for 10 log_has prey 'mk_pattern: page at'
page=$(($(mkctl logs prey | pattern_page)))
mine=$(addresses prey)
region=$(pool_value region_addr)
# The pool is in one piece and the region at its beginning
pool_end=$((region + $(pool_value pool_bytes) - 1))
targets=$page,$mine,$region,$((region + 4096)),$pool_end
check prey-page-is-its-own test "$page" -gt "${mine%%,*}" -a "$page" -lt "${mine##*,}"

check host-strays insert mk_stray "phys=$targets"
rmmod mk_stray
dmesg | sed -n 's/.*mk_stray: //p' > "$MK_RUN/said"
expect_text host-can-write-its-own "$MK_RUN/said" '^control WRITTEN$'
expect_equal host-faults "$(grep -c ' faults$' "$MK_RUN/said")" "$(count "$targets")"
expect_equal host-wrote-nothing-else "$(written)" 0
check prey-not-yet-done sh -c '! mkctl logs prey | grep -q "mk_pattern: page [iC]"'

# The same without a net: an oops, of the host's task alone
expect_exit host-oops 137 insert mk_stray "phys=$page" store=1
dmesg > "$MK_RUN/dmesg"
expect_text host-oops-page-fault "$MK_RUN/dmesg" 'BUG: unable to handle page fault for address'
access=write code=2
! is_debug || access=read code=0	# KASAN first reads what it knows of the address
expect_text host-oops-was-a-write "$MK_RUN/dmesg" "#PF: supervisor $access access in kernel mode"
expect_text host-oops-not-present "$MK_RUN/dmesg" "#PF: error_code\(0x000$code\) - not-present page"
check prey-verdict wait_for 30 log_has prey 'mk_pattern: page (intact|CHANGED)'
mkctl logs prey > "$MK_RUN/log"
expect_text prey-page-intact "$MK_RUN/log" 'mk_pattern: page intact'
expect_equal prey-lives "$(state prey)" running

# --- an instance strays: low memory, the host, the pool, a sibling ------------

insert mk_pattern
host_page=$(($(dmesg | pattern_page)))
low=0x0,0x400,0x1000,0x7c00,0x10000,0x9f000,0xa0000,0xb8000,0xf0000,0xfffff
targets=$low,$(pool_value start_page),$host_page,0x1000000,$(addresses prey)
targets=$targets,$region,$((region + 4096)),$pool_end
orders="sleep $((5 * MK_SLOW)); insmod ./mk_stray.ko phys=$targets; rmmod mk_stray"
orders="$orders; insmod ./mk_stray.ko store=1 phys=0x1000; echo oops \$?"
orders="$orders; rmmod mk_pattern; echo done; sleep 1000"
expect_exit hunter-up 0 mkctl spawn "$(make_config hunter 3-4 "$MK_SMALL" "$(inner "$orders")" /boot/b)"
check hunter-watches wait_for 10 log_has hunter 'mk_pattern: page at'
# From here on the host has no reason to write down there
echo 1 > /sys/module/mk_pattern/parameters/low
check hunter-not-yet-strayed sh -c '! mkctl logs hunter | grep -q mk_stray:'
check hunter-done wait_for 30 log_has hunter '\] done'
log_of hunter "$MK_RUN/said"
expect_text hunter-can-write-its-own "$MK_RUN/said" '^control WRITTEN$'
expect_equal hunter-faults "$(grep -c ' faults$' "$MK_RUN/said")" "$(count "$targets")"
expect_equal hunter-wrote-nothing-else "$(written)" 0

mkctl logs hunter > "$MK_RUN/log"
expect_text hunter-oops "$MK_RUN/log" 'BUG: unable to handle page fault for address'
expect_text hunter-oops-was-a-write "$MK_RUN/log" '#PF: supervisor write access in kernel mode'
expect_text hunter-oops-not-present "$MK_RUN/log" '#PF: error_code\(0x0002\) - not-present page'
expect_text hunter-page-intact "$MK_RUN/log" 'mk_pattern: page intact'
expect_equal hunter-lives "$(state hunter)" running
expect_equal prey-still-lives "$(state prey)" running

dmesg -c > /dev/null
rmmod mk_pattern
dmesg > "$MK_RUN/dmesg"
expect_text host-page-intact "$MK_RUN/dmesg" 'mk_pattern: page intact'
expect_text host-low-memory-intact "$MK_RUN/dmesg" 'mk_pattern: low memory intact'

# The start page still starts CPUs, also those of the two
expect_exit kill-all 0 mkctl kill --all
expect_equal cpus-back "$(cat /sys/devices/system/cpu/online)" 0-5
expect_exit start-again 0 mkctl start prey
