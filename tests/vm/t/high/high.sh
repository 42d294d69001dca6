#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance with two CPUs, all its memory above 4 GiB, none below 1 MiB.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 5

reported() { mkctl logs two | grep -q 'report: memory'; }

expect_exit spawn 0 mkctl spawn /etc/mk/two-cpu.json
mkctl show two -j > "$OUT"
lowest=$(sed -nE 's/^ *"addr": *([0-9]+),?$/\1/p' "$OUT" | sort -n | head -n 1)
check memory-above-4-gib test "${lowest:-0}" -ge 4294967296
check user-space-up wait_for 10 reported
mkctl logs two > "$MK_RUN/log"
expect_text both-cpus-online "$MK_RUN/log" 'report: cpus 0-1'
# Every usable range of its e820 starts above 4 GiB
low=$(grep -E 'BIOS-e820: .*usable' "$MK_RUN/log" | grep -cvE 'mem 0x0*[1-9a-f][0-9a-f]{8}')
expect_equal no-low-memory "$low" 0
