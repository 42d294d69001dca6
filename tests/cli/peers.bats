# SPDX-License-Identifier: GPL-2.0-only
#
# Channels and shares of configs: check, spawn, show, start, rm, on a pretended
# kernel.

load helper

setup() {
	make_machine
	jq -c '.channels = ["db"] | .shares = [
		{ name: "buf", size: "64M", grantees: [{ peer: "db", rights: "ro" }] },
		{ name: "board", size: "4K", owner: "host", grantees: [{ peer: "web", rights: "rw" }] }]' \
		web.json > producer.json
}

journal() { tail -c 4096 "$MKFAKE_STATE" | tr -d '\0'; }
shares() { "$fake" pfn ls -q | sort | xargs; }

# edit FILE FILTER NEW
edit() { jq -c "$2" "$1" > "$3"; }

@test "channels and shares: a spawn sets and makes them, with notes" {
	run --separate-stderr -0 "$fake" spawn producer.json
	is "mkctl: spawn: web: note: channels: there is no instance 'db' so far" "${stderr_lines[0]}"
	is "mkctl: spawn: web: note: share 'buf': there is no instance 'db' so far" "${stderr_lines[1]}"
	is 2 "${#stderr_lines[@]}"
	is "create channels cpus memory load share grant share grant start" "$(journal)"
	is "board buf" "$(shares)"
	is '[["db"],["buf","board"],["web","host"],[67108864,4096],"move"]' \
		"$(jq -c '[.channels, [.shares[].name], [.shares[].owner], [.shares[].bytes], .references]' \
		"$MKCTL_ROOT/run/mkctl/web.json")"
}

@test "channels and shares: the other is there, so there is no note" {
	"$fake" spawn db.json
	run --separate-stderr -0 "$fake" spawn -j producer.json
	is "" "$stderr"
	is '[]' "$(jq -c .notes <<< "$output")"
	"$fake" rm db 2> /dev/null || "$fake" kill db
	"$fake" rm db
	"$fake" kill web && "$fake" rm web
	run --separate-stderr -0 "$fake" spawn -j producer.json
	is "" "$stderr"
	is 2 "$(jq '.notes | length' <<< "$output")"
}

@test "channels and shares: a dry run tells and changes nothing" {
	run --separate-stderr -0 "$fake" spawn -n producer.json
	has "allow it channels to the host, db" "${lines[2]}"
	has "make share 'buf': 64M of 'web' for db:ro; 'board': 4K of 'host' for web:rw [undo: revoke what was made]" "${lines[8]}"
	is 2 "${#stderr_lines[@]}"
	is "" "$(journal)"
	is "" "$(shares)"
	is '["channels: there is no instance '"'db'"' so far"]' \
		"$("$fake" spawn -n -j producer.json | jq -c '.notes[:1]')"
}

@test "check: what several files say of one share" {
	edit db.json '.shares = [{ name: "buf", size: "64M", owner: "web", grantees: [{ peer: "db", rights: "ro" }] }]' same.json
	run --separate-stderr -0 "$fake" check producer.json same.json
	is "producer.json: web: ok" "${lines[0]}"
	is "same.json: db: ok" "${lines[1]}"
	is 2 "${#lines[@]}"
	edit same.json '.shares[0].size = "32M"' other.json
	run --separate-stderr -64 "$fake" check producer.json other.json
	is "mkctl: check: db: share 'buf' is 32M of 'web' for db:ro, and 64M of 'web' for db:ro as instance 'web' of producer.json has it" "${stderr_lines[0]}"
	is "hint: say the same in both, or give one of them another name" "${stderr_lines[1]}"
	# Rights count, too
	edit same.json '.shares[0].grantees[0].rights = "rw"' other.json
	run --separate-stderr -64 "$fake" check producer.json other.json
	has "64M of 'web' for db:rw, and 64M of 'web' for db:ro as instance 'web' of producer.json" "${stderr_lines[0]}"
	# Off a host as well
	rm "$MKCTL_ROOT/dev/multikernel"
	run --separate-stderr -64 "$mkctl" check producer.json other.json
	has "as instance 'web' of producer.json has it" "${stderr_lines[0]}"
}

@test "check and spawn: against what runs" {
	"$fake" spawn producer.json 2> /dev/null
	edit db.json '.shares = [{ name: "buf", size: "32M", grantees: [{ peer: "web", rights: "ro" }] }]' other.json
	for verb in check spawn; do
		run --separate-stderr -3 "$fake" $verb other.json
		has "share 'buf' is 32M of 'db' for web:ro, and 64M of 'web' for db:ro as instance 'web' of $PWD/producer.json has it" "$stderr"
	done
	# One that no config knows
	"$fake" pfn share mine --size 4M --to web
	edit db.json '.shares = [{ name: "mine", size: "8M", grantees: [{ peer: "web", rights: "ro" }] }]' other.json
	for verb in check spawn; do
		run --separate-stderr -5 "$fake" $verb other.json
		has "db: there is a share 'mine' (id 3) that is not the same: 4M of 'host'; wanted is 8M of 'db' for web:ro" "$stderr"
		has "hint: choose another name, or end that one: 'mkctl pfn revoke mine'" "$stderr"
	done
	is "board buf mine" "$(shares)"
}

@test "check: the owner of a share has to be there first" {
	edit db.json '.shares = [{ name: "theirs", size: "4K", owner: "web", grantees: [{ peer: "db", rights: "ro" }] }]' late.json
	for verb in check spawn; do
		run --separate-stderr -3 "$fake" $verb late.json
		has "db: share 'theirs': its owner 'web' does not exist" "$stderr"
		has "hint: spawn 'web' first, or leave \"owner\" out" "$stderr"
	done
	run -0 "$fake" check web.json late.json
	run --separate-stderr -64 "$fake" check late.json web.json
	has "db: share 'theirs': its owner 'web' comes after it, in web.json" "${stderr_lines[0]}"
	make_config web 99 > bad.json
	run --separate-stderr -3 "$fake" check bad.json late.json
	has "db: share 'theirs': its owner 'web' is refused" "$stderr"
	"$fake" spawn web.json
	run -0 "$fake" spawn late.json
	is theirs "$(shares)"
}

@test "check: memory of shares and instances in sum" {
	edit web.json '.shares = [{ name: "buf", size: "600M", grantees: [{ peer: "db", rights: "ro" }] }]' big.json
	run -0 "$fake" check big.json
	run --separate-stderr -64 "$fake" check big.json db.json
	has "db: not enough free memory in the pool: 168M free" "$stderr"
	run --separate-stderr -64 "$fake" check db.json big.json
	has "web: the pool has 512M free, the share needs 600M" "$stderr"
	edit big.json '.shares[0].size = "800M"' huge.json
	for verb in check spawn; do
		run --separate-stderr -5 "$fake" $verb huge.json
		has "web: the pool has 768M free, the share needs 800M" "$stderr"
	done
	edit big.json '.shares[0].numa = 1' node.json
	run --separate-stderr -5 "$fake" spawn node.json
	has "not enough free memory on node1: 600M wanted, 256M free" "$stderr"
	is "" "$(journal)"
}

@test "check: notes, as text and JSON" {
	run --separate-stderr -0 "$fake" check producer.json
	is "producer.json: web: ok" "${lines[0]}"
	is "producer.json: web: note: channels: there is no instance 'db' so far" "${lines[1]}"
	is "producer.json: web: note: share 'buf': there is no instance 'db' so far" "${lines[2]}"
	is "" "$stderr"
	run --separate-stderr -0 "$fake" check -j producer.json db.json
	is '[[],[]]' "$(jq -c '[.files[].instances[0].notes]' <<< "$output")"
	is 2 "$("$fake" check -j producer.json | jq '.files[0].instances[0].notes | length')"
}

@test "an instance cannot be called host" {
	make_config host 2 > host.json
	for verb in check spawn; do
		run --separate-stderr -3 "$fake" $verb host.json
		has 'host.json:1: /name: "host" is what instances call the host' "$stderr"
		has "hint: choose another name" "$stderr"
	done
}

@test "shares over stop, start and rm" {
	"$fake" spawn producer.json 2> /dev/null
	"$fake" stop web
	is board "$(shares)"
	run --separate-stderr -0 "$fake" start web
	is "" "$stderr"
	is "board buf" "$(shares)"
	run -0 "$fake" restart web
	is "board buf" "$(shares)"
	"$fake" kill web
	"$fake" rm web
	is "" "$(shares)"
	is 1G "$("$fake" pool show | sed -nE 's/^ *free: *([^ ,]*).*/\1/p' | head -n 1)"
}

@test "a spawn that fails leaves no share" {
	MKFAKE_BOOT=panic run -1 "$fake" spawn producer.json
	is "" "$(shares)"
	MKCTL_FAIL_STEP=start run -1 "$fake" spawn producer.json
	is "" "$(shares)"
	MKFAKE_REFUSE=grant:176 run --separate-stderr -5 "$fake" spawn producer.json
	is "" "$(shares)"
	is "" "$("$fake" ls -q)"
}

@test "references: started in other memory, or after the detach" {
	"$fake" spawn web.json
	MKFAKE_LENT=3 "$fake" kill web
	run --separate-stderr -0 "$fake" start web
	is "mkctl: start: web: note: other kernels still have frames of the boot before: it starts in other memory" "$stderr"
	has "start memory-back memory start" "$(journal)"
	"$fake" kill web
	"$fake" rm web
	edit web.json '.references = "wait"' wait.json
	"$fake" spawn wait.json
	MKFAKE_LENT=2 "$fake" kill web
	run --separate-stderr -0 "$fake" start -j web
	is '["other kernels still have frames of the boot before: it waits for their detach"]' \
		"$(jq -c '.instances[0].notes' <<< "$output")"
	MKFAKE_LENT=1000 "$fake" kill web
	run --separate-stderr -7 "$fake" start web -t 1
	has "web: after 1 s " "$stderr"
	has "pages of its memory are still used by other kernels" "$stderr"
	has 'hint: '"'mkctl pfn ls'"' names who has them; with "references": "move" in its config it starts in other memory' "$stderr"
}

@test "show: channels, shares, counters" {
	"$fake" spawn db.json
	"$fake" spawn producer.json
	dir=$MKCTL_ROOT/sys/kernel/multikernel/instances/web
	mkdir -p "$dir"
	printf '%s\n' 'sent 12' 'received 18446744073709551615' 'doorbells_suppressed 3' 'no number' 'new_one_ms 7' > "$dir/counters"
	run -0 "$fake" show web
	has "  channels:   host, db" "$output"
	has "    buf  64M, its own, attached 0 times" "$output"
	has "    board  4K, rw, of host, attached 0 times" "$output"
	has "    sent                   12" "$output"
	has "    doorbells_suppressed   3" "$output"
	run -0 "$fake" show -j web
	is '[["host","db"],"move",["buf","board"],{"sent":12,"received":18446744073709551615,"doorbells_suppressed":3,"new_one_ms":7}]' \
		"$(jq -c '.instances[0] | [.channels, .references, [.shares[].name], .counters]' <<< "$output" | sed 's/18446744073709552000/18446744073709551615/')"
	run -0 "$fake" show db
	has "  channels:   host" "$output"
	has "    buf  64M, ro, of web, attached 0 times" "$output"
	[[ $output != *board* ]]
	is null "$("$fake" show -j db | jq '.instances[0].counters')"
}
