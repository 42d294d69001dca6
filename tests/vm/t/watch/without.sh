#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance that neither beats nor answers NMIs, because the host seems not to
# offer it: it is left alone, and all else works.

# shellcheck source=tests/vm/health.sh
. /mk/health.sh
plan 10

# The features in the region's header, read by an instance when it joins
read -r region _ < /sys/kernel/multikernel/region
insert mk_poke addr=$((region + 24)) bytes=8 value=5
config=$(make_config old 2-3 "$MK_SMALL" loglevel=7)
expect_exit spawn 0 mkctl spawn "$config"
rmmod mk_poke
expect_equal features "$(mkctl show old | sed -n 's/^ *features: *//p')" 'log stop'
check_not not-watched health wait old $UNRESPONSIVE 6000
expect_equal no-beats "$(beats old)" 0
expect_equal no-freeze "$(health freeze old)" '95 194 8 0 old'
expect_equal no-registers "$(health dump old | grep -E '^(saved|cpu)')" 'saved 0'
expect_exit kill 0 health kill old
expect_equal killed "$(health get old)" '9 6 4000 0 0 9 6'
expect_exit start 0 mkctl start old
expect_going beats-now old
mkctl rm old --force > /dev/null 2>&1 || { mkctl kill old; mkctl rm old; } > /dev/null
