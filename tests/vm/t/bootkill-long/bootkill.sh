#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Each millisecond of a boot, see tests/vm/bootkill.sh.
# timeout: 5300

# shellcheck source=tests/vm/bootkill.sh
. /mk/bootkill.sh
