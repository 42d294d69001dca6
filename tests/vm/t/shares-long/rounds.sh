#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A thousand shares made, attached, detached and revoked, with no page lost.
# timeout: 200

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 2

PATH=$PATH:/mk/bin

remember
check rounds share rounds 1000 round
counted 1000 rounds
expect_unchanged nothing-leaked
