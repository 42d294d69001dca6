# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl dump, of a pretended instance with 256 MiB: tests/unit/fake_dump.c.

load helper

setup() {
	make_machine
	"$fake" spawn web.json > /dev/null
}

journal() { tail -c 4096 "$MKFAKE_STATE" | tr -d '\0'; }
# since COMMAND...: what it asked the kernel for
since() {
	local before

	before=$(journal)
	"$@" > /dev/null 2>&1 || true
	echo $(journal | tail -c +$((${#before} + 2)))
}
refused() { # STATUS MESSAGE HINT OPTION...
	local status=$1 message=$2 hint=$3

	shift 3
	run --separate-stderr "-$status" "$fake" dump "$@"
	is "" "$output"
	is "mkctl: dump: $message" "${stderr_lines[0]}"
	has "$hint" "${stderr_lines[1]}"
}

@test "one that runs is frozen, dumped, and goes on" {
	is "freeze dump thaw" "$(since "$fake" dump web -o core)"
	is running "$("$fake" ls -j | jq -r '.instances[0].state')"
	readelf -h core | grep -q 'CORE (Core file)'
	is 2 "$(readelf -n core | grep -c NT_PRSTATUS)"
	has VMCOREINFO "$(readelf -n core)"
	is 600 "$(stat -c %a core)"
	[ "$(stat -c %s core)" -gt $((256 << 20)) ]
	[ "$(stat -c %b core)" -lt 1000 ]
	[ ! -e core.partial ]
}

@test "what it says, as text and as JSON" {
	run --separate-stderr -0 "$fake" dump web -o core
	is "" "$stderr"
	has "web: core: 256M, " "${output/256.[0-9]*M/256M}"
	has "registers of 2 of 3 CPUs, frozen for " "$output"
	run --separate-stderr -0 "$fake" dump web -o core -f -j
	is "" "$stderr"
	is '["mkctl.dump/1","web","running",1,"core",null,true,true,true,2,[]]' "$(jq -c \
		'[.schema, .name, .state, .epoch, .file, .compression, .vmcoreinfo,
		  .mapped_complete, .frozen, .nr_registers, .notes]' <<< "$output")"
	is '[[0,true,0],[1,false,null],[2,true,77]]' \
		"$(jq -c '.cpus | map([.cpu, .registers, .pid])' <<< "$output")"
	is "$(stat -c %s core)" "$(jq '.data_bytes + .hole_bytes' <<< "$output")"
	is "$(stat -c %s core)" "$(jq .file_bytes <<< "$output")"
}

@test "one that has ended is not frozen, nor one with --live" {
	is dump "$(since "$fake" dump web --live -o live)"
	"$fake" kill web
	is dump "$(since "$fake" dump web -o core)"
	is true "$(cmp -s live core && echo true)"
}

@test "--zstd and -o -: the same bytes" {
	"$fake" dump web -o core
	run --separate-stderr -0 "$fake" dump web --zstd -o core.zst
	[ "$(stat -c %s core.zst)" -lt 100000 ]
	zstd -dqc core.zst | cmp - core
	"$fake" dump web -o - 2> said | cmp - core
	has "web: -: 256" "$(cat said)"
	"$fake" dump web -zo - 2> /dev/null | zstd -dqc | cmp - core
	# Not written over what stands in the file already
	echo before > both
	"$fake" dump web -o - >> both 2> /dev/null
	is before "$(head -n 1 both)"
	tail -c +8 both | cmp - core
}

@test "a file that exists: status 5, and it stays" {
	echo mine > core
	refused 5 "core: it exists" --force web -o core
	is mine "$(cat core)"
	is "dump" "$(since "$fake" dump web --live --force -o core)"
	readelf -h core > /dev/null
	ln -s nowhere link
	refused 5 "link: it exists" --force web -o link
	mkfifo pipe
	refused 1 "pipe: it is no file" "-o - > pipe" web -f -o pipe
	refused 1 "no/core: cannot create it: No such file or directory" "" web -o no/core
}

@test "the log alone, from its memory" {
	run --separate-stderr -0 "$fake" dump web --dmesg
	is "" "$stderr"
	is "[     0.000000] Linux version 6.12.0-fake" "${lines[0]}"
	is "[     1.000001] two" "${lines[1]}"
	is "[     3.000003] Kernel panic \\x1b[31m" "${lines[3]}"
	is 4 "${#lines[@]}"
	is '["mkctl.dump-dmesg/1",1,1000001,"lines"]' "$("$fake" dump web -dj |
		sed -n 3p | jq -c '[.schema, .seq, .time_us, .text]')"
	is "freeze dump thaw" "$(since "$fake" dump web -d)"
}

@test "what does not go together: status 2" {
	refused 2 "needs -o FILE, or --dmesg for the log alone" "usage: " web
	refused 2 "needs NAME" "usage: " -o core
	refused 2 "--dmesg makes no dump: it goes with --live and --json only" "usage: " web -d -o core
	refused 2 "--dmesg makes no dump: it goes with --live and --json only" "usage: " web -dz
	refused 2 "--output takes FILE, not ''" "usage: " web --output=
	run --separate-stderr -2 "$fake" dump web -o - -j
	has "both want standard output" "$stderr"
}

@test "never started, or not there: status 4" {
	MKCTL_FAIL_STEP=start "$fake" spawn --keep db.json || true
	refused 4 "db: no kernel has run in its memory yet" "start it first" db -o core
	refused 4 "nobody: no such instance" "mkctl ls" nobody -o core
	[ ! -e core ]
	[ ! -e core.partial ]
}

@test "a freeze that is refused: why, and --live" {
	MKFAKE_REFUSE=freeze:193 refused 1 "web: CPU 1 does not answer" "--live" web -o core
	[ ! -e core ]
	MKFAKE_REFUSE=thaw:114 run --separate-stderr -8 "$fake" dump web -o core
	has "dumped, but it does not go on" "${stderr_lines[0]}"
	has "mkctl thaw web" "${stderr_lines[1]}"
}

@test "a full disk: how much it takes" {
	run --separate-stderr -1 bash -c "'$fake' dump web -o - > /dev/full"
	has "stdout: cannot write: No space left on device" "${stderr_lines[0]}"
	has "it takes up to 256M" "${stderr_lines[1]}"
}

@test "progress is for terminals" {
	script -qec "'$fake' dump web -o core" /dev/null > said < /dev/null
	has "100% of 256 MiB" "$(cat said)"
	"$fake" dump web -f -o core 2> said > /dev/null
	is "" "$(cat said)"
}
