#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel made of the sources of another 6.12.y, beside this host.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 5

release=$(sed -n 's/.*mk\.release=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -z "$release" ]; then
	for name in another-release spawn uname shared-features stop; do
		skip $name 'the archive has no other 6.12.y'
	done
	exit
fi

check another-release test "${release%%-*}" != "$(uname -r | sed 's/-.*//')"
expect_exit spawn 0 mkctl spawn "$(make_config other 2-3 "$MK_SMALL" loglevel=7 /boot/other)"
check uname wait_for 20 log_has other "report: uname Linux [^ ]+ $release "
mkctl show other > "$OUT"
expect_text shared-features "$OUT" '^  features: +log beats stop park$'
expect_exit stop 0 mkctl stop other
