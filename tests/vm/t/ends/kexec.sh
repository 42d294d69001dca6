#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kexec inside an instance is refused, whoever asks. On the host the same
# requests get further, so it is not just their arguments.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 7

/mk/bin/try-kexec > "$OUT"
expect_equal host-says-eperm-to-none "$(grep -c ': 1$' "$OUT")" 0
expect_equal host-was-asked "$(grep -c ^try-kexec "$OUT")" 4

make_initrd /run/kexec.cpio /mk/bin/try-kexec
config=$(make_config picky 2 "$MK_SMALL" 'loglevel=7 mk.run="try-kexec; echo asked"' \
	/boot/a /run/kexec.cpio)
expect_exit spawn 0 mkctl spawn "$config"
check asked wait_for 10 log_has picky '\] asked'
mkctl logs picky > "$MK_RUN/log"
expect_equal instance-says-eperm-to-all "$(grep -c 'try-kexec: .*: 1$' "$MK_RUN/log")" 4
expect_equal instance-was-asked "$(grep -c 'try-kexec: ' "$MK_RUN/log")" 4
expect_equal still-running "$(state picky)" running
