#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 40 moments of a boot, see tests/vm/bootkill.sh.
# timeout: 280

# shellcheck source=tests/vm/bootkill.sh
. /mk/bootkill.sh
