#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 20 cycles of spawn and stop, and 20 of spawn and kill, see tests/vm/endurance.sh.
# timeout: 280

# shellcheck source=tests/vm/endurance.sh
. /mk/endurance.sh
