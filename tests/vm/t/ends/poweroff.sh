#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The last of this machine: its host powers off with two instances running.
# What the host says meanwhile, the harness looks for on its console.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 3

expect_exit spawn-left 0 mkctl spawn "$(make_config left 2-3 "$MK_SMALL" loglevel=7)"
expect_exit spawn-right 0 mkctl spawn "$(make_config right 5 "$MK_SMALL" loglevel=7 /boot/b)"
leave_instances
expect_equal both-run "$(state left) $(state right)" 'running running'
