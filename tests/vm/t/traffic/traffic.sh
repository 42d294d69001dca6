#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 100,000 messages each way, see tests/vm/traffic.sh.
# timeout: 290

# shellcheck source=tests/vm/traffic.sh
. /mk/traffic.sh
