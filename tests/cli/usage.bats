# SPDX-License-Identifier: GPL-2.0-only
#
# What a user sees before anything is done: help, usage errors, a machine that
# cannot do it.

load helper

setup() { make_machine; }

# Commands, and commands of commands, one on a line
all_verbs() {
	local verb sub

	for verb in $("$mkctl" help --list-commands); do
		echo "$verb"
		for sub in $("$mkctl" help "$verb" --list-commands); do
			echo "$verb $sub"
		done
	done
}

@test "help is on stdout with status 0" {
	run --separate-stderr -0 "$mkctl" --help
	has "Usage: mkctl COMMAND" "$output"
	is "" "$stderr"
	is "$output" "$("$mkctl" help)"
}

@test "every command has help that names its options" {
	run -0 "$mkctl" help --list-commands
	is 17 "${#lines[@]}"
	all_verbs > verbs
	is 27 "$(wc -l < verbs)"
	while read -ra verb; do
		run --separate-stderr -0 "$mkctl" "${verb[@]}" --help
		has "Usage: mkctl ${verb[*]}" "${lines[0]}"
		has "--json" "$output"
		is "" "$stderr"
	done < verbs
}

@test "no command" {
	run --separate-stderr -2 "$mkctl"
	is "" "$output"
	is "mkctl: needs a command" "${stderr_lines[0]}"
	is "hint: 'mkctl --help' lists the commands" "${stderr_lines[1]}"
}

@test "unknown command" {
	run --separate-stderr -2 "$mkctl" frobnicate
	is "mkctl: unknown command 'frobnicate'" "${stderr_lines[0]}"
	is "hint: 'mkctl --help' lists the commands" "${stderr_lines[1]}"
}

@test "unknown option" {
	run --separate-stderr -2 "$mkctl" stop --frob web
	is "mkctl: stop: unknown option '--frob'" "${stderr_lines[0]}"
	is "hint: usage: mkctl stop NAME... [OPTION]...; 'mkctl stop --help' tells more" "${stderr_lines[1]}"
	run --separate-stderr -2 "$mkctl" ls -x
	is "mkctl: ls: unknown option '-x'" "${stderr_lines[0]}"
}

@test "option without its argument, and with one too many" {
	run --separate-stderr -2 "$mkctl" stop web --timeout
	is "mkctl: stop: option '--timeout' needs an argument" "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" stop web --kill=9
	is "mkctl: stop: option '--kill' takes no argument" "${stderr_lines[0]}"
}

@test "a number is parsed strictly" {
	for bad in "" 0 -1 +1 1s 0x10 1.5 ' 1' 1000001 99999999999999999999; do
		run --separate-stderr -2 "$mkctl" stop web --timeout "$bad"
		has "whole number from 1 to 1000000, not '$bad'" "${stderr_lines[0]}"
	done
}

@test "MKCTL_SLOW: limits are so many times as long" {
	for bad in "" 0 101 -1 2x; do
		MKCTL_SLOW=$bad run --separate-stderr -2 "$mkctl" ls
		is "mkctl: ls: MKCTL_SLOW is a whole number from 1 to 100, not '$bad'" "${stderr_lines[0]}"
	done
	MKCTL_SLOW=7 run --separate-stderr -0 "$fake" spawn --dry-run web.json
	has "420 s" "$output"
	MKCTL_SLOW=7 run --separate-stderr -0 "$fake" spawn --dry-run --timeout 9 web.json
	has " 9 s" "$output"
}

@test "wrong number of names" {
	run --separate-stderr -2 "$mkctl" stop
	is "mkctl: stop: needs NAME..." "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" spawn a.json b.json
	is "mkctl: spawn: b.json: one argument too many" "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" ls web
	is "mkctl: ls: web: one argument too many" "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" stop --all web
	is "mkctl: stop: --all and a name do not go together" "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" pool grow
	has "unknown command 'grow'" "${stderr_lines[0]}"
}

@test "--dtb only with --dry-run" {
	run --separate-stderr -2 "$mkctl" spawn web.json --dtb x
	has "--dtb works only with --dry-run" "${stderr_lines[0]}"
	[ ! -e x ]
}

@test "a usage error as JSON" {
	run --separate-stderr -2 "$mkctl" stop -j
	is "" "$output"
	is usage "$(jq -r .error.code <<< "$stderr")"
	is 2 "$(jq .error.status <<< "$stderr")"
	is "needs NAME..." "$(jq -r .error.message <<< "$stderr")"
}

@test "config that is not JSON: status 3, with its line" {
	printf '{\n  "name": web\n}\n' > bad.json
	run --separate-stderr -3 "$mkctl" spawn bad.json
	has "mkctl: spawn: bad.json:2" "${stderr_lines[0]}"
}

@test "config with a wrong value: status 3, with its JSON pointer" {
	make_config web 0 > bad.json
	run --separate-stderr -3 "$mkctl" spawn bad.json
	has "bad.json:2: /cpus" "${stderr_lines[0]}"
	make_config web 2 12Q > bad.json
	run --separate-stderr -3 "$mkctl" spawn bad.json
	has "bad.json:2: /memory" "${stderr_lines[0]}"
	run --separate-stderr -3 "$mkctl" spawn none.json
	has "none.json" "${stderr_lines[0]}"
}

@test "config that carries mk_shared_memory=: status 3" {
	make_config web 2 | sed 's/quiet/quiet mk_shared_memory=4M@1G/' > bad.json
	run --separate-stderr -3 "$mkctl" spawn bad.json
	has "mk_shared_memory=" "$stderr"
}

@test "spawn takes a file with one instance" {
	jq -s '{ schema: "mkctl/1", instances: . }' web.json db.json > two.json
	run --separate-stderr -3 "$mkctl" spawn two.json
	has "has 2 instances" "${stderr_lines[0]}"
}

@test "no device: status 6, and which option is missing" {
	rm "$MKCTL_ROOT/dev/multikernel"
	for args in "spawn web.json" "spawn -n web.json" ls "show web" \
		"logs web" "dump web -d" "stop web" "kill web" "start web" "rm web" \
		"pool show" "msg ping web" "msg send web 7 x" "msg recv 7" \
		"pfn ls" "pfn share a --size 4K" "pfn give a web" \
		"pfn attach a" "pfn detach a" "pfn revoke a" "pfn cat a" \
		"pfn fill a 0" ready; do
		run --separate-stderr -6 "$mkctl" $args
		is "" "$output"
		has "/dev/multikernel: no such device: this kernel has no CONFIG_MULTIKERNEL" "${stderr_lines[0]}"
		has "hint: boot a kernel" "${stderr_lines[1]}"
		is 2 "${#stderr_lines[@]}"
	done
	[ ! -e "$MKCTL_ROOT/run/mkctl" ]
}

@test "no device, as JSON" {
	rm "$MKCTL_ROOT/dev/multikernel"
	run --separate-stderr -6 "$mkctl" ls -j
	is not-permitted "$(jq -r .error.code <<< "$stderr")"
	is /dev/multikernel "$(jq -r .error.object <<< "$stderr")"
}

@test "not root: status 6, says so" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	chmod 600 "$MKCTL_ROOT/dev/multikernel"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$mkctl" "$BATS_TEST_TMPDIR/mkctl"
	run --separate-stderr -6 setpriv --reuid=65534 --regid=65534 \
		--clear-groups "$BATS_TEST_TMPDIR/mkctl" ls
	has "not permitted" "${stderr_lines[0]}"
	is "hint: run it as root" "${stderr_lines[1]}"
}

@test "a device that is another one: status 6" {
	run --separate-stderr -6 "$mkctl" ls
	has "does not know this request" "${stderr_lines[0]}"
}

@test "version works without the device" {
	rm "$MKCTL_ROOT/dev/multikernel"
	run --separate-stderr -0 "$mkctl" version
	has "mkctl 0." "${lines[0]}"
	has "no CONFIG_MULTIKERNEL" "${lines[1]}"
	is null "$("$mkctl" --version -j | jq .kernel_abi_version)"
	is 3 "$("$mkctl" version -j | jq .abi_version)"
}

@test "a full disk behind stdout is an error" {
	for args in "--help" "version" "version -j" "stop --help"; do
		run -1 bash -c "'$mkctl' $args 2>&1 > /dev/full"
		has "cannot write: No space left on device" "$output"
	done
}

@test "MKCTL_ROOT that does not exist" {
	MKCTL_ROOT=/no/such run --separate-stderr -1 "$mkctl" ls
	has "/no/such: cannot open this folder" "${stderr_lines[0]}"
}

@test "completion knows every command and its options" {
	run -0 bash -c "PATH='${mkctl%/*}':\$PATH; . '$top/completions/mkctl.bash'
		COMP_WORDS=(mkctl sp); COMP_CWORD=1; _mkctl; echo \"\${COMPREPLY[*]}\"
		COMP_WORDS=(mkctl spawn --d); COMP_CWORD=2; _mkctl; echo \"\${COMPREPLY[*]}\""
	is spawn "${lines[0]}"
	is "--dry-run --dtb" "${lines[1]}"
}

@test "the man page has every command and option" {
	page=$top/man/mkctl.1.scd
	all_verbs > verbs
	while read -ra verb; do
		grep -q "^\*${verb[*]}\*" "$page" || { echo "no ${verb[*]}"; false; }
		for option in $("$mkctl" "${verb[@]}" --list-options); do
			grep -qF -- "*$option*" "$page" || { echo "no $option"; false; }
		done
	done < verbs
	scdoc < "$page" > page.1
}

@test "an empty argument is refused before anything is opened" {
	run --separate-stderr -2 "$mkctl" show ""
	is "mkctl: show: an argument is empty" "${stderr_lines[0]}"
	run --separate-stderr -2 "$mkctl" spawn web.json -n --dtb ""
	is "mkctl: spawn: --dtb takes FILE, not ''" "${stderr_lines[0]}"
}

@test "options stand behind the command" {
	run --separate-stderr -2 "$mkctl" -q ls
	is "mkctl: unknown option '-q'" "${stderr_lines[0]}"
	has "hint: options stand behind the command" "${stderr_lines[1]}"
}

@test "help is not wider than a terminal" {
	all_verbs > verbs
	while read -ra verb; do
		"$mkctl" "${verb[@]}" --help
	done < verbs > all.txt
	"$mkctl" --help >> all.txt
	run -1 grep -nE '.{81}' all.txt
}

@test "what a file is called does not act on the terminal" {
	run --separate-stderr -3 "$mkctl" spawn $'\e[31mno\xff.json'
	is "mkctl: spawn: \\x1b[31mno\\xff.json: cannot read the file: No such file or directory" "${stderr_lines[0]}"
	run --separate-stderr -3 "$mkctl" spawn -j $'no\xff.json'
	is 'no\xff.json' "$(jq -r .error.object <<< "$stderr")"
	jq -c '.kernel = "no\u001b[31m"' web.json > bad.json
	run --separate-stderr -3 "$fake" spawn bad.json
	has "no\\x1b[31m: cannot open the kernel" "${stderr_lines[0]}"
}

@test "closed standard descriptors are not taken for others" {
	run -1 bash -c "'$mkctl' version 2>&1 >&-"
	has "stdout: cannot write: Bad file descriptor" "$output"
	MKFAKE_ROLE=instance run -0 bash -c "'$fake' ready <&- >&- 2>&-"
	run -6 bash -c "rm -f '$MKCTL_ROOT/dev/multikernel'; '$mkctl' ls <&- >&- 2>&-"
}
