# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl logs: which lines of which boot. The pretended kernel's log has lines at
# 0.001 s (level 6), 2.5 s (4) and 1234.567890 s (6) of every boot, and from the
# second boot on one more that names it (5).

load helper

setup() {
	make_machine
	"$fake" spawn web.json > /dev/null
}

times() { jq -cs 'map(.time_us)'; }
kept() { (cd "$MKCTL_ROOT/run/mkctl" && echo *.log); }
# boots N: let it go through so many more boots
boots() { for _ in $(seq "$1"); do "$fake" restart web > /dev/null; done; }
refused() { # MESSAGE HINT OPTION...
	local message=$1 hint=$2

	shift 2
	run --separate-stderr -2 "$fake" logs web "$@"
	is "" "$output"
	is "mkctl: logs: $message" "${stderr_lines[0]}"
	has "$hint" "${stderr_lines[1]}"
}

@test "--level: by name and by number, this and what is more important" {
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j -l debug | times)"
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --level 6 | times)"
	is '[2500000]' "$("$fake" logs web -j --level warning | times)"
	is '[2500000]' "$("$fake" logs web -j --level notice | times)"
	run -0 "$fake" logs web --level 3
	is "" "$output"
	for level in 8 -1 44 Warning warn "err "; do
		refused "--level: '$level' is no level" 'emerg, alert' --level="$level"
	done
	refused "--level takes LEVEL, not ''" 'usage: ' --level=
}

@test "--since on the instance's own clock" {
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --since 0 | times)"
	is '[2500000,1234567890]' "$("$fake" logs web -j --since 0.001001 | times)"
	is '[2500000,1234567890]' "$("$fake" logs web -j --since 2.5 | times)"
	is '[1234567890]' "$("$fake" logs web -j --since 2.500001 | times)"
	is '[]' "$("$fake" logs web -j --since 1235 | times)"
}

# Started 1.0075 s after the host's boot; that is long ago
@test "--since, ago: counted back from the host's now" {
	up=$(cut -d. -f1 /proc/uptime)
	[ "$up" -gt 10 ]
	is '[2500000,1234567890]' "$("$fake" logs web -j --since -$((up - 2))s | times)"
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --since -9999d | times)"
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --since -3000000000s | times)"
	is '[1234567890]' "$("$fake" logs web -j --since -$((up - 5))s | times)"
}

@test "--since, wall clock: the same moment in all its forms" {
	at() { date -d "@$1" "+$2"; }
	boot=$(($(date +%s) - $(cut -d. -f1 /proc/uptime)))
	is '[2500000,1234567890]' "$("$fake" logs web -j --since "$(at $((boot + 2)) '%F %T')" | times)"
	is '[1234567890]' "$("$fake" logs web -j --since "$(at $((boot + 62)) '%F %H:%M')" | times)"
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --since '1999-12-31 23:59' | times)"
	is '[]' "$("$fake" logs web -j --since '2199-01-01 00:00:00' | times)"
	# Today's midnight, and the same as a date
	is "$("$fake" logs web -j --since "$(date +%F) 00:00" | times)" \
		"$("$fake" logs web -j --since 00:00 | times)"
	is "$("$fake" logs web -j --since 00:00:00 | times)" \
		"$("$fake" logs web -j --since 00:00 | times)"
}

@test "--since: everything else is refused by name" {
	for time in yesterday -5 5s -5m -5mins -s - 1. .5 1.1234567 1e3 0x1 +1 \
		"1 " 24:00 12:60 12:00:61 1:00 14:3:05 12:00: 2026-02-30\ 12:00 2026-13-01\ 12:00 \
		2026-01-01T12:00 2026-01-01 26-01-01\ 12:00 "2026-01-01  12:00" \
		99999999999999999999 -99999999999999999999s -36601d -9999999999s; do
		refused "--since: '$time' is no time" '12.5 (seconds' --since="$time"
	done
}

@test "--since, --level and -n together: the last of those that are wanted" {
	is '[2500000]' "$("$fake" logs web -j --since 1 --level 4 -n 5 | times)"
	is '[2500000]' "$("$fake" logs web -j --level 4 -n 1 | times)"
	is '[1234567890]' "$("$fake" logs web -j --level 6 -n 1 | times)"
}

@test "--boot: earlier boots are kept by start and restart" {
	"$fake" kill web
	is '*.log' "$(kept)"
	run -0 "$fake" start web
	is web.boot-1.log "$(kept)"
	is 600 "$(stat -c %a "$MKCTL_ROOT/run/mkctl/web.boot-1.log")"
	"$fake" restart web
	is 3 "$("$fake" show web -j | jq '.instances[0].epoch')"
	has 'boot 3' "$("$fake" logs web)"
	has 'boot 3' "$("$fake" logs web --boot 0)"
	has 'boot 3' "$("$fake" logs web --boot 3)"
	has 'boot 2' "$("$fake" logs web --boot -1)"
	is "$("$fake" logs web --boot 2)" "$("$fake" logs web -b -1)"
	is '[1000,2500000,1234567890]' "$("$fake" logs web -j --boot -2 | times)"
	is '[2500000]' "$("$fake" logs web -j --boot 1 --level 4 --since 1 -n 9 | times)"
	is "[  1234.567891] boot 2" "$("$fake" logs web -n 1 --boot 2)"
	up=$(cut -d. -f1 /proc/uptime)
	is '[2500000,1234567890]' "$("$fake" logs web -j --boot 1 --since -$((up - 2))s | times)"
}

@test "--boot: what there is not, and what is no number" {
	run --separate-stderr -4 "$fake" logs web --boot -1
	is "mkctl: logs: web: there is no boot -1, only 1 to 1" "${stderr_lines[0]}"
	run --separate-stderr -4 "$fake" logs web --boot 2
	is "mkctl: logs: web: there is no boot 2, only 1 to 1" "${stderr_lines[0]}"
	boots 1
	run --separate-stderr -2 "$fake" logs web -f --boot 1
	is "mkctl: logs: web: boot 1 has ended, there is nothing to follow" "${stderr_lines[0]}"
	rm "$MKCTL_ROOT/run/mkctl/web.boot-1.log"
	run --separate-stderr -4 "$fake" logs web --boot 1 -j
	is "" "$output"
	is '"web" "the log of boot 1 is not kept"' \
		"$(jq -c '.error | .object, .message' <<< "$stderr" | xargs -d '\n')"
	for boot in - +1 1x 1.5 --1 4294967296 99999999999999999999 "1 "; do
		refused "--boot: '$boot' is no number of a boot" '0 for the present one' --boot="$boot"
	done
}

@test "the last 8 earlier boots are kept" {
	boots 9
	is "web.boot-2.log web.boot-3.log web.boot-4.log web.boot-5.log web.boot-6.log web.boot-7.log web.boot-8.log web.boot-9.log" "$(kept)"
	has 'boot 2' "$("$fake" logs web --boot -8)"
	run --separate-stderr -4 "$fake" logs web --boot -9
	is "mkctl: logs: web: the log of boot 1 is not kept" "${stderr_lines[0]}"
	has "the last 8 boots" "${stderr_lines[1]}"
}

@test "kept logs go with their instance" {
	boots 2
	"$fake" kill web
	run -0 "$fake" rm web
	is '*.log' "$(kept)"
	"$fake" spawn web.json
	boots 1
	is web.boot-1.log "$(kept)"
	rm "$MKFAKE_STATE"	# a host that knows nothing of it
	run -0 "$fake" kill --all
	is '*.log' "$(kept)"
}

@test "kept logs of another instance of that name, and half-written ones, go" {
	boots 1
	cd "$MKCTL_ROOT/run/mkctl"
	sed '1s/created_ns=[0-9]*/created_ns=7/' web.boot-1.log > web.boot-7.log
	: > web.boot-8.log.tmp
	: > other.boot-1.log
	: > web.boot-x.log
	run --separate-stderr -4 "$fake" logs web --boot 7
	"$fake" kill web > /dev/null
	is "web.boot-1.log web.boot-x.log" "$(kept)"
	[ ! -e web.boot-8.log.tmp ]
}

@test "a kept log that makes no sense is none, and nothing in it acts" {
	boots 1
	file=$MKCTL_ROOT/run/mkctl/web.boot-1.log
	head=$(head -n 1 "$file")
	printf '%s\n6,1,5,-;good\nbad line\n 6,2,6,-;dictionary\n6,3,7,-;esc \x1b[31m nul \0 end\n6,4,8,-;cut of' "$head" > "$file"
	run -0 "$fake" logs web --boot 1
	is 3 "${#lines[@]}"
	is "[     0.000005] good" "${lines[0]}"
	is '[     0.000007] esc \x1b[31m nul \x00 end' "${lines[1]}"
	is "[     0.000008] cut of" "${lines[2]}"
	for line in "$head " "${head%?}x" "${head% *}" " mkctl.log/2${head#*/1}" "" "${head}99999999999999999999"; do
		printf '%s\n6,1,5,-;bad\n' "$line" > "$file"
		run --separate-stderr -4 "$fake" logs web --boot 1
		is "" "$output"
	done
	printf %s "$head" > "$file"	# no end of line at all
	run -4 "$fake" logs web --boot 1
	rm "$file"
	mkdir "$file"
	run -4 "$fake" logs web --boot 1
	rmdir "$file"
	ln -s /proc/kmsg "$file"
	run --separate-stderr -1 "$fake" logs web --boot 1
	has "cannot read the log of boot 1" "${stderr_lines[0]}"
}

@test "a log that cannot be kept is said, and does not hold up the start" {
	"$fake" kill web
	mkdir "$MKCTL_ROOT/run/mkctl/web.boot-1.log.tmp"
	run --separate-stderr -0 "$fake" start web
	has "web: running" "$output"
	has "mkctl: start: web: the log of boot 1 is lost" "$stderr"
	"$fake" kill web
	mkdir "$MKCTL_ROOT/run/mkctl/web.boot-2.log.tmp"
	run --separate-stderr -0 "$fake" start -j web
	has "the log of boot 2 is lost" "$(jq -r '.instances[0].log_lost' <<< "$output")"
	is "" "$stderr"
}

@test "an instance whose name looks like a kept log" {
	jq -c '.name = "web.boot-1" | .cpus = "4"' web.json > odd.json
	"$fake" spawn odd.json
	"$fake" restart web.boot-1
	boots 1
	is "web.boot-1.boot-1.log web.boot-1.log" "$(kept)"
	is "web web.boot-1" "$("$fake" ls -q | xargs)"
	has "Linux version" "$("$fake" logs web.boot-1 --boot -1)"
	"$fake" kill web
	"$fake" rm web
	is "web.boot-1.boot-1.log" "$(kept)"
}
