# SPDX-License-Identifier: GPL-2.0-only
#
# mkd and the policies, on a pretended kernel: its clock began long ago, so no
# start has to be waited for, and a boot that mkd starts always takes too long.

load helper

mkd=${fake%/mkctl-fake}/mkd-fake

setup() { make_machine; }

journal() { tail -c 4096 "$MKFAKE_STATE" | tr -d '\0'; }
state() { "$fake" ls -j | jq -r '.instances[0] | "\(.state) \(.cause) \(.epoch)"'; }
# happens WHAT: to all instances that run
happens() { MKFAKE_LATER=$1 "$fake" events > /dev/null; }
# run_mkd SECONDS SIGNAL [OPTION...]: until this signal; $status, $stderr_lines.
# timeout(1) sends a SIGCONT as well, which the sanitizer's search for leaks at
# the end may not survive.
run_mkd() {
	local seconds=$1 signal=$2 pid

	shift 2
	"$mkd" "$@" > out.txt 2> err.txt 3>&- &
	pid=$!
	sleep "$seconds"
	kill -"$signal" $pid
	status=0
	wait $pid || status=$?
	is "0 " "$status $(cat out.txt)"
	stderr=$(cat err.txt)
	mapfile -t stderr_lines < err.txt
}
# serve [OPTION...]: until it has nothing to do; its lines are in $output
serve() {
	run_mkd 1.5 TERM "$@"
	output=$(sed '1d;$d' err.txt)
}
spawn() {
	with_policy web 2-3 "$1" > web.json
	"$fake" spawn web.json > /dev/null
}

@test "usage" {
	run --separate-stderr -0 "$mkd" --help
	has "Usage: mkd [OPTION]..." "$output"
	run -0 "$mkd" --version
	has "mkd 0." "$output"
	for args in -x "--dumps" "--dumps x" "--keep-dumps -1" "--boot-timeout 0" \
		"--boot-timeout 1s" web; do
		run --separate-stderr -2 "$mkd" $args
		has "mkd: " "${stderr_lines[0]}"
		is "hint: 'mkd --help' lists the options" "${stderr_lines[1]}"
	done
}

@test "on a kernel that is no host: status 6" {
	MKFAKE_ROLE=none run --separate-stderr -6 "$mkd"
	has "mkd: ends: " "$stderr"
	rm "$MKCTL_ROOT/dev/multikernel"
	run --separate-stderr -6 "$mkd"
	has "no such device" "$stderr"
}

@test "a second mkd: status 5, names the first" {
	"$mkd" 2> first.txt 3>&- &
	until grep -q "looks after" first.txt; do sleep 0.05; done
	run --separate-stderr -5 "$mkd"
	has "mkd: ends: /run/mkctl/mkd/lock: another mkd is at work (pid $(cat "$MKCTL_ROOT/run/mkctl/mkd/lock"))" "$stderr"
	kill %1
	wait
}

@test "it ends by a signal with status 0 and says so" {
	run_mkd 1 INT
	has "looks after the instances" "${stderr_lines[0]}"
	is "mkd: ends (signal 2); the instances go on by themselves" "${stderr_lines[1]}"
}

@test "lines for the journal have their level in front" {
	spawn '{"restart": "on-failure"}'
	happens panic
	exec 4> err.txt
	JOURNAL_STREAM=$(stat -L -c %d:%i err.txt) "$mkd" 2>&4 3>&- &
	sleep 1
	kill $!
	wait
	exec 4>&-
	has "<6>mkd: mkd " "$(head -n 1 err.txt)"
	has "<4>mkd: web: panicked (panic): starts again in 0.0 s, try 1 of 5" "$(cat err.txt)"
	JOURNAL_STREAM=1:2 run_mkd 1 TERM
	has "mkd: mkd " "${stderr_lines[0]}"
	[[ ${stderr_lines[0]} != "<"* ]]
}

@test "a row of starts that fail, and its end" {
	spawn '{"restart": {"when": "on-failure", "max": 2}}'
	happens panic
	serve --boot-timeout 7
	is "mkd: web: panicked (panic): starts again in 0.0 s, try 1 of 2
mkd: web: panicked (panic): started again, try 1 of 2
mkd: web: starting: its kernel did not start PID 1 within 7 s, killed
mkd: web: failed (boot-timeout): starts again in 0.0 s, try 2 of 2
mkd: web: failed (boot-timeout): started again, try 2 of 2
mkd: web: starting: its kernel did not start PID 1 within 7 s, killed
mkd: web: failed (boot-timeout): given up after 2 starts in a row, none ran for 600 s; 'mkctl start web' begins anew" "$output"
	is "failed boot-timeout 3" "$(state)"
	is "create cpus memory load start cpus start kill-timeout cpus start kill-timeout" "$(journal)"
	is "gave-up 2 3" "$(jq -r '"\(.verdict) \(.tries) \(.started_epoch)"' "$MKCTL_ROOT/run/mkctl/mkd/web.json")"
	serve
	is "" "$output"
}

@test "no policy: nothing" {
	"$fake" spawn web.json > /dev/null
	happens panic
	serve
	is "" "$output"
	is "panicked panic 1" "$(state)"
	[ ! -e "$MKCTL_ROOT/run/mkctl/mkd/web.json" ]
}

@test "a stop and a kill that somebody asked for are the end" {
	spawn '{"restart": "always"}'
	"$fake" stop web
	serve
	is "mkd: web: stopped (stop): stays so, somebody asked for it" "$output"
	"$fake" start web > /dev/null
	"$fake" kill web
	serve
	is "mkd: web: killed (kill): stays so, somebody asked for it" "$output"
	is "killed kill 2" "$(state)"
}

@test "so are those of one that has ended already" {
	spawn '{"restart": "always"}'
	for verb in stop kill; do
		happens panic
		"$fake" $verb web > /dev/null
		serve
		is "mkd: web: panicked (panic): stays so, somebody stopped it" "$output"
		is "panicked panic" "$(state | cut -d' ' -f1-2)"
		"$fake" start web > /dev/null
	done
	is "running null 3" "$(state)"
}

@test "never is never" {
	spawn '{"watchdog": {"timeout": 2}}'
	has "create watchdog cpus" "$(journal)"
	is 2000 "$("$fake" show web -j | jq '.instances[0].watchdog_ms')"
	happens panic
	serve
	is "mkd: web: panicked (panic): stays so, its policy is restart never, on reboot stop" "$output"
}

@test "one that hangs: report" {
	spawn '{"restart": "always", "watchdog": {"action": "report"}}'
	happens hang
	serve
	is "mkd: web: unresponsive (hang): CPU 2 of the host has not beaten for 4000 ms" "$output"
	is "unresponsive hang 1" "$(state)"
}

@test "one that hangs: kill, and its policy says what comes then" {
	spawn '{"watchdog": {"action": "kill"}}'
	happens hang
	serve
	is "mkd: web: unresponsive (hang): CPU 2 of the host has not beaten for 4000 ms
mkd: web: unresponsive (hang), CPU 2: killed, its policy is kill
mkd: web: killed (hang): stays so, its policy is restart never, on reboot stop" "$output"
	is "killed hang 1" "$(state)"
	has "start kill-hang" "$(journal)"
}

@test "one that hangs: its dump may fail, it is started again" {
	spawn '{"watchdog": {"action": "dump-and-restart"}, "restart": {"when": "never", "max": 1}}'
	happens hang
	touch file
	serve --dumps "$PWD/file/dumps"
	has "mkd: web: no dump: " "$output"
	has "mkd: web: killed (hang): started again, try 1 of 1" "$output"
	has "start kill-hang cpus start" "$(journal)"
}

@test "the kernel refuses a start: tried again, and counted" {
	spawn '{"restart": {"when": "always", "max": 2, "backoff": 0}}'
	happens panic
	MKFAKE_REFUSE=start:114 serve
	is 2 "$(grep -c "cannot start it: " <<< "$output")"
	has "given up after 2 starts in a row" "$output"
	is "panicked panic 1" "$(state)"
	is false "$("$fake" ls -j | jq '.instances[0].cpus_lent')"
}

@test "one that is removed while it waits" {
	spawn '{"restart": {"when": "always", "backoff": 1000000}}'
	happens panic
	# Its end is made now, so that there is something to wait for
	serve
	is "mkd: web: panicked (panic): starts again in" "$(grep -o '.*starts again in' <<< "$output")"
	"$fake" rm web > /dev/null
	serve
	is "mkd: web: gone: it is not started again" "$output"
	[ ! -e "$MKCTL_ROOT/run/mkctl/mkd/web.json" ]
}

@test "a record that makes no sense is none" {
	spawn '{"restart": "always"}'
	mkdir -p "$MKCTL_ROOT/run/mkctl/mkd"
	for bad in '' 7 '{' '{"schema":"mkd.record/2","verdict":"left"}' \
		'{"schema":"mkd.record/1","verdict":"x"}'; do
		echo "$bad" > "$MKCTL_ROOT/run/mkctl/mkd/web.json"
		run_mkd 1 TERM
		has "mkd: web: its record in /run/mkctl/mkd cannot be read and is not used: " "$stderr"
	done
}

@test "what a killed spawn leaves is settled before anything else" {
	spawn '{"restart": {"when": "always", "max": 1}}'
	happens panic
	facts=$MKCTL_ROOT/run/mkctl/web.json
	jq -c '.pending = true' "$facts" > x
	cp x "$facts"
	run_mkd 1 TERM
	is "true 2" "$(jq .pending "$facts") ${#stderr_lines[@]}"
	run_mkd 4 TERM
	is false "$(jq .pending "$facts")"
	has "mkd: web: panicked (panic): started again, try 1 of 1" "$stderr"
	# In its boot: nobody wants it any more
	with_policy db 4 '{"restart": "always"}' > db.json
	signal_spawn KILL "$fake" spawn db.json
	run_mkd 4 TERM
	is web "$("$fake" ls -q)"
}

@test "the policy is in the plan, in the facts, and in show" {
	with_policy web 2-3 '{"restart": "always", "on_reboot": "stop", "watchdog": {"timeout": 2, "action": "kill"}}' > web.json
	run -0 "$fake" spawn web.json --dry-run
	has "set its policy: restart always (at most 5 times until it ran for 600 s, after 1 to 300 s), on reboot stop, watchdog 2000 ms: kill" "$output"
	"$fake" spawn web.json > /dev/null
	has "policy    restart always" "$("$fake" show web)"
	is "always stop 2000 kill" "$("$fake" show web -j | jq -r \
		'.instances[0].made_from.policy | "\(.restart.when) \(.on_reboot) \(.watchdog.timeout_ms) \(.watchdog.action)"')"
	MKCTL_FAIL_STEP=policy run --separate-stderr -1 "$fake" spawn db.json
	is "web" "$("$fake" ls -q)"
}

@test "a watchdog that the kernel refuses: undone" {
	spawn_it() { with_policy db 4 '{"watchdog": {"timeout": 2}}' > db.json; "$fake" spawn db.json; }
	MKFAKE_REFUSE=watchdog:192 run --separate-stderr -3 spawn_it
	has "mkctl: spawn: db: a watchdog of 1 ms; at least 2 ms" "$stderr"
	is "create watchdog destroy" "$(journal)"
	is "" "$("$fake" ls -q)"
}
