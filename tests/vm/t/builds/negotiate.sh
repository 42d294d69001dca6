#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Host and instance agree on what they share before anything runs: the version in
# the image's note, and the features in it.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 10

note=$(sed -n 's/.*mk\.note=\([0-9]*\).*/\1/p' /proc/cmdline)

# patched OFFSET BYTES: the vmlinux of variant b, changed there in its note
patched() {
	cp /boot/b.vmlinux /run/bad
	printf %b "$2" | dd of=/run/bad bs=1 seek=$((note + $1)) conv=notrunc 2>/dev/null
}

spawn() { mkctl spawn "$(make_config bad 2 "$MK_SMALL" loglevel=7 /run/bad)" "$@"; }

remember
patched 20 '\0005'
expect_refusal newer-version 3 'speaks version 5 of what kernels share, this host version 4' spawn
patched 20 '\0001'
expect_refusal older-version 3 'speaks version 1 of what kernels share, this host version 4' spawn
# As version 1 wrote it: nothing behind the version
patched 4 '\0004\0000\0000\0000\0001\0000\0153\0155Linux\0000\0000\0000\0001'
expect_refusal version-1-note 3 'speaks version 1 of what kernels share, this host version 4' spawn
# It cannot be asked to stop
patched 24 '\0003'
expect_refusal feature-missing 3 'has features 0x3 of what kernels share, this host needs 0x5' spawn
expect_exit feature-missing-json 3 spawn -j
expect_text feature-missing-json-reason "$ERR" '"reason": ?"image-features"'
# Features that this host does not know, and one less that it does not need
patched 24 '\0375\0377'
expect_exit other-features-accepted 0 spawn
mkctl kill bad > /dev/null
mkctl rm bad > /dev/null
expect_unchanged nothing-changed

cp /boot/b.vmlinux /run/bad
mkctl spawn "$(make_config good 2 "$MK_SMALL" loglevel=7 /run/bad)" > /dev/null
mkctl show good > "$OUT"
expect_text shown "$OUT" '^  features: +log beats stop park$'
mkctl show good -j | tr -d ' \n' > "$OUT"
expect_text shown-json "$OUT" '"features":\["log","beats","stop","park"\]'
rm /run/bad
