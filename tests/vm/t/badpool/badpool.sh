#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mk_pool= with a mistake is refused as a whole.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 3

dmesg > "$MK_RUN/dmesg"
expect_text said "$MK_RUN/dmesg" 'mk_pool=256M,128M@nodes refused: not SIZE\[@ADDR\|@nodeN\]'
expect_text role /proc/multikernel '^role: none$'
check_not nothing-taken grep -i multikernel /proc/iomem
