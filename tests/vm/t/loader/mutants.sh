#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 100 broken images, see tests/vm/mutants.sh.
# timeout: 120

# shellcheck source=tests/vm/mutants.sh
. /mk/mutants.sh
