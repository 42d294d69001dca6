#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# With the option off nothing of ours is there, and mk_pool= changes nothing.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 8

memory_kb() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }

check feature-is-off sh -c 'uname -r | grep -q -e -off'
check_not no-symbol grep -iE '[ _]mk_|multikernel' /proc/kallsyms
check_not no-device test -e /dev/multikernel
check_not no-proc-file test -e /proc/multikernel
check pool-parameter-ignored test "$(memory_kb)" -gt 1700000
remember
expect_refusal mkctl-says-not-supported 6 'this kernel has no CONFIG_MULTIKERNEL' mkctl ls
expect_text mkctl-says-what-to-do "$ERR" 'CONFIG_MULTIKERNEL=y and add mk_pool=SIZE'
expect_refusal spawn-not-supported 6 'this kernel has no CONFIG_MULTIKERNEL' \
	mkctl spawn /etc/mk/one-cpu.json
