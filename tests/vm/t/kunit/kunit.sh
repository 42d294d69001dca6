#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the kernel's own unit tests said while it booted.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 3

dmesg | sed 's/^\[[^]]*\] //' > "$MK_RUN/ktap"
planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$MK_RUN/ktap" | tail -n 1)
suites=$(grep -cE '^(not )?ok [0-9]+ ' "$MK_RUN/ktap")

check suites-ran test "$suites" -gt 0
expect_equal plan-complete "$suites" "$planned"
failed=$(grep -E '^ *not ok ' "$MK_RUN/ktap" | tr '\n' ';')
expect_equal none-failed "$failed" ''
