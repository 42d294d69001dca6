# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tests of mkd share. Sourced behind lib.sh.

MKD_LOG=$MK_RUN/mkd.log
: > "$MKD_LOG"
MKD_PID=''

# start_mkd [OPTION...]: and wait until it looks after the instances
start_mkd() {
	mk_before=$(grep -c 'looks after' "$MKD_LOG")
	mkd --dumps /run/dumps "$@" 2>> "$MKD_LOG" &
	MKD_PID=$!
	wait_for 10 mkd_looks
}
mkd_looks() { [ "$(grep -c 'looks after' "$MKD_LOG")" -gt "$mk_before" ]; }

# end_mkd SIGNAL: its exit status
end_mkd() {
	kill "-$1" "$MKD_PID"
	wait "$MKD_PID" 2> /dev/null
}

# said NAME PATTERN: has mkd said this of it?
said() { grep -qE "^mkd: $1: $2" "$MKD_LOG"; }
# said_times NAME PATTERN: how often
said_times() { grep -cE "^mkd: $1: $2" "$MKD_LOG"; }

# spawn_with NAME CPUS POLICY CMDLINE [INITRD]
spawn_with() {
	mk_config=$(make_config "$1" "$2" "$MK_SMALL" "$4" /boot/a "${5:-}")
	sed -i "s|^{|{ \"policy\": $3,|" "$mk_config"
	mkctl spawn "$mk_config"
}

epoch() { show "$1" epoch; }
is_boot() { [ "$(epoch "$1")" = "$2" ]; }
# runs_boot NAME N: boot N of it runs
runs_boot() { has_state "$1" running && is_boot "$1" "$2"; }
# ended_boot NAME STATE N
ended_boot() { has_state "$1" "$2" && is_boot "$1" "$3"; }

# event_ms NAME N STATE: when boot N of it came into this state, in ms
event_ms() {
	mkctl events -j "$1" | sed -n "s/.*\"time_ns\":\([0-9]*\)[0-9]\{6\},.*\"state\":\"$3\".*\"epoch\":$2,.*/\1/p" | head -n 1
}

save_mkd_log() { save_log mkd "$MKD_LOG"; }
