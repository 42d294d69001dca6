# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl pfn: shares on the pretended kernel.

load helper

setup() {
	make_machine
	export MKFAKE_ROLE=host
	"$fake" spawn web.json > /dev/null
	printf 'some bytes' > file
}

# None is left, and the pool has what it had.
no_share() {
	is 0 "$("$fake" pfn ls -j | jq '.shares | length')"
}

inside() { MKFAKE_ROLE=instance "$fake" "$@"; }

@test "pfn share with its grants; pfn ls as text and JSON" {
	run --separate-stderr -0 "$fake" pfn share box --size 64M --to web:rw
	is "box: live, 64M, generation 1, host:rw:0 web:rw:0" "$output"
	run --separate-stderr -0 "$fake" pfn ls
	has "NAME    ID  GENERATION" "${lines[0]}"
	has "box      1           1  pool       live           64M  -     host:rw:0 web:rw:0" "${lines[1]}"
	is 2 "${#lines[@]}"
	run -0 "$fake" pfn ls --pfns
	has "  frames 0x140000-0x143fff, node 0" "${lines[2]}"
	run -0 "$fake" pfn ls --pfns -j
	is mkctl.pfn-ls/1 "$(jq -r .schema <<< "$output")"
	is "box host 67108864 live pool" "$(jq -r '.shares[0] | "\(.name) \(.owner) \(.bytes) \(.state) \(.kind)"' <<< "$output")"
	is "web 1 false rw 0 false" "$(jq -r '.shares[0].holders[1] | "\(.name) \(.id) \(.owner) \(.rights) \(.attached) \(.revoked)"' <<< "$output")"
	is "1310720 16384" "$(jq -r '.shares[0].extents[0] | "\(.pfn) \(.pages)"' <<< "$output")"
	is null "$("$fake" pfn ls -j | jq '.shares[0].extents')"
}

@test "pfn share --from, and cat of it all and of a part" {
	run -0 "$fake" pfn share box --from file -j
	is "4096" "$(jq .share.bytes <<< "$output")"
	"$fake" pfn cat box > out
	is 4096 "$(stat -c %s out)"
	cmp -n 10 out file
	is 0 "$(tail -c +11 out | tr -d '\0' | wc -c)"
	is bytes "$("$fake" pfn cat box --offset 5 --length 5)"
	"$fake" pfn revoke box
	run -0 "$fake" pfn share box --from - --size 8K < file
	is "some" "$("$fake" pfn cat box --length 4)"
}

@test "pfn share for another owner, with contents: given when it is full" {
	run -0 "$fake" pfn share box --from file --owner web --to host
	has "web:rw:0 host:ro:0" "$output"
	is "some bytes" "$("$fake" pfn cat box --length 10)"
	run --separate-stderr -6 "$fake" pfn fill box 1
	is "mkctl: pfn fill: box: rw is wanted, ro is granted" "${stderr_lines[0]}"
}

@test "pfn share that fails half-way leaves nothing" {
	run --separate-stderr -4 "$fake" pfn share box --size 4K --to web --to nobody
	is "mkctl: pfn share: box: there is no kernel 'nobody' on this machine" "${stderr_lines[0]}"
	no_share
	run --separate-stderr -5 "$fake" pfn share box --size 4K --to web --to web:rw
	has "'web' has a grant of it already" "${stderr_lines[0]}"
	no_share
	run --separate-stderr -3 "$fake" pfn share box --size 4K --from /dev/zero
	has "/dev/zero: has more than the 4K that there is room for" "${stderr_lines[0]}"
	no_share
	MKFAKE_REFUSE=attach:140 run --separate-stderr -3 "$fake" pfn share box --from file
	no_share
	MKFAKE_REFUSE=give:114 run --separate-stderr -5 "$fake" pfn share box --from file --owner web
	no_share
}

@test "pfn share whose undo fails: status 8, and what is left" {
	MKFAKE_REFUSE=revoke:114 run --separate-stderr -8 "$fake" pfn share box --size 4K --to nobody
	has "there is no kernel 'nobody' on this machine; and it is not gone: another request on it is under way" "${stderr_lines[0]}"
	is "hint: 'mkctl pfn revoke box'" "${stderr_lines[1]}"
}

@test "pfn share: what is refused" {
	run --separate-stderr -2 "$fake" pfn share box
	is "mkctl: pfn share: needs --size or --from" "${stderr_lines[0]}"
	run --separate-stderr -3 "$fake" pfn share box --size 0
	is "mkctl: pfn share: box: a share cannot have 0 bytes" "${stderr_lines[0]}"
	run --separate-stderr -3 "$fake" pfn share box --size 5000
	run --separate-stderr -5 "$fake" pfn share box --size 2G
	has "the pool has 768M free, the share needs 2G" "${stderr_lines[0]}"
	for bad in 1.5M -1 4Q '' 99999999999999999999; do
		run --separate-stderr -2 "$fake" pfn share box --size "$bad"
	done
	for bad in web:wr web: :ro "$(printf %032d 1)"; do
		run --separate-stderr -2 "$fake" pfn share box --size 4K --to "$bad"
		has "--to $bad" "${stderr_lines[0]}"
	done
	run --separate-stderr -4 "$fake" pfn share box --size 4K --owner nobody
	: > empty
	run --separate-stderr -3 "$fake" pfn share box --from empty
	has "empty: the file is empty" "${stderr_lines[0]}"
	run --separate-stderr -3 "$fake" pfn share box --from none
	no_share
	"$fake" pfn share box --size 4K
	run --separate-stderr -5 "$fake" pfn share box --size 4K
	has "there is a share of this name (id 1)" "${stderr_lines[0]}"
	is "hint: choose another name, or end that one: 'mkctl pfn revoke box'" "${stderr_lines[1]}"
}

@test "pfn fill with a byte, with a file, and a part of it" {
	"$fake" pfn share box --size 8K
	"$fake" pfn fill box 0x41
	is 8192 "$("$fake" pfn cat box | tr -cd A | wc -c)"
	"$fake" pfn fill box 66 --offset 4K --length 2
	is ABBA "$("$fake" pfn cat box --offset 4095 --length 4)"
	run -0 "$fake" pfn fill box --from file --offset 8182 -j
	is "mkctl.pfn-fill/1 10" "$(jq -r '"\(.schema) \(.written_bytes)"' <<< "$output")"
	is "some bytes" "$("$fake" pfn cat box --offset 8182)"
	for bad in 256 0x100 0x -1 x 1x ''; do
		run --separate-stderr -2 "$fake" pfn fill box -- "$bad"
	done
	run --separate-stderr -2 "$fake" pfn fill box
	has "needs either BYTE or --from" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" pfn fill box 1 --from file
	run --separate-stderr -3 "$fake" pfn fill box --from file --offset 8183
	has "file: has more than the 9 bytes that there is room for" "${stderr_lines[0]}"
	is A "$("$fake" pfn cat box --length 1)"
}

@test "pfn cat and fill beyond the end" {
	"$fake" pfn share box --size 4K
	run --separate-stderr -2 "$fake" pfn cat box --offset 4097
	is "mkctl: pfn cat: box: --offset 4097 is behind its end, it has 4096 bytes" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" pfn cat box --offset 1 --length 4096
	has "--length 4096 goes beyond its end, there are 4095 bytes from there on" "${stderr_lines[0]}"
	run -0 "$fake" pfn cat box --offset 4096
	is "" "$output"
	run --separate-stderr -4 "$fake" pfn cat none
	run -1 bash -c "'$fake' pfn cat box 2>&1 > /dev/full"
	has "stdout: cannot write" "$output"
}

@test "pfn attach and detach: held beyond the program" {
	"$fake" pfn share box --size 4K
	run -0 "$fake" pfn attach box
	is "box: live, 4K, generation 1, host:rw:1, held" "$output"
	run --separate-stderr -5 "$fake" pfn attach box
	has "box: this kernel has it attached under this name already" "${stderr_lines[0]}"
	run --separate-stderr -7 "$fake" pfn revoke box --timeout 1
	has "revoked, but 'host' still has it attached (1 times)" "${stderr_lines[0]}"
	is revoked "$("$fake" pfn ls -j | jq -r '.shares[0].state')"
	run --separate-stderr -6 "$fake" pfn cat box
	has "it was revoked" "${stderr_lines[0]}"
	run -0 "$fake" pfn detach box
	is "" "$output"
	no_share
	run --separate-stderr -4 "$fake" pfn detach box
	"$fake" pfn share box --size 4K
	run --separate-stderr -4 "$fake" pfn detach box
	has "does not have it attached under this name" "${stderr_lines[0]}"
}

@test "pfn give: the contents stay, the former owner has lost it" {
	"$fake" pfn share box --from file
	run -0 "$fake" pfn give box web
	is "box: live, 4K, generation 2, web:rw:0" "$output"
	run --separate-stderr -6 "$fake" pfn cat box
	run --separate-stderr -4 "$fake" pfn give box nobody
	run -0 "$fake" pfn give box host -j
	is "host 3" "$(jq -r '.share | "\(.owner) \(.generation)"' <<< "$output")"
	is "some bytes" "$("$fake" pfn cat box --length 10)"
}

@test "pfn revoke from one" {
	"$fake" pfn share box --size 4K --to web
	run -0 "$fake" pfn revoke box web
	is "box: live, 4K, generation 1, host:rw:0" "$output"
	run --separate-stderr -4 "$fake" pfn revoke box web
	run -0 "$fake" pfn revoke box -j
	is null "$(jq .share <<< "$output")"
	no_share
}

@test "inside an instance: its own shares, and what only the host can" {
	inside pfn share mine --from file --to host
	"$fake" pfn share hosts --size 4K
	is mine "$(inside pfn ls -j | jq -r '.shares[].name')"
	run -0 inside pfn attach mine
	has "self:rw:1 host:ro:0, held" "$output"
	is "some bytes" "$("$fake" pfn cat mine --length 10)"
	run --separate-stderr -6 inside pfn revoke hosts
	has "hosts: this kernel does not own it" "${stderr_lines[0]}"
	run --separate-stderr -6 inside pfn share box --size 4K --owner web
	has "this kernel is not a host" "${stderr_lines[0]}"
	run --separate-stderr -6 inside ls
	has "this kernel is not a host" "${stderr_lines[0]}"
	run -0 "$fake" pfn attach mine
	has "host:ro:1" "$output"
}

@test "commands of a command have help and completion" {
	run -0 "$mkctl" pfn --help
	has "share      Make memory" "$output"
	run -0 "$mkctl" help pfn share
	is "Usage: mkctl pfn share NAME [OPTION]..." "${lines[0]}"
	run -0 "$mkctl" help pfn --list-commands
	is "share give attach detach revoke cat fill ls" "${lines[*]}"
	run --separate-stderr -2 "$mkctl" help pfn frob
	run -0 bash -c "PATH='${mkctl%/*}':\$PATH; . '$top/completions/mkctl.bash'
		COMP_WORDS=(mkctl pfn re); COMP_CWORD=2; _mkctl; echo \"\${COMPREPLY[*]}\"
		COMP_WORDS=(mkctl pfn share --o); COMP_CWORD=3; _mkctl; echo \"\${COMPREPLY[*]}\""
	is revoke "${lines[0]}"
	is --owner "${lines[1]}"
}
