#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 100,000 messages each way, see tests/vm/kapi-stream.sh.
# timeout: 280

# shellcheck source=tests/vm/kapi-stream.sh
. /mk/kapi-stream.sh
