#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 200 deaths, see tests/vm/deaths.sh.
# timeout: 3900

# shellcheck source=tests/vm/deaths.sh
. /mk/deaths.sh
