#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/record-machine under busybox, and that the checked-in recording of this
# machine is still what it records: tests/fixtures/record makes it anew.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 13

hostname secret-host
expect_exit records 0 /mk/record-machine /run/now.tar
mkdir /run/then /run/now
tar -xf /mk/plain.tar -C /run/then
check extracts tar -xf /run/now.tar -C /run/now
(cd /run/then && find . ! -type d | sort) > /run/then.list
(cd /run/now && find . ! -type d | sort) > /run/now.list
expect_equal same-files "$(diff /run/then.list /run/now.list | head -n 5)" ''
check many-files test "$(wc -l < /run/now.list)" -gt 150

# What does not depend on the moment and on the kernel's size
# compare LIST FOLDER: what differs there from /run/now
compare() { while read -r f; do cmp "/run/now/$f" "$2/$f"; done < "$1" 2>&1; }
grep '^./sys/devices/.*[0-9]/node0$' /run/now.list > /run/links
expect_equal same-links "$(wc -l < /run/links)" 6
grep '^./sys/devices/system/cpu' /run/now.list | grep -v 'node0$' > /run/cpu.list
expect_equal same-cpus "$(compare /run/cpu.list /run/then)" ''
grep '^./sys/devices/system/node' /run/now.list | grep -v 'meminfo$' > /run/node.list
expect_equal same-nodes "$(compare /run/node.list /run/then)" ''
apicids() { grep -E '^(processor|apicid|core id|physical id)' "$1/proc/cpuinfo"; }
expect_equal same-apicids "$(apicids /run/now)" "$(apicids /run/then)"
expect_equal same-role "$(cat /run/now/sys/kernel/multikernel/role)" "$(cat /run/then/sys/kernel/multikernel/role)"
expect_equal as-it-is "$(cat /run/now/proc/iomem)" "$(cat /proc/iomem)"

expect_text own-words /run/now/proc/cmdline '^mk_pool=1G$'
check_not no-other-words grep -rqE 'hunter2|console=|secret-host' /run/now
/mk/record-machine /run/again.tar
mkdir /run/again
tar -xf /run/again.tar -C /run/again
grep -vE 'node0$|proc/interrupts|meminfo$' /run/now.list > /run/stable
expect_equal same-again "$(compare /run/stable /run/again)" ''
