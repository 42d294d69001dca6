# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl restart: end and start as one plan.

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

@test "restart prints the steps and what runs" {
	run --separate-stderr -0 "$fake" restart web
	is "" "$stderr"
	is "stop check cpus log start boot total web:" "$(awk '{ print $1 }' <<< "$output" | xargs)"
	is "web: running, id 1, CPUs 2-3 (APIC ids 4,6), memory 256M, boot id 12121212-1212-1212-1212-121212121212" "${lines[7]}"
	is "stop cpus start" "$(since "$fake" restart web)"
}

@test "restart -j is one document" {
	run --separate-stderr -0 "$fake" restart web -j
	is "mkctl.restart/1 web running 2 null" "$(jq -r \
		'[.schema, (.instances[0] | .name, .state, .epoch, .log_lost)] | map(tostring) | join(" ")' <<< "$output")"
	is '["boot","check","cpus","log","shares","start","stop","tasks","total"]' \
		"$(jq -c '.instances[0].stages_ms | keys' <<< "$output")"
}

@test "one that has ended is only started; one that is loaded, too" {
	"$fake" kill web
	is "cpus start" "$(since "$fake" restart web)"
	is running "$("$fake" ls -j | jq -r '.instances[0].state')"
	MKCTL_FAIL_STEP=start "$fake" spawn --keep db.json || true
	is loaded "$("$fake" ls -j | jq -r '.instances[1].state')"
	run -0 "$fake" restart db
	has "db: running" "$output"
}

@test "one that was only created: status 5, nothing done" {
	MKCTL_FAIL_STEP=cpus "$fake" spawn --keep db.json || true
	before=$(journal)
	run --separate-stderr -5 "$fake" restart db
	is "mkctl: restart: db: not possible while it is created" "${stderr_lines[0]}"
	is "$before" "$(journal)"
}

@test "one that does not stop: status 7, it runs on; --kill ends it" {
	MKFAKE_STOP=hang run --separate-stderr -7 "$fake" restart web --timeout 1
	is "mkctl: restart: web: has not stopped after 1 s" "${stderr_lines[0]}"
	is "stopping 1" "$("$fake" ls -j | jq -r '.instances[0] | "\(.state) \(.epoch)"')"
	MKFAKE_STOP=hang run -0 "$fake" restart web --timeout 1 --kill
	has "web: running" "$output"
	is 2 "$("$fake" ls -j | jq '.instances[0].epoch')"
}

@test "one that does not come up: its log, and it stays ended" {
	MKFAKE_BOOT=hang run --separate-stderr -7 "$fake" restart web --boot-timeout 1
	is "mkctl: restart: web: its kernel did not start PID 1 within 1 s" "${stderr_lines[0]}"
	is "last lines of its log:" "${stderr_lines[1]}"
	is "failed boot-timeout" "$("$fake" ls -j | jq -r '.instances[0] | "\(.state) \(.cause)"')"
}

@test "several names: the others are dealt with, status 64" {
	"$fake" spawn db.json
	run --separate-stderr -64 "$fake" restart -j web nope db
	is '["web","db"]' "$(jq -c '[.instances[].name]' <<< "$output")"
	is no-instance "$(jq -r .error.reason <<< "$stderr")"
	run --separate-stderr -4 "$fake" restart nope
	is "mkctl: restart: nope: no such instance" "${stderr_lines[0]}"
}

@test "--all: those that run" {
	"$fake" spawn db.json
	"$fake" kill web
	is "stop cpus start" "$(since "$fake" restart --all)"
	is "web killed 1,db running 2" "$("$fake" ls -j | jq -r '[.instances[] | "\(.name) \(.state) \(.epoch)"] | join(",")')"
}

@test "a fault at each step: what is done is undone" {
	for step in stop check cpus; do
		is "$([ $step = stop ] || echo stop)" "$(MKCTL_FAIL_STEP=$step since "$fake" restart web)"
		"$fake" start web || true
	done
	kept=$(ls "$MKCTL_ROOT/run/mkctl")
	for step in log start; do
		is "stop cpus cpus-back" "$(MKCTL_FAIL_STEP=$step since "$fake" restart web)"
		is "$kept" "$(ls "$MKCTL_ROOT/run/mkctl")"
		"$fake" start web
		kept=$(ls "$MKCTL_ROOT/run/mkctl")
	done
	is "stop cpus start kill" "$(MKCTL_FAIL_STEP=boot since "$fake" restart web)"
	has "Linux version" "$("$fake" logs web --boot -1)"
}
