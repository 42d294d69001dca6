#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# How long an instance takes from its first line to PID 1, on its own clock.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 2

# stamp PATTERN: microseconds of the first line of the log like it
stamp() {
	grep -m 1 -E "$1" "$MK_RUN/log" |
		sed -n 's/^[^[]*\[ *\([0-9]*\)\.\([0-9]*\)\].*/\1\2/p' | sed 's/^0*\([0-9]\)/\1/'
}

expect_exit spawn 0 mkctl spawn /etc/mk/one-cpu.json
mkctl logs one > "$MK_RUN/log"
first=$(stamp '.') last=$(stamp 'Run /init as init')
took=''
[ -z "$first" ] || [ -z "$last" ] || took=$((last - first))
expect_within pid1-within-190-ms "$took" 190000
