#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# `mkctl check` and `mkctl spawn --dry-run` say the same of 100 generated
# configs: exit status, message and hint. Neither changes anything. And what
# they pass can be spawned.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 13

small=$MK_SMALL
dir=/run/check
mkdir $dir
note=$(sed -n 's/.*mk\.note=\([0-9]*\).*/\1/p' /proc/cmdline)

# patched FILE FROM OFFSET BYTES: a copy of it, changed there
patched() {
	cp "$2" "$dir/$1"
	printf %b "$4" | dd of="$dir/$1" bs=1 seek="$3" conv=notrunc 2>/dev/null
}

: > $dir/empty
ln -s loop $dir/loop
head -c 10 /boot/a > $dir/cut-short
head -c 1000000 /boot/a > $dir/cut
patched arm /boot/a 18 '\0267\0000'
patched entry /boot/a 24 '\0000\0000\0255\0336\0000'
patched segment /boot/a 88 '\0377\0377\0377\0377\0377\0377\0377\0377'
patched no-note /boot/a $((note + 8)) '\0002'
patched abi /boot/a $((note + 20)) '\0011'
head -c 100000 /boot/a.bz > $dir/bz-cut
patched bz-32 /boot/a.bz $((0x1f1 + 0x45)) '\0000'

# said FILE: what mkctl said, but for its verb
said() { sed 's/^mkctl: [a-z]*: //' "$1"; }

# verdict VERB...: exit status and message
verdict() {
	mk_rc=0
	mkctl "$@" > /dev/null 2> $dir/err || mk_rc=$?
	echo "status $mk_rc"
	said $dir/err
}

# compare FILE: do both say the same? Counts what they say.
compare() {
	verdict check "$1" > $dir/by-check
	verdict spawn --dry-run "$1" > $dir/by-spawn
	if ! cmp -s $dir/by-check $dir/by-spawn; then
		echo "$1: $(head -n 2 $dir/by-check | tr '\n' ' ') / $(head -n 2 $dir/by-spawn | tr '\n' ' ')" >> $dir/disagree
		cat "$1"
	fi
	if grep -q '^status 0$' $dir/by-check; then
		echo "$1" >> $dir/valid
		return
	fi
	echo "$1" >> $dir/invalid
	head -n 1 $dir/by-check >> $dir/statuses
	# Without names, numbers and places: which check it was
	sed -n '2s/.*: //; 2s/"[^"]*"/""/g; 2s/[0-9][0-9.]*[KMGT]*/N/gp' $dir/by-check >> $dir/kinds
	mkctl check -j "$1" 2>/dev/null | sed -n 's/^ *"reason": "\(.*\)",$/\1/p' | head -n 1 >> $dir/reasons
}

count() { sort -u "$1" | wc -l; }

mkctl spawn "$(make_config other 6-7 $small loglevel=7)" > /dev/null
echo 0 > /sys/devices/system/cpu/cpu5/online
generate() { awk -v seed="$1" -v out=$dir -v small=$small -f /mk/generate.awk && cat $dir/*.json | md5sum; }
other_seed=$(generate 7)
first=$(generate 1)
check seed-matters test "$first" != "$other_seed"
expect_equal generated-same-again "$(generate 1)" "$first"
expect_equal generated "$(find $dir -name '*.json' | wc -l)" 100

: > $dir/disagree
remember
for file in "$dir"/*.json; do
	compare "$file"
done
expect_unchanged nothing-changed
expect_equal agree "$(cat $dir/disagree)" ''
valid=$(count $dir/valid) invalid=$(count $dir/invalid)
expect_equal all-compared $((valid + invalid)) 100
check enough-valid test "$valid" -ge 30
check enough-invalid test "$invalid" -ge 30
sort -u $dir/reasons
check enough-reasons test "$(count $dir/reasons)" -ge 17
check enough-messages test "$(count $dir/kinds)" -ge 25
expect_equal statuses "$(sort -u $dir/statuses | tr '\n' ' ')" 'status 3 status 5 '

# What is passed can be done
spawned=0
for file in $(head -n 4 $dir/valid); do
	name=$(sed -n 's/.*"name": "\(.*\)",/\1/p' "$file")
	run_mkctl spawn "$file" && spawned=$((spawned + 1))
	save_instance_log "$name"
	mkctl kill "$name" && mkctl rm "$name"
done
expect_equal passed-can-be-spawned $spawned 4
expect_unchanged nothing-left
echo 1 > /sys/devices/system/cpu/cpu5/online
