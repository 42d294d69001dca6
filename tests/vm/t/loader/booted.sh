#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Twenty instances that boot, and break late: code of the last initcalls and of
# what starts PID 1 was overwritten, or the initrd is bad. Each ends in the right
# state with the right reason, and shows why in its log; the host and another
# instance go on, and the good image still boots in the same place.
# timeout: 250

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 31

PATIENCE=$((2 * MK_SLOW))	# for one that hangs, seconds
beats_move() { [ "$(show steady beats)" -gt "$beats" ]; }
boot_id() { cat /proc/sys/kernel/random/boot_id; }

# offset SYMBOL: in /boot/a
offset() { sed -nE "s/.*mk\.at=[^ ]*\b$1:([0-9]+).*/\1/p" /proc/cmdline; }

# put FROM SKIP SEEK: 16 bytes of it into the broken kernel
put() { dd "if=$1" of=/run/broken bs=1 "skip=$2" "seek=$3" count=16 conv=notrunc 2> /dev/null; }

# boots VERDICT STATE CAUSE PATTERN KERNEL INITRD: to this end, with such a line
# in its log
boots() {
	config=$(make_config doomed 2-3 "$MK_SMALL" loglevel=7 "$5" "$6")
	wanted=1 timeout=$((60 * MK_SLOW))
	[ "$2" = panicked ] || wanted=7 timeout=$PATIENCE
	mk_rc=0
	mkctl spawn "$config" --keep --timeout $timeout > "$OUT" 2> "$ERR" || mk_rc=$?
	got="$(state doomed),$(show doomed cause),$mk_rc"
	mkctl logs doomed > $MK_RUN/log
	save_log "doomed.$1" $MK_RUN/log
	if [ "$got" != "$2,$3,$wanted" ]; then
		not_ok "$1" "$got, not $2,$3,$wanted: $(head -n 1 "$ERR")"
	elif ! grep -qE -e "$4" $MK_RUN/log; then
		not_ok "$1" "no '$4' in: $(tail -n 5 $MK_RUN/log)"
	else
		ok "$1"
	fi
	mkctl rm doomed > /dev/null 2>&1
}

# kernel VERDICT SYMBOL BYTES STATE CAUSE PATTERN: code there is these bytes
kernel() {
	at=$(offset "$2")
	printf %b "$3" > $MK_RUN/bytes
	dd "if=$MK_RUN/bytes" of=/run/broken bs=1 "seek=$at" conv=notrunc 2> /dev/null
	boots "kernel-$1" "$4" "$5" "$6" /run/broken /boot/instance.cpio
	put /boot/a "$at" "$at"
}
panics() { kernel "$1" "$2" "$3" panicked panic "$4"; }
# It need not have come far when time is over, on a slow machine
hangs() { kernel "$1" "$2" "$3" failed boot-timeout 'Linux version'; }

initrd() { boots "initrd-$1" panicked panic "$2" /boot/a /run/initrd; }

# all_is_well VERDICT: host, neighbour; and the good one boots
all_is_well() {
	expect_unchanged "$1-host-unchanged"
	beats=$(show steady beats)
	check "$1-other-goes-on" wait_for 5 beats_move
	expect_exit "$1-good-one-boots" 0 mkctl spawn "$(make_config doomed 2-3 "$MK_SMALL" loglevel=7)"
	mkctl kill doomed > /dev/null
	mkctl rm doomed > /dev/null
}

mkctl spawn "$(make_config steady 1 "$MK_SMALL" loglevel=7)" > /dev/null
steady=$(show steady boot_id) host=$(boot_id)
remember
cp /boot/a /run/broken

# --- code ---------------------------------------------------------------------

panics invalid-opcode kernel_reboot_sysctls_init '\0017\0013' 'invalid opcode'
panics null-pointer reboot_ksysfs_init '\0110\0213\0004\0045\0\0\0\0' 'NULL pointer dereference'
panics divide kernel_reboot_sysctls_init '\0061\0311\0367\0361' 'divide error'
panics not-canonical reboot_ksysfs_init '\0110\0270\0\0\0\0\0\0\0\0200\0213\0' 'general protection fault'
panics jump-to-zero kernel_reboot_sysctls_init '\0061\0300\0377\0340' 'RIP: 0010:0x0'
overflow='stack guard page|stack overflow|double fault'
# Its long trace leaves no room in the log for the first line
! is_debug || overflow='Fatal exception in interrupt'
panics endless-call reboot_ksysfs_init '\0350\0373\0377\0377\0377' "$overflow"
panics initcall-pointer __initcall7_start '\0\0\0\0077' 'unable to handle page fault'
panics no-start-of-init run_init_process '\0017\0013' 'invalid opcode'
hangs endless-loop kernel_reboot_sysctls_init '\0353\0376'
hangs interrupts-off reboot_ksysfs_init '\0372\0364\0353\0375'
hangs never-alive multikernel_alive '\0353\0376'
hangs unpacking-dies do_populate_rootfs '\0017\0013'
check kernel-is-good-again cmp /boot/a /run/broken
rm /run/broken
all_is_well kernels

# --- initrd --------------------------------------------------------------------

no_init='not syncing: (VFS: Unable to mount root|No working init)'
failed='Initramfs unpacking failed'
junk() { dd if=/boot/a bs=4096 skip=1000 count=30 2> /dev/null; }

head -c 500000 /boot/instance.cpio > /run/initrd
initrd cut "$no_init"
junk > /run/initrd
initrd junk "$failed: invalid magic"
{ printf '\037\213\010\0'; junk; } > /run/initrd
initrd junk-in-gzip "$failed: uncompression error"
{ printf BZh91AY; junk; } > /run/initrd
initrd junk-in-bzip2 "$failed: decompressor failed"
head -c 600000 /boot/instance.cpio.zst > /run/initrd
initrd zstd-cut "$failed: ZSTD-compressed data is truncated"
cp /boot/instance.cpio.zst /run/initrd
junk | dd of=/run/initrd bs=1000 seek=300 conv=notrunc 2> /dev/null
initrd zstd-junk-inside "$failed: ZSTD-compressed data is corrupt"
mkdir -p $MK_RUN/files
(cd $MK_RUN/files && echo words > words && find . | cpio -o -H newc 2> /dev/null) > /run/initrd
initrd without-init "$no_init"
(cd $MK_RUN/files && junk > init && chmod 755 init && find . | cpio -o -H newc 2> /dev/null) > /run/initrd
initrd bad-init 'Failed to execute /init'
rm -r /run/initrd $MK_RUN/files
all_is_well initrds

expect_equal same-host "$(boot_id)" "$host"
expect_equal same-other "$(show steady boot_id)" "$steady"
expect_equal other-started-once "$(show steady epoch)" 1
check host-has-no-oops test "$(cat /proc/sys/kernel/tainted)" -eq 0
