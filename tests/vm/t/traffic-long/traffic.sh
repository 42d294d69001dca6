#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 1,000,000 messages each way, see tests/vm/traffic.sh.
# timeout: 5300

# shellcheck source=tests/vm/traffic.sh
. /mk/traffic.sh
