#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Without mk_pool= the feature sleeps, and mkctl says which parameter to add.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 9

remember
expect_refusal ls 6 'no pool of memory' mkctl ls
expect_text ls-hint "$ERR" 'add mk_pool=SIZE to the kernel command line'
expect_refusal spawn 6 'add mk_pool=SIZE' mkctl spawn /etc/mk/one-cpu.json
expect_refusal dry-run 6 'add mk_pool=SIZE' mkctl spawn -n /etc/mk/one-cpu.json
expect_refusal pool 6 'add mk_pool=SIZE' mkctl pool show
expect_exit version 0 mkctl version
expect_text role /proc/multikernel '^role: none$'
expect_text all-memory /proc/iomem 'System RAM'
check_not no-pool-in-iomem grep -i multikernel /proc/iomem
