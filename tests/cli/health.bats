# SPDX-License-Identifier: GPL-2.0-only
#
# wait, events, freeze, thaw, and what ls and show say of ends and watchdogs.

load helper

setup() {
	make_machine
	"$fake" spawn web.json > /dev/null
}

journal() { tail -c 4096 "$MKFAKE_STATE" | tr -d '\0'; }
states() { "$fake" events -j "$@" | jq -r .state | xargs; }

@test "wait: returns at once when it is there" {
	run --separate-stderr -0 "$fake" wait web --for running
	is "web: running" "$output"
	is "" "$stderr"
	run -0 "$fake" wait web --for stopped,running -j
	is '["mkctl.wait/1","web",1,"running",null,1]' \
		"$(jq -c '[.schema, .name, .id, .state, .cause, .epoch]' <<< "$output")"
	"$fake" kill web > /dev/null
	is "web: killed (kill)" "$("$fake" wait web --for ended)"
}

@test "wait: time is up: status 7" {
	begin=$SECONDS
	run --separate-stderr -7 "$fake" wait web --for stopped,panicked --timeout 1
	is "mkctl: wait: web: not stopped,panicked after 1 s" "${stderr_lines[0]}"
	is "hint: 'mkctl show web' tells how it is" "${stderr_lines[1]}"
	is "" "$output"
	[ $((SECONDS - begin)) -ge 1 ]
}

@test "wait: it ends otherwise: status 5, also while it is waited for" {
	MKFAKE_LATER=panic run --separate-stderr -5 "$fake" wait web --for stopped
	is "mkctl: wait: web: it has ended: panicked (panic), so what is waited for cannot come any more" "${stderr_lines[0]}"
	run --separate-stderr -5 "$fake" wait web --for running
	has "hint: with --ended it is waited for until somebody starts it again" "$stderr"
	run --separate-stderr -7 "$fake" wait web --for running --ended --timeout 1
	is busy "$("$fake" wait web --for running -j 2>&1 | jq -r .error.code)"
}

@test "wait: what cannot come back is not waited for: status 5" {
	run --separate-stderr -5 "$fake" wait web --for created,loaded,starting
	is "mkctl: wait: web: it is running, so what is waited for cannot come any more" "${stderr_lines[0]}"
	MKCTL_FAIL_STEP=start "$fake" spawn --keep db.json 2> /dev/null || true
	run -0 "$fake" wait db --for loaded
	run -7 "$fake" wait db --for starting,failed --timeout 1
	run -5 "$fake" wait db --for created
	MKFAKE_STOP=hang "$fake" stop web --timeout 1 || true
	run -5 "$fake" wait web --for running,frozen,unresponsive
	run -7 "$fake" wait web --for stopped --timeout 1
}

@test "wait: nobody of that name: status 4, unless that is waited for" {
	run --separate-stderr -4 "$fake" wait nope --for running
	is "mkctl: wait: nope: no such instance" "${stderr_lines[0]}"
	run --separate-stderr -0 "$fake" wait nope --for gone
	is "nope: gone" "$output"
	run -7 "$fake" wait web --for gone --timeout 1
}

@test "wait: usage" {
	run --separate-stderr -2 "$fake" wait web
	is "mkctl: wait: needs --for STATE" "${stderr_lines[0]}"
	for bad in runing "running," ",running" "running stopped" RUNNING; do
		run --separate-stderr -2 "$fake" wait web --for "$bad"
		has "is no state" "${stderr_lines[0]}"
		has "hint: created, loaded, starting" "${stderr_lines[1]}"
	done
	run --separate-stderr -2 "$fake" wait web --for ''
	has "takes STATE" "${stderr_lines[0]}"
}

@test "events: the life of an instance, of one and of all" {
	"$fake" spawn db.json > /dev/null
	"$fake" kill web > /dev/null
	"$fake" rm web > /dev/null
	is "created loaded starting running killed gone" "$(states web)"
	is "created loaded starting running created loaded starting running killed gone" "$(states)"
	is "web" "$("$fake" events -j web | jq -r .name | sort -u)"
	run --separate-stderr -0 "$fake" events web
	[[ ${lines[3]} =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}\ [0-9:]{8}\.[0-9]{3}\ \ web\ +boot\ 1\ +running$ ]]
	[[ ${lines[4]} =~ boot\ 1\ +killed\ \(kill\)$ ]]
	[[ ${lines[5]} =~ boot\ 1\ +gone\ \(kill\)$ ]]
	is '["mkctl.events/1",1,1,0,null]' "$("$fake" events -j web |
		jq -sc '.[3] | [.schema, .id, .epoch, .lost, .stuck_cpu]')"
	run --separate-stderr -4 "$fake" events nope
	is "mkctl: events: nope: no such instance" "${stderr_lines[0]}"
}

@test "events: which CPU is stuck" {
	MKFAKE_LATER=hang "$fake" events > /dev/null
	run -0 "$fake" events web
	[[ ${lines[-1]} =~ unresponsive\ \(hang\),\ CPU\ 2$ ]]
	is 2 "$("$fake" events -j | jq -s '.[-1].stuck_cpu')"
}

@test "events: what was lost is said" {
	for _ in 1 2 3 4 5 6 7 8; do
		"$fake" restart web > /dev/null
		"$fake" freeze web > /dev/null
		"$fake" thaw web > /dev/null
		"$fake" freeze web > /dev/null
		"$fake" thaw web > /dev/null
		"$fake" freeze web > /dev/null
		"$fake" thaw web > /dev/null
	done
	run --separate-stderr -0 "$fake" events
	is 64 "${#lines[@]}"
	is "mkctl: events: 20 older events are lost" "$stderr"
	is "20 0" "$("$fake" events -j | jq -s '.[0].lost, .[1].lost' | xargs)"
}

@test "events -f goes on, and of a removed name it does not begin" {
	timeout 1 "$fake" events -f > out.txt || status=$?
	is 124 "$status"
	is 4 "$(wc -l < out.txt)"
	run -4 "$fake" events -f nope
}

@test "freeze and thaw" {
	run --separate-stderr -0 "$fake" freeze web
	is "web: frozen" "$output"
	run -0 "$fake" ls -j
	is frozen "$(jq -r '.instances[0].state' <<< "$output")"
	run --separate-stderr -5 "$fake" freeze web
	is "mkctl: freeze: web: not possible while it is frozen" "${stderr_lines[0]}"
	run -0 "$fake" thaw web -j
	is "mkctl.thaw/1 running" "$(jq -r '.schema, .instances[0].state' <<< "$output" | xargs)"
	run --separate-stderr -5 "$fake" thaw web
	has "not possible while it is running" "${stderr_lines[0]}"
	is "create cpus memory load start freeze freeze thaw thaw" "$(journal)"
}

@test "freeze --all: those that run; thaw --all: those that are frozen" {
	"$fake" spawn db.json > /dev/null
	"$fake" stop db > /dev/null
	is "web: frozen" "$("$fake" freeze --all)"
	is "" "$("$fake" freeze --all)"
	is "web: running" "$("$fake" thaw --all)"
}

@test "freeze of one that does not answer: status 1, says which CPU" {
	MKFAKE_LATER=hang "$fake" events > /dev/null
	run --separate-stderr -1 "$fake" freeze web
	is "mkctl: freeze: web: CPU 2 does not answer" "${stderr_lines[0]}"
	has "nothing was frozen" "${stderr_lines[1]}"
}

@test "ls and show: why the boot before ended; which CPU is stuck" {
	run -0 "$fake" ls
	[[ ${lines[0]} =~ EPOCH\ \ LAST-END ]]
	MKFAKE_LATER=panic "$fake" events > /dev/null
	[[ $("$fake" ls) =~ web\ +1\ +panicked\ +panic\ .*\ 1\ +panicked\ \(panic\) ]]
	"$fake" start web > /dev/null
	[[ $("$fake" ls) =~ web\ +1\ +running\ +-\ .*\ 2\ +panicked\ \(panic\) ]]
	is '["panicked","panic",true]' \
		"$("$fake" ls -j | jq -c '.instances[0].last_end | [.state, .cause, .realtime_ns > 1e18]')"
	has "last end:   panicked (panic) at 20" "$("$fake" show web)"
	MKFAKE_LATER=hang "$fake" events > /dev/null
	[[ $("$fake" ls) =~ web\ +1\ +unresponsive\ +hang,\ CPU\ 2 ]]
	is "1 2" "$("$fake" ls -j | jq '.instances[0] | .nr_stuck, .stuck_cpu' | xargs)"
	run -0 "$fake" show web
	has "cause:      hang, CPU 2" "$output"
	has "watchdog:   4000 ms" "$output"
	has "stuck:      1 of its CPUs, the first is CPU 2 of the host" "$output"
	is 4000 "$("$fake" show web -j | jq '.instances[0].watchdog_ms')"
}
