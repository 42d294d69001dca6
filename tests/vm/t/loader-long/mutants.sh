#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 1,000 broken images, see tests/vm/mutants.sh.
# timeout: 900

# shellcheck source=tests/vm/mutants.sh
. /mk/mutants.sh
