#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Channels and shares in configs, on real kernels: checked, told, made, made
# again by a restart, and nothing left of them afterwards.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 61

# make_peer NAME CPU RUN KEYS: a config that runs a command, with more keys
make_peer() {
	mk_peer=$(make_config "$1" "$2" "$MK_SMALL" "loglevel=7 mk.run=\"$3\"")
	sed -i "s/^{/{ $4,/" "$mk_peer"
	echo "$mk_peer"
}

# failing STEP COMMAND...: mkctl whose step fails, or whose undo of it does
failing() { MKCTL_FAIL_STEP=$1 mkctl "$2" "$3"; }
failing_undo() { MKCTL_FAIL_STEP=$1 MKCTL_FAIL_UNDO=$2 mkctl "$3" "$4"; }
shares() { mkctl pfn ls -q | sort | xargs; }
free_bytes() { mkctl pool show -j > $MK_RUN/pool && json $MK_RUN/pool free_bytes; }
# live NAME COLUMN: of pfn ls, of the share that is live
live() { mkctl pfn ls | awk -v name="$1" -v column="$2" '$1 == name && $5 == "live" { print $column }'; }
counter() { mkctl show "$1" | awk -v name="$2" '$1 == name { print $2 }'; }
nobody_runs() { ! mkctl ls | grep -q running; }

linger='while sleep 1; do :; done'
board='{ "name": "board", "size": "4K", "owner": "host", "grantees": [{ "peer": "a", "rights": "rw" }, { "peer": "b", "rights": "rw" }] }'
buf='{ "name": "buf", "size": "6M", "grantees": [{ "peer": "b", "rights": "ro" }, { "peer": "host", "rights": "rw" }] }'
a=$(make_peer a 2 "$linger" "\"channels\": [\"b\"], \"shares\": [$buf, $board]")
make_peer b 3 true "\"shares\": [$(echo "$board" | sed 's/4K/8K/')]" > /dev/null
other=$MK_RUN/other.json
mv $MK_RUN/b.json $other
b=$(make_peer b 3 "echo buf: \$(mkctl pfn cat buf --length 4); mkctl pfn attach buf; mkctl msg ping a -c 20 > /dev/null && echo ping: done; $linger" "\"shares\": [$board]")
c=$(make_peer c 4 "mkctl msg ping a -c 1 > /dev/null 2>&1; echo ping: \$?; $linger" '"channels": []')
# with_x SIZE OWNER: one whose kernel does not come up, with such a share
with_x() {
	mk_peer=$(make_config d 5 "$MK_SMALL" 'loglevel=7 rdinit=/none init=/none panic=300')
	sed -i "s/^{/{ \"shares\": [{ \"name\": \"x\", \"size\": \"$1\", \"owner\": \"$2\", \"grantees\": [{ \"peer\": \"a\", \"rights\": \"ro\" }] }],/" "$mk_peer"
	echo "$mk_peer"
}

# Checked
remember
cp $MK_RUN/before $MK_RUN/first
free=$(free_bytes)
expect_exit check-both 0 mkctl check "$a" "$b"
expect_equal check-both-no-note "$(grep -c note "$OUT")" 0
expect_exit check-one 0 mkctl check "$a"
expect_text check-one-note "$OUT" "a: note: channels: there is no instance 'b' so far"
expect_refusal check-differ 64 "b: share 'board' is 8K of 'host' for a:rw, b:rw, and 4K of 'host' for a:rw, b:rw as instance 'a' of $a has it" \
	mkctl check "$a" "$other"
expect_refusal spawn-owner-unknown 3 "share 'x': its owner 'nobody' does not exist" mkctl spawn "$(with_x 4K nobody)"
expect_refusal spawn-share-too-large 5 'the share needs 4G' mkctl spawn "$(with_x 4G d)"
expect_refusal spawn-share-odd 3 'expected a multiple of 4K that is not 0, found "5000"' mkctl spawn "$(with_x 5000 d)"
expect_refusal spawn-called-host 3 '"host" is what instances call the host' \
	mkctl spawn "$(make_config host 5 "$MK_SMALL")"

# Told
expect_exit dry-run 0 mkctl spawn "$a" --dry-run
expect_text dry-run-channels "$OUT" '^  channels allow it channels to the host, b$'
expect_text dry-run-shares "$OUT" "^  shares   make share 'buf': 6M of 'a' for b:ro, host:rw; 'board': 4K of 'host' for a:rw, b:rw \[undo: revoke what was made\]"
expect_text dry-run-note "$ERR" "note: channels: there is no instance 'b' so far"
expect_unchanged dry-run-changes-nothing

# A fault at each step that has to do with it is undone
for step in channels shares start boot; do
	expect_refusal "spawn-fails-at-$step" 1 "step '$step' failed on request" \
		failing $step spawn "$a"
	expect_equal "spawn-fails-at-$step-shares" "$(shares)" ''
done
expect_exit undo-fails-shares 8 failing_undo start shares spawn "$a"
expect_unchanged undo-fails-shares-go-with-instance
# Its kernel does not come up: the shares are gone with it
expect_exit boot-fails 7 mkctl spawn "$(with_x 4M d)" --timeout 5
expect_unchanged boot-fails-nothing-left

# Made
expect_exit spawn-a 0 mkctl spawn "$a"
expect_equal made "$(shares)" 'board buf'
expect_equal memory-taken $((free - $(free_bytes))) $(((MK_SMALL_MIB + 6 + 2) << 20))
expect_exit fill 0 mkctl pfn fill buf 0x5a
expect_exit spawn-b 0 mkctl spawn "$b"
expect_equal named-twice-is-one "$(shares)" 'board buf'
check b-reads-it wait_for 20 log_has b 'buf: ZZZZ'
check b-talks-to-a wait_for 20 log_has b 'ping: done'
expect_exit spawn-c 0 mkctl spawn "$c"
check c-may-not wait_for 20 log_has c 'ping: 6'

# Shown
mkctl show a > $MK_RUN/a
expect_text show-channels $MK_RUN/a '^  channels:   host, b$'
expect_text show-own-share $MK_RUN/a '^    buf  6M, its own, attached 0 times$'
expect_text show-granted-share $MK_RUN/a '^    board  4K, rw, of host, attached 0 times$'
check show-counters test "$(counter a received)" -gt 0
expect_equal show-counters-lost "$(counter a lost)" 0
mkctl show b > $MK_RUN/b
expect_text show-attached $MK_RUN/b '^    buf  6M, ro, of a, attached 1 times$'
mkctl show b -j > $MK_RUN/b
expect_text show-json $MK_RUN/b '"doorbells_suppressed": [0-9]+'

# Made again: what b has attached stays as it was, without its name
first=$(live buf 3)
expect_exit restart-a 0 mkctl restart a
expect_equal restart-makes-it-again "$(shares)" 'board buf buf'
expect_equal restart-orphan "$(mkctl pfn ls | awk '$1 == "buf" { print $5 }' | sort | xargs)" 'live orphaned'
check restart-new-generation test "$(live buf 3)" -gt "$first"
mkctl kill b > /dev/null
expect_equal orphan-goes-with-b "$(shares)" 'board buf'

# A start that fails
mkctl stop a > /dev/null
expect_equal stop-ends-its-own "$(shares)" board
for step in shares start; do
	expect_exit "start-fails-at-$step" 1 failing $step start a
	expect_equal "start-fails-at-$step-shares" "$(shares)" board
done
expect_exit start-after-that 0 mkctl start a
expect_equal start-makes-it-again "$(shares)" 'board buf'

# Nothing left behind
mkctl kill --all > /dev/null
check all-ended nobody_runs
mkctl rm a > /dev/null
expect_equal other-config-keeps-it "$(shares)" board
clear_instances
expect_equal no-share-left "$(shares)" ''
expect_equal cpus-back "$(cat /sys/devices/system/cpu/online)" 0-5
cp $MK_RUN/first $MK_RUN/before
wait_for 60 pool_is_clean
expect_equal memory-back "$(free_bytes)" "$free"
expect_unchanged nothing-left
