#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shares of the host alone: size, contents, rights, life, and what is refused.
# timeout: 120

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 57

PATH=$PATH:/mk/bin
mount -t debugfs none /sys/kernel/debug 2>/dev/null
mount -t tracefs none /sys/kernel/tracing 2>/dev/null

# refused NAME LINE COMMAND...: prints the refusal, and nothing has changed
refused() {
	mk_name=$1 mk_line=$2
	shift 2
	mk_got=$("$@")
	snapshot > $MK_RUN/after
	if [ "$mk_got" != "$mk_line" ]; then
		not_ok "$mk_name" "got '$mk_got', not '$mk_line'"
	elif ! cmp -s $MK_RUN/before $MK_RUN/after; then
		not_ok "$mk_name" "changed: $(diff $MK_RUN/before $MK_RUN/after | head -n 4)"
	else
		ok "$mk_name"
	fi
}

# field N NAME: of what "share get" says first
field() { share get "$2" | sed -n 1p | cut -d ' ' -f "$1"; }

gone() { [ "$(share get "$1")" = "get: 2 160 0 0 $1" ]; }

# pat_has NAME: says which of its pieces are not in the PAT list as write-back
pat_has() {
	share get "$1" | sed -n 's/^0x\([0-9a-f]*\) 0x\([0-9a-f]*\)$/\1 \2/p' |
		while read -r from to; do
			grep -qE "PAT: \[mem 0x0*$from-0x0*$to\] write-back" \
				/sys/kernel/debug/x86/pat_memtype_list ||
				echo "no $from-$to"
		done
}

remember

# One page
check create-page share create page 4096
expect_equal page-charged "$(field 7 page)" 2097152
expect_equal page-zero "$(share sum page)" 0.0
check fill-page share fill page 7
check read-only-is-enforced share segv page
one=$(share sum page)
check read-only-changed-nothing test "$(share sum page rw)" = "$one"
check bad-maps share map page
check in-iomem grep -q ' : page$' /proc/iomem
expect_equal attaches "$(field 3 page)" 6

# Held by the kernel
check keep share keep page ro
expect_equal keep-twice "$(share keep page ro)" 'attach: 17 172 0 0 page'
expect_equal pat-held "$(pat_has page)" ''
check detach share detach page
expect_equal detach-twice "$(share detach page)" 'detach: 107 173 0 0 page'
expect_equal pat-gone "$(grep -c "$(share get page | sed -n 's/^0x\([0-9a-f]*\) .*/\1/p')" /sys/kernel/debug/x86/pat_memtype_list)" 0

# Events
share hold page ro leave > $MK_RUN/hold 2>&1 &
check held wait_for 10 grep -q held $MK_RUN/hold
check revoke-willing share revoke page - 5000
wait
expect_text told $MK_RUN/hold "^event 1 5000 $one\$"
expect_unchanged page-back

check create-again share create page 4096
expect_equal new-generation "$(share sum page)" 0.0
share hold page rw stay > $MK_RUN/hold 2>&1 &
holder=$!
wait_for 10 grep -q held $MK_RUN/hold
expect_equal revoke-unwilling "$(share revoke page - 200)" 'revoke: 110 174 1 200 host'
expect_equal attach-revoked "$(share sum page)" 'attach: 128 169 0 0 page'
expect_equal revoked-stays "$(field 2 page)" 1
check name-is-free share create page 8192
check second-gone share revoke page - 0
kill -9 $holder
wait $holder 2>/dev/null
check killed-holder wait_for 5 gone page
expect_unchanged both-back

# In pieces
check create-256m share create big 0x10000000
check several-pieces test "$(field 5 big)" -ge 2
check fill-256m share fill big 3
big=$(share sum big)
expect_equal sum-256m "$(share sum big rw)" "$big"
share hold big ro leave > $MK_RUN/hold 2>&1 &
wait_for 10 grep -q held $MK_RUN/hold
expect_equal pat-pieces "$(pat_has big)" ''
check large-page-edge share edge big
expect_exit small-pages 1 share large big ro small
expect_text small-pages-counted $OUT '^5[12][0-9] KiB of page tables, 4[0-9]{3} faults'
big=$(share sum big)
check large-pages-written share large big rw
check large-pages-read share large big ro
expect_equal large-pages-same "$(share sum big)" "$big"
check speed share speed big
check revoke-256m share revoke big - 5000
wait
expect_unchanged pieces-back

# What is refused
free=$(cut -d ' ' -f 2 /sys/kernel/multikernel/pool)
refused size-0 'create: 22 163 0 0 x' share create x 0
refused size-odd 'create: 22 163 4095 0 x' share create x 4095
refused size-too-large "create: 12 164 1073741824 $free x" share create x 0x40000000
refused name-bad 'create: 22 162 0 0 X' share create X 4096
refused unknown 'attach: 2 160 0 0 nobody' share sum nobody
refused owner-unknown 'create: 2 128 0 0 nobody' share create x 4096 nobody

share create raw 4096
expect_equal revoke-stale "$(share raw revoke-stale | cut -d ' ' -f 1-3)" 'revoke-stale: 116 171'
share keep raw ro
expect_equal detach-stale "$(share raw detach-stale | cut -d ' ' -f 1-3)" 'detach-stale: 116 171'
check detach-after-stale share detach raw
check revoke-after-stale share revoke raw - 0

# Its folder
share create seen 8192
share keep seen ro
share keep seen ro
expect_equal counters "$(cat /sys/kernel/multikernel/shares/seen.*/counters | tr '\n' ' ')" \
	'attached 1 attaches 1 refused 0 '
expect_equal folder "$(cat /sys/kernel/multikernel/shares/seen.*/state \
	/sys/kernel/multikernel/shares/seen.*/owner \
	/sys/kernel/multikernel/shares/seen.*/bytes | tr '\n' ' ')" 'live 0 8192 '
share detach seen
share revoke seen - 0
no_folder() { set -- /sys/kernel/multikernel/shares/seen.*; [ ! -e "$1" ]; }
check no-folder wait_for 5 no_folder

expect_exit rounds 0 share rounds 100 round
expect_unchanged nothing-leaked
