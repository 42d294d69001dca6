#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shares between the host and two instances: contents, rights, revoking, giving,
# and deaths of either side.
# timeout: 240

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 51

PATH=$PATH:/mk/bin

# Each instance does what it is told by "share tell"
start() {
	mkctl spawn "$(make_config "$1" "$2" 128M 'loglevel=7 mk.run="share agent"' /boot/a /run/shares.cpio)" > /dev/null &&
		wait_for 20 answers "$1"
}
again() { mkctl start "$1" > /dev/null && wait_for 20 answers "$1"; }
answers() { log_has "$1" "agent of $1" && [ "$(share tell "$1" 'echo here')" = here ]; }

# a ..., b ...: in that instance
a() { share tell a "$*"; }
b() { share tell b "$*"; }

# holder IN NAME HOW: somebody holds it there, and says what happens in /held
holder() {
	share tell "$1" "share hold $2 ro $3 > /held 2>&1 & echo \$! > /holder"
	wait_for 10 holds "$1"
}
holds() { share tell "$1" 'cat /held' | grep -q held; }
held_has() { share tell "$1" 'cat /held' | grep -q "$2"; }
# shellcheck disable=SC2016 # for the instance's shell
leave() { share tell "$1" 'kill -9 $(cat /holder)'; }

# holder_line NAME WHO: "RIGHTS ATTACHED FLAGS"
holder_line() { share get "$1" | sed -n "s/^$2 //p"; }
field() { share get "$2" | sed -n 1p | cut -d ' ' -f "$1"; }
pieces_of_s() { [ "$(grep -c ' : s$' /proc/iomem)" = "$1" ]; }
unheld() { [ -z "$(holder_line "$1" "$2")" ]; }

make_initrd /run/shares.cpio /mk/bin/share
for name in a b; do
	share create ctl-$name 4096
	share grant ctl-$name $name rw later
done
check start-a start a 1
check start-b start b 2
wait_for 60 pool_is_clean
mkctl pool show -j > $MK_RUN/pool

# Contents
for size in 0x1000 0x4000000 0x10000000; do
	check "create-$size" a "share create s $size && share grant s b ro && share grant s host rw && share fill s 5"
	sum=$(a share sum s)
	expect_equal "same-in-b-$size" "$(b share sum s)" "$sum"
	expect_equal "same-in-host-$size" "$(share sum s rw)" "$sum"
	[ $size = 0x1000 ] || {
		check "speed-in-b-$size" b share speed s
		# shellcheck disable=SC2016 # for the instance's shell
		check "pat-in-b-$size" b 'mount -t debugfs none /sys/kernel/debug 2>/dev/null; share keep s ro && share get s | sed -n "s/^0x\([0-9a-f]*\) 0x\([0-9a-f]*\)$/\1 \2/p" | while read -r from to; do grep -qE "\[mem 0x0*$from-0x0*$to\] write-back" /sys/kernel/debug/x86/pat_memtype_list || echo "no $from"; done > /pat; share detach s && test ! -s /pat'
	}
	[ $size = 0x10000000 ] || a share revoke s - 1000
done
expect_exit small-pages-in-a 1 a share large s rw small
check large-pages-in-a a share large s rw
check large-pages-in-b b share large s ro
check several-pieces test "$(field 5 s)" -ge 2
check segv-in-b b share segv s
expect_equal nothing-changed "$(share sum s)" "$sum"
expect_equal no-rights "$(b share sum s rw)" 'attach: 13 168 3 1 s'
expect_equal b-is-no-owner "$(b share revoke s - 0)" 'revoke: 1 167 0 0 s'
expect_equal b-cannot-give "$(b share give s b)" 'give: 1 167 0 0 s'
expect_equal no-owner-for "$(b share create x 4096 a)" 'create: 95 3 2 0 '

# Revoking
holder b s leave
check revoke-willing a share revoke s b 5000
expect_equal told "$(b cat /held | tail -n 1)" "event 1 5000 $sum"
a share grant s b ro
holder b s stay
expect_equal revoke-unwilling "$(a share revoke s b 300)" 'revoke: 110 174 1 300 b'
expect_equal revoked-is-revoked "$(b share sum s)" 'attach: 128 169 0 0 s'
leave b
check left wait_for 5 unheld s b

# The owner dies: its share stays readable to who has it attached
a share grant s b ro
holder b s stay
mkctl kill a > /dev/null
check orphaned wait_for 5 held_has b "event 2 0 $sum"
expect_equal orphan-state "$(field 2 s)" 2
expect_equal orphan-not-attached "$(share sum s)" 'attach: 130 170 0 0 s'
check again-a again a
check new-of-that-name a 'share create s 4096 && share grant s b ro'
check orphan-and-new test "$(field 2 s)" = 0
leave b
check orphan-is-over wait_for 5 pieces_of_s 1

# A grantee dies: nothing is attached any more, and its grant stays
holder b s stay
mkctl kill b > /dev/null
expect_equal grantee-gone "$(holder_line s b)" '1 0 0'
check again-b again b
check granted-again b share sum s
check revoke-at-once a share revoke s - 0

# Giving
share create g 0x400000
share fill g 9
sum=$(share sum g)
check give share give g a
expect_equal given-is-not-mine "$(share sum g)" 'attach: 13 168 1 0 g'
expect_equal given-contents "$(a share sum g rw)" "$sum"
check give-back a share give g host
mkctl kill a > /dev/null
expect_equal survives-the-donor "$(share sum g rw)" "$sum"
check revoke-g share revoke g - 0
check again-a-2 again a

# Many rounds in three kernels at once
share rounds 50 rounds-host > $MK_RUN/rounds &
a 'share rounds 50 rounds-a' > $MK_RUN/rounds-a &
check rounds b share rounds 50 rounds-b
wait
expect_equal other-rounds "$(cat $MK_RUN/rounds $MK_RUN/rounds-a)" ''
mkctl pool show -j > $MK_RUN/pool-after
check nothing-leaked wait_for 10 sh -c "mkctl pool show -j | cmp - $MK_RUN/pool"
