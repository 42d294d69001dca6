#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is wrong with a request is said, with the right exit code, and nothing
# has changed: CPUs, memory, other instances, state files.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 45

note=$(sed -n 's/.*mk\.note=\([0-9]*\).*/\1/p' /proc/cmdline)
size=$(stat -c %s /boot/a)
bz_size=$(stat -c %s /boot/a.bz)

spawn() { mkctl spawn "$(make_config bad "$@")"; }

# with_kernel FILE, with_initrd FILE: all else is as it should be
with_kernel() { spawn 2 "$MK_SMALL" '' "$1"; }
with_initrd() { spawn 2 "$MK_SMALL" '' /boot/a "$1"; }

# patched FILE OFFSET BYTES: a copy of it, changed there, as /run/bad
patched() {
	cp "$1" /run/bad
	printf %b "$3" | dd of=/run/bad bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# cut_to FILE BYTES: only its first bytes, as /run/bad
cut_to() { head -c "$2" "$1" > /run/bad; }

# with_text CONFIG: the file holds just this
with_text() {
	printf '%s\n' "$1" > /run/bad.json
	mkctl spawn /run/bad.json
}

# Somebody else has CPU 5 and memory in the middle of the pool
mkctl spawn "$(make_config other 5 "$MK_SMALL" loglevel=7)" > /dev/null
remember

expect_refusal config-missing 3 'No such file' mkctl spawn /run/none.json
expect_refusal config-no-json 3 '/run/bad.json:1:' with_text 'cpus: 2'
expect_refusal config-wrong-type 3 '/run/bad.json:2: /cpus' with_text '{ "name": "bad",
	"kernel": "/boot/a", "cpus": 2, "memory": "64M" }'
expect_refusal config-unknown-key 3 '/run/bad.json:2: /colour: unknown key "colour"' with_text '{ "name": "bad",
	"kernel": "/boot/a", "cpus": "2", "memory": "64M", "colour": "red" }'
expect_refusal config-duplicate-key 3 '/run/bad.json:2: /memory: the key is there twice, first on line 1' with_text '{ "name": "bad", "memory": "64M",
	"kernel": "/boot/a", "cpus": "2", "memory": "64M" }'
expect_refusal config-bad-name 3 '/run/bad.json:1: /name: expected a name, found "Bad!"' with_text '{ "name": "Bad!",
	"kernel": "/boot/a", "cpus": "2", "memory": "64M" }'
expect_refusal config-duplicate-name 3 '/run/bad.json:2: /instances/1/name: "bad" is already the name of /instances/0' \
	with_text '{ "schema": "mkctl/1", "instances": [ { "name": "bad", "kernel": "/boot/a", "cpus": "2", "memory": "64M" },
	{ "name": "bad", "kernel": "/boot/a", "cpus": "3", "memory": "64M" } ] }'
expect_refusal name-taken 5 'there is an instance of this name' \
	mkctl spawn "$(make_config other 3 "$MK_SMALL")"
expect_refusal no-such-instance 4 'no such instance' mkctl kill nobody

expect_refusal memory-no-size 3 '/memory: expected a size, found "64Q"' spawn 2 64Q
expect_refusal memory-overflow 3 '/memory: size "99999999999999T" does not fit in 64 bits' spawn 2 99999999999999T
expect_refusal memory-unaligned 3 'multiple of 2M' spawn 2 65M
expect_refusal memory-too-small 3 'at least 32M' spawn 2 16M
# 1G without the region of 16M and what "other" has
free=$((1008 - MK_SMALL_MIB))
expect_refusal memory-too-much 5 "free memory in the pool: ${free}M free, largest piece ${free}M" \
	spawn 2 2G
# A free piece before and one behind the memory of another
for name in front back; do
	MKCTL_FAIL_STEP=load mkctl spawn "$(make_config $name 3 128M)" --keep 2>/dev/null
	# It holds its CPUs too, and the next one needs them
	[ $name = back ] || mkctl rm front > /dev/null
	[ $name = back ] || MKCTL_FAIL_STEP=load mkctl spawn "$(make_config front 4 128M)" --keep 2>/dev/null
done
remember
expect_refusal memory-two-holders 5 "$((free - 256))M free, largest piece $((free - 256))M" spawn 2 2G
mkctl rm front > /dev/null
remember
expect_refusal memory-in-pieces 5 "$((free - 128))M free, largest piece $((free - 256))M" spawn 2 2G
expect_exit memory-holder-removed 0 mkctl rm back
remember

expect_refusal cmdline-region 3 'mk_shared_memory=, which mkctl adds itself' spawn 2 "$MK_SMALL" 'quiet mk_shared_memory=16M'
expect_refusal cmdline-too-long 3 'command line has [0-9]+ bytes, the limit is 2048' \
	spawn 2 "$MK_SMALL" "$(printf 'word=%0500d ' 1 2 3 4 5)"

expect_refusal kernel-missing 3 '/run/none: cannot open the kernel' with_kernel /run/none
expect_refusal kernel-folder 3 'not a regular file' with_kernel /run
: > /run/bad
expect_refusal kernel-empty 3 'is empty' with_kernel /run/bad
expect_refusal kernel-text 3 'neither an ELF vmlinux nor a bzImage' with_kernel /etc/mk/one-cpu.json
n=0
for bytes in 32 1000 $((size / 2)) $((size - 1)); do
	n=$((n + 1))
	cut_to /boot/a $bytes
	expect_refusal kernel-cut-$n 3 "cut short: it needs [0-9]+ bytes and has $bytes" \
		with_kernel /run/bad
done
patched /boot/a 18 '\0267\0000'
expect_refusal kernel-other-machine 3 'e_machine 183\), not x86-64' with_kernel /run/bad
patched /boot/a 4 '\0001'
expect_refusal kernel-32-bit 3 'another machine' with_kernel /run/bad
patched /boot/a 24 '\0000\0000\0255\0336\0000'
expect_refusal kernel-entry-outside 3 'entry point 0xdead0000 is outside' with_kernel /run/bad
patched /boot/a 88 '\0377\0377\0377\0377\0377\0377\0377\0377'
expect_refusal kernel-bad-segment 3 'bad segment' with_kernel /run/bad
patched /boot/a $((note + 8)) '\0002'
expect_refusal kernel-no-note 3 'build it with CONFIG_MULTIKERNEL=y' with_kernel /run/bad
patched /boot/a $((note + 20)) '\0011'
expect_refusal kernel-other-abi 3 'speaks version 9 .* this host version 4' with_kernel /run/bad

patched /boot/a.bz 1000001 '\0252\0125\0252'
expect_refusal bzimage-flipped 3 'checksum is wrong' with_kernel /run/bad
patched /boot/a.bz $((0x1f1 + 0x45)) '\0000'
expect_refusal bzimage-32-bit 3 'another machine' with_kernel /run/bad
cut_to /boot/a.bz 600
expect_refusal bzimage-cut-in-header 3 'neither an ELF' with_kernel /run/bad
n=0
for bytes in 100000 $((bz_size / 2)) $((bz_size - 1)); do
	n=$((n + 1))
	cut_to /boot/a.bz $bytes
	expect_refusal bzimage-cut-$n 3 "cut short: it needs $bz_size bytes and has $bytes" \
		with_kernel /run/bad
done
rm /run/bad

expect_refusal initrd-missing 3 '/run/none: cannot open the initrd' with_initrd /run/none
# More than the instance has, and as much as it has but for the kernel
big=$((MK_SMALL_MIB + 16))M
truncate -s "$big" /run/big
expect_refusal initrd-too-large 3 "initrd needs $big in one piece of memory, " with_initrd /run/big
big=$((MK_SMALL_MIB - 14))M
truncate -s "$big" /run/big
expect_refusal initrd-too-large-beside-kernel 3 "initrd needs $big in one piece of memory, " \
	with_initrd /run/big
rm /run/big

# A dry run finds the same
expect_refusal dry-run-memory 5 'largest piece' mkctl spawn -n "$(make_config bad 2 2G)"
expect_refusal dry-run-kernel 3 'cannot open the kernel' \
	mkctl spawn -n "$(make_config bad 2 "$MK_SMALL" '' /run/none)"

# And with all this behind it, the host still spawns: also from a bzImage
expect_exit bzimage-good 0 with_kernel /boot/a.bz
