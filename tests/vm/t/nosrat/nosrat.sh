#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A pool by node where firmware says nothing of nodes.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 6

dmesg > "$MK_RUN/dmesg"
expect_text said "$MK_RUN/dmesg" 'no NUMA nodes from the SRAT: there is none$'
expect_text no-node-1 "$MK_RUN/dmesg" 'mk_pool=128M@node1 is left out: there is no NUMA node 1$'
expect_exit pool-on-node-0 0 mkctl pool show
expect_text pool-is-there "$OUT" '^0 +256M +240M +240M +1$'
expect_exit spawn 0 mkctl spawn "$(make_config one 2 "$MK_SMALL" loglevel=7)"
mkctl logs one > "$MK_RUN/log"
expect_text instance-has-nodes "$MK_RUN/log" 'NODE_DATA\(0\) allocated'
