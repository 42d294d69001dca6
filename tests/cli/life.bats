# SPDX-License-Identifier: GPL-2.0-only
#
# The life of instances, on a pretended kernel: what each verb does and prints.

load helper

setup() { make_machine; }

journal() { tail -c 4096 "$MKFAKE_STATE" | tr -d '\0'; }

@test "spawn prints the stages and what runs" {
	run --separate-stderr -0 "$fake" spawn web.json
	is "" "$stderr"
	is 9 "${#lines[@]}"
	for i in 0:check 1:create 2:cpus 3:memory 4:load 5:start 6:boot 7:total; do
		[[ ${lines[${i%:*}]} =~ ^\ \ ${i#*:}\ +[0-9]+\.[0-9]\ ms$ ]]
	done
	is "web: running, id 1, CPUs 2-3 (APIC ids 4,6), memory 256M, boot id 11111111-1111-1111-1111-111111111111" "${lines[8]}"
	is "create cpus memory load start" "$(journal)"
}

@test "spawn -j is one document" {
	run --separate-stderr -0 "$fake" spawn web.json -j
	is "mkctl.spawn/1 web 1 running [2,3] [4,6] 268435456" "$(jq -r \
		'[.schema, .name, .id, .state, (.cpus | tojson), (.apicids | tojson), .memory_bytes] | join(" ")' <<< "$output")"
	is '["boot","channels","check","cpus","create","load","memory","policy","shares","start","tasks","total"]' \
		"$(jq -c '.stages_ms | keys' <<< "$output")"
	is 1.5 "$(jq '.stages_ms.boot' <<< "$output")"
}

@test "a dry run changes nothing and tells the same steps" {
	run --separate-stderr -0 "$fake" spawn web.json --dry-run
	is 11 "${#lines[@]}"
	has "allow it channels to the host" "${lines[2]}"
	has "set its policy: none" "${lines[3]}"
	has "move what is bound to CPUs 2-3 elsewhere: 0 tasks, 0 interrupts, 0 cpusets [undo: move it back]" "${lines[4]}"
	has "take CPUs 2-3 offline" "${lines[5]}"
	has "[undo: give the CPUs back]" "${lines[5]}"
	has "mk_shared_memory=0x400000@0x100000000" "${lines[7]}"
	has "no share to make [undo: revoke what was made]" "${lines[8]}"
	is "" "$(journal)"
	[ ! -e "$MKCTL_ROOT/run/mkctl" ]
	is "check create channels policy tasks cpus memory load shares start boot" \
		"$("$fake" spawn web.json -n -j | jq -r '[.steps[].name] | join(" ")')"
}

@test "a dry run writes the device tree" {
	command -v dtc > /dev/null || skip "dtc is not installed"
	run -0 "$fake" spawn web.json --dry-run --dtb web.dtb
	run -0 dtc -q -I dtb -O dts web.dtb
	has 'instance-name = "web"' "$output"
	has "cpu@4" "$output"
	has "cpu@6" "$output"
}

@test "ls, show, pool" {
	"$fake" spawn web.json
	"$fake" spawn db.json
	run -0 "$fake" ls
	is 3 "${#lines[@]}"
	has "NAME" "${lines[0]}"
	[[ ${lines[1]} =~ ^web\ +1\ +running\ +-\ +2-3\ +4,6\ +256M\ +1\ +-\ +1111 ]]
	is "web db" "$("$fake" ls -q | xargs)"
	is '["web","db"]' "$("$fake" ls -j | jq -c '[.instances[].name]')"
	run -0 "$fake" show web
	is "CPU HOST-CPU APIC-ID NODE CORE 0 2 4 (0x4) 0 2" "$(grep -A1 HOST-CPU <<< "$output" | xargs)"
	is "1 3 6 (0x6) 0 3" "$(grep -A2 HOST-CPU <<< "$output" | tail -n 1 | xargs)"
	is '[{"cpu":0,"host_cpu":2,"apicid":4,"node":0,"core":2},{"cpu":1,"host_cpu":3,"apicid":6,"node":0,"core":3}]' \
		"$("$fake" show web -j | jq -c '.instances[0].cpu_numbers')"
	has "0x140000000-0x14fffffff" "$output"
	has "cmdline   quiet" "$output"
	has "features:   log beats stop park" "$output"
	is '[2,"mkctl.show/1","quiet",1500000]' "$("$fake" show --all -j |
		jq -c '[(.instances | length), .schema, .instances[1].made_from.cmdline, .instances[0].boot_ns]')"
	is "1073741824 536870912 2" "$("$fake" pool show -j |
		jq -r '[.pool_bytes, .free_bytes, .instances] | map(tostring) | join(" ")')"
	has "free:          512M" "$("$fake" pool show)"
}

@test "pool show: the pieces of each node" {
	"$fake" spawn web.json
	run -0 "$fake" pool show
	has "pool:          1G in 2 pieces" "$output"
	[[ $output =~ 0\ +768M\ +512M\ +512M\ +1 ]]
	[[ $output =~ 1\ +256M\ +256M\ +256M\ +1 ]]
	[[ $output =~ 0\ +512M\ +0x150000000-0x16fffffff ]]
	[[ $output =~ 1\ +256M\ +0x170000000-0x17fffffff ]]
	"$fake" pool show -j > pool.json
	is '[[0,805306368,536870912,536870912,1],[1,268435456,268435456,268435456,1]]' \
		"$(jq -c '[.nodes[] | [.node, .bytes, .free_bytes, .largest_free_bytes, .free_pieces]]' pool.json)"
	is '[[0,5368709120,805306368],[1,6174015488,268435456]]' \
		"$(jq -c '[.ranges[] | [.node, .addr, .bytes]]' pool.json)"
	is '[[0,5637144576,536870912],[1,6174015488,268435456]]' \
		"$(jq -c '[.free[] | [.node, .addr, .bytes]]' pool.json)"
}

@test "paths in show are absolute" {
	"$fake" spawn web.json
	is "$PWD/vmlinux" "$("$fake" show web -j | jq -r '.instances[0].made_from.kernel')"
	is "$PWD/web.json" "$("$fake" show web -j | jq -r '.instances[0].made_from.config')"
}

@test "logs" {
	"$fake" spawn web.json
	run -0 "$fake" logs web
	is 3 "${#lines[@]}"
	is "[     0.001000] Linux version 6.12.0-fake" "${lines[0]}"
	is $'[     2.500000] tab\t and esc \\x1b[31m and é' "${lines[1]}"
	run -0 "$fake" logs -n 1 web
	is "[  1234.567890] last words" "$output"
	run -0 "$fake" logs -n 0 web
	is "" "$output"
	is "[1000,2500000,1234567890]" "$("$fake" logs -j web | jq -cs 'map(.time_us)')"
	is '["mkctl.logs/1"]' "$("$fake" logs -j web | jq -cs 'map(.schema) | unique')"
}

@test "stop, start, kill, rm" {
	"$fake" spawn web.json
	run -0 "$fake" stop web
	is "web: stopped (stop)" "$output"
	run -0 "$fake" stop web
	is "web: stopped (stop)" "$output"
	run -0 "$fake" start web
	has "web: running" "$output"
	is 2 "$("$fake" show web -j | jq '.instances[0].epoch')"
	run --separate-stderr -5 "$fake" start web
	is "mkctl: start: web: not possible while it is running" "${stderr_lines[0]}"
	run --separate-stderr -5 "$fake" rm web
	is "mkctl: rm: web: not possible while it is running" "${stderr_lines[0]}"
	is "hint: stop it first: 'mkctl stop web'" "${stderr_lines[1]}"
	run -0 "$fake" kill web -j
	is "killed kill false" "$(jq -r '.instances[0] | "\(.state) \(.cause) \(.cpus_lent)"' <<< "$output")"
	is 1500000 "$("$fake" show web -j | jq '.instances[0].end_to_cpus_back_ns')"
	run -0 "$fake" rm web
	is "web: removed" "$output"
	[ ! -e "$MKCTL_ROOT/run/mkctl/web.json" ]
	run --separate-stderr -4 "$fake" show web
	is "mkctl: show: web: no such instance" "${stderr_lines[0]}"
}

@test "several names: the others are dealt with, status 64" {
	"$fake" spawn web.json
	"$fake" spawn db.json
	run --separate-stderr -64 "$fake" stop web nope db
	is $'web: stopped (stop)\ndb: stopped (stop)' "$output"
	is "mkctl: stop: nope: no such instance" "${stderr_lines[0]}"
	run --separate-stderr -64 "$fake" rm -j web nope
	is '["web"]' "$(jq -c '[.instances[].name]' <<< "$output")"
	is no-instance "$(jq -r .error.reason <<< "$stderr")"
	run --separate-stderr -4 "$fake" rm -j nope none
	is "" "$output"
	is 2 "${#stderr_lines[@]}"
	run -0 "$fake" rm --all
	is "db: removed" "$output"
	run -0 "$fake" rm --all
	is "" "$output"
}

@test "stop that takes too long: status 7; --kill ends it" {
	"$fake" spawn web.json
	MKFAKE_STOP=hang run --separate-stderr -7 "$fake" stop web --timeout 1
	is "mkctl: stop: web: has not stopped after 1 s" "${stderr_lines[0]}"
	MKFAKE_STOP=hang run -0 "$fake" stop web --timeout 1 --kill
	is "web: killed (kill)" "$output"
}

@test "boot timeout: status 7, the log, and nothing is left" {
	MKFAKE_BOOT=hang run --separate-stderr -7 "$fake" spawn web.json --timeout 1
	is "mkctl: spawn: web: its kernel did not start PID 1 within 1 s" "${stderr_lines[0]}"
	is "last lines of its log:" "${stderr_lines[1]}"
	is "  [  1234.567890] last words" "${stderr_lines[4]}"
	is "" "$("$fake" ls -q)"
	is 1073741824 "$("$fake" pool show -j | jq .free_bytes)"
	[ ! -e "$MKCTL_ROOT/run/mkctl/web.json" ]
}

@test "boot timeout as JSON carries the log" {
	MKFAKE_BOOT=hang run --separate-stderr -7 "$fake" spawn web.json --timeout 1 -j
	is "" "$output"
	is timeout "$(jq -r .error.code <<< "$stderr")"
	has "last words" "$(jq -r .error.log <<< "$stderr")"
}

@test "--keep leaves it to look at" {
	MKFAKE_BOOT=panic run --separate-stderr -1 "$fake" spawn web.json --keep
	has "panicked (panic)" "${stderr_lines[0]}"
	has "hint: it is kept: 'mkctl show web'" "$stderr"
	run -0 "$fake" rm web
}

@test "a refusal at load names the file and the check: status 3" {
	MKFAKE_REFUSE=load:68 run --separate-stderr -3 "$fake" spawn web.json
	is "mkctl: spawn: vmlinux: the kernel image was not built as an instance (it has no multikernel note)" "${stderr_lines[0]}"
	is "hint: build it with CONFIG_MULTIKERNEL=y" "${stderr_lines[1]}"
	is "" "$("$fake" ls -q)"
}

@test "kernel or initrd missing: status 3, nothing changed" {
	rm vmlinux
	run --separate-stderr -3 "$fake" spawn web.json
	has "vmlinux: cannot open the kernel: No such file or directory" "${stderr_lines[0]}"
	is "" "$(journal)"
}

@test "CPUs: lent, offline, unknown; memory: too much" {
	"$fake" spawn web.json
	make_config db 3 > c.json
	run --separate-stderr -5 "$fake" spawn c.json
	is "mkctl: spawn: db: CPU 3 is lent to instance 'web'" "${stderr_lines[0]}"
	make_config db 7 > c.json
	run --separate-stderr -5 "$fake" spawn c.json
	is "mkctl: spawn: db: CPU 7 is offline" "${stderr_lines[0]}"
	make_config db 64 > c.json
	run --separate-stderr -3 "$fake" spawn c.json
	is "mkctl: spawn: db: CPU 64 does not exist" "${stderr_lines[0]}"
	make_config db 4 2G > c.json
	run --separate-stderr -5 "$fake" spawn c.json
	is "mkctl: spawn: db: not enough free memory in the pool: 768M free, largest piece 768M" "${stderr_lines[0]}"
	run --separate-stderr -5 "$fake" spawn web.json
	is "mkctl: spawn: web: there is an instance of this name (id 1)" "${stderr_lines[0]}"
	is "create cpus memory load start" "$(journal)"
}

@test "no pool, or inside an instance: status 6" {
	MKFAKE_ROLE=none run --separate-stderr -6 "$fake" spawn web.json
	has "has no pool" "${stderr_lines[0]}"
	has "mk_pool=SIZE" "${stderr_lines[1]}"
	MKFAKE_ROLE=instance run --separate-stderr -6 "$fake" ls
	has "not a host (its role is 'instance')" "${stderr_lines[0]}"
}

@test "ready: inside an instance only" {
	MKFAKE_ROLE=instance run -0 "$fake" ready
	is ready "$(journal)"
	MKFAKE_ROLE=host run --separate-stderr -6 "$fake" ready
	is "mkctl: ready: this kernel is not an instance" "${stderr_lines[0]}"
}

@test "undo that fails: status 8" {
	MKCTL_FAIL_STEP=boot MKCTL_FAIL_UNDO=create run --separate-stderr -8 "$fake" spawn web.json
	has "undo of 'create' failed" "${stderr_lines[0]}"
	is web "$("$fake" ls -q)"
}

@test "a signal undoes: status 128+n" {
	signal_spawn TERM "$fake" spawn web.json
	is 143 "$status"
	has "interrupted while it booted" "$(cat err.txt)"
	is "" "$("$fake" ls -q)"
}

@test "a killed mkctl: the next change repairs" {
	signal_spawn KILL "$fake" spawn web.json
	is starting "$("$fake" ls -j | jq -r '.instances[0].state')"
	run -0 "$fake" spawn web.json
	is 1 "$("$fake" ls -q | wc -l)"
	has "start kill destroy create" "$(journal)"
}

@test "two at once: the second waits, then gives up naming the first: status 5" {
	mkdir -p "$MKCTL_ROOT/run/mkctl"
	flock "$MKCTL_ROOT/run/mkctl/lock" sleep 60 3>&- &
	pid=$!
	until ! flock -n "$MKCTL_ROOT/run/mkctl/lock" true; do sleep 0.05; done
	echo 4711 > "$MKCTL_ROOT/run/mkctl/lock"
	begin=$SECONDS
	run --separate-stderr -5 "$fake" stop web
	has "/run/mkctl/lock: another mkctl is changing instances (pid 4711)" "${stderr_lines[0]}"
	[ $((SECONDS - begin)) -ge 9 ]
	run -0 "$fake" ls
	pkill -P $pid || true
	wait $pid || true
}

@test "two at once: the second goes on when the first is done" {
	mkdir -p "$MKCTL_ROOT/run/mkctl"
	flock "$MKCTL_ROOT/run/mkctl/lock" sleep 1 3>&- &
	until ! flock -n "$MKCTL_ROOT/run/mkctl/lock" true; do sleep 0.05; done
	run -0 "$fake" spawn web.json
	wait
}

@test "a full disk behind stdout, with instances" {
	"$fake" spawn web.json
	for args in ls "ls -j" "show web" "logs web" "pool show"; do
		run -1 bash -c "'$fake' $args 2>&1 > /dev/full"
		has "cannot write: No space left on device" "$output"
	done
}

@test "several that fail to start: each log is with its own error" {
	"$fake" spawn web.json
	"$fake" stop web
	MKFAKE_BOOT=panic run --separate-stderr -1 "$fake" start web nope
	has "mkctl: start: web: it ended while it booted" "${stderr_lines[0]}"
	is "last lines of its log:" "${stderr_lines[1]}"
	is "mkctl: start: nope: no such instance" "${stderr_lines[7]}"
	is 9 "${#stderr_lines[@]}"
	MKFAKE_BOOT=panic run --separate-stderr -1 "$fake" start -j web nope
	is "true false" "$(jq -r '.error | has("log")' <<< "$stderr" | xargs)"
}

@test "a name that is longer than any: status 4, like any other" {
	run --separate-stderr -4 "$fake" show "$(printf 'a%.0s' {1..40})"
	has "no such instance" "${stderr_lines[0]}"
	is "hint: 'mkctl ls' lists them" "${stderr_lines[1]}"
}

@test "a signal that was ignored stays ignored" {
	signal_spawn HUP nohup "$fake" spawn web.json --timeout 2
	is 7 "$status"
}

@test "a signal does not hide an undo that failed: status 8" {
	MKCTL_FAIL_UNDO=create signal_spawn TERM "$fake" spawn web.json
	is 8 "$status"
	has "the next mkctl that changes something removes it" "$(cat err.txt)"
}

@test "what an instance was made from does not act on the terminal" {
	jq -c '.cmdline = "a\u001b[31mb"' web.json > bad.json
	run -0 "$fake" spawn --dry-run bad.json
	has "a\\x1b[31mb" "$output"
	"$fake" spawn bad.json
	run -0 "$fake" show web
	has "cmdline   a\\x1b[31mb" "$output"
	is $'a\e[31mb' "$("$fake" show -j web | jq -r '.instances[0].made_from.cmdline')"
}

@test "ls says when a list of CPUs is cut" {
	echo 0-8191 > "$MKCTL_ROOT/sys/devices/system/cpu/present"
	cp "$MKCTL_ROOT"/sys/devices/system/cpu/{present,online}
	make_config web "$(seq -s, 8000 2 8040)" > many.json
	mkdir "$MKCTL_ROOT/sys/devices/system/cpu/smt"
	echo notsupported > "$MKCTL_ROOT/sys/devices/system/cpu/smt/control"
	"$fake" spawn many.json
	run -0 "$fake" ls
	has "...  " "${lines[1]}"
	has ",8038,8040" "$("$fake" show web)"
}

@test "inside an instance no folder is made" {
	MKFAKE_ROLE=instance run --separate-stderr -6 "$fake" stop web
	[ ! -e "$MKCTL_ROOT/run/mkctl" ]
}
