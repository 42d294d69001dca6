#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 50 cycles of each a round, see tests/vm/endurance.sh.
# timeout: 900

# shellcheck source=tests/vm/endurance.sh
. /mk/endurance.sh
