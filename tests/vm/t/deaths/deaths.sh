#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 20 deaths, see tests/vm/deaths.sh.
# timeout: 380

# shellcheck source=tests/vm/deaths.sh
. /mk/deaths.sh
