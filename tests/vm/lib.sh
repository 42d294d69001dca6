# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What VM tests are written with. Runs inside the host's VM under busybox sh;
# every tests/vm/t/MACHINE/*.sh starts by sourcing it as /mk/lib.sh.
#
# A test file says first how many tests it has (plan N), then gives exactly one
# verdict for each, with a name that is unique in the file and stays the same
# from run to run: it stands in tests/list.txt.
#
# Open for all of this by start_reporting: fd 7 the verdicts, 8 logs, 9 data.

MK_TEST=${MK_TEST:-none}	# name of the test file
MK_RUN=/run/mk			# our scratch

# How much slower than usual this machine is (mk.slow= from the harness)
MK_SLOW=$(sed -n 's/.*mk\.slow=\([0-9]*\).*/\1/p' /proc/cmdline)
MK_SLOW=${MK_SLOW:-1}
export MKCTL_SLOW="$MK_SLOW"	# mkctl waits so much longer, too

# Is this a debug kernel, which watches itself?
is_debug() { case $(uname -r) in *-mkdebug) ;; *) false ;; esac }

# Memory for an instance that needs little, as a size and in MiB. A debug kernel
# does not boot with 64M, on no machine.
MK_SMALL_MIB=64
! is_debug || MK_SMALL_MIB=128
# shellcheck disable=SC2034 # for the tests
MK_SMALL=${MK_SMALL_MIB}M

# The patience of watchdogs that the harness gave this kernel: instances are as slow
MK_PATIENCE=$(tr ' ' '\n' < /proc/cmdline |
	grep -E '^(watchdog_thresh|workqueue\.watchdog_thresh|rcupdate\.rcu_cpu_stall_timeout)=' |
	xargs)

# --- the whole run (used by run-tests and the demo) ---------------------------

# mk_port NAME: its device node; it appears a moment after its driver
mk_port() {
	for mk_tries in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		for mk_dir in /sys/class/virtio-ports/*; do
			[ "$(cat "$mk_dir/name" 2>/dev/null)" != "$1" ] || {
				echo "/dev/${mk_dir##*/}"
				return
			}
		done
		usleep $((mk_tries * 10000))
	done
	echo "mk-test: no virtio port $1" >&2
	return 1
}

# A test file may go on in another kernel, into which it changes by kexec:
#	mk.go=FILE,PART,COUNT	on that one's command line; $MK_PART there
# The plan stands in part 1. What is in files is gone.
mk_go=$(sed -n 's/.*mk\.go=\([^ ]*\).*/\1/p' /proc/cmdline)
MK_PART=1
[ "${mk_go%%,*}" != "$MK_TEST" ] || {
	MK_PART=${mk_go#*,}
	MK_PART=${MK_PART%,*}
}

# go_on PART MORE [WORDS]: the command line of a kernel that goes on with PART,
# after MORE further verdicts of this one
go_on() {
	printf '%s ' "$(sed 's/ *mk\.go=[^ ]*//' /proc/cmdline)"
	echo "mk.go=$MK_TEST,$1,$(($(cat $MK_RUN/count) + $2))${3:+ $3}"
}

start_reporting() {
	mkdir -p $MK_RUN
	mk_count=${mk_go##*,}
	echo "${mk_count:-0}" > $MK_RUN/count
	exec 7> "$(mk_port mk.result)" 8> "$(mk_port mk.logs)" 9> "$(mk_port mk.data)"
}

# The last word: a VM that dies before leaves no verdict, and so fails
end_reporting() {
	echo "1..$(cat $MK_RUN/count)" >&7
	if [ -e $MK_RUN/failed ]; then
		echo "MK-EXIT 1" >&7
	else
		echo "MK-EXIT 0" >&7
	fi
}

# --- verdicts ---------------------------------------------------------------

# plan N: this file gives N verdicts
plan() { echo "# plan $MK_TEST $1" >&7; }

mk_verdict() {
	mk_n=$(($(cat $MK_RUN/count) + 1))
	echo "$mk_n" > $MK_RUN/count
	echo "$1 $mk_n $MK_TEST/$2${3:+ # $3}" >&7
	echo "mk-test: $1 $MK_TEST/$2${3:+ # $3}"
}

# ok NAME [DETAIL], not_ok NAME [DETAIL], skip NAME REASON
ok() { mk_verdict ok "$1" "${2:-}"; }
not_ok() {
	echo 1 > $MK_RUN/failed
	mk_verdict "not ok" "$1" "$(printf %s "${2:-}" | tr '\n' ' ')"
}
skip() { mk_verdict ok "$1" "SKIP $2"; }

# counted N WHAT: what was done so often, for docs/long-runs.md
counted() { echo "# count $1 $2" >&7; }

# check NAME COMMAND...: ok when the command succeeds
check() {
	mk_name=$1
	shift
	if "$@" > $MK_RUN/output 2>&1; then
		ok "$mk_name"
	else
		not_ok "$mk_name" "'$*' gave $?: $(tail -n 3 $MK_RUN/output)"
	fi
}

# check_not NAME COMMAND...: ok when the command fails (but does not die)
check_not() {
	mk_name=$1
	shift
	mk_rc=0
	"$@" > $MK_RUN/output 2>&1 || mk_rc=$?
	if [ "$mk_rc" -gt 0 ] && [ "$mk_rc" -lt 126 ]; then
		ok "$mk_name"
	else
		not_ok "$mk_name" "'$*' gave $mk_rc: $(tail -n 3 $MK_RUN/output)"
	fi
}

# expect_exit NAME CODE COMMAND...: ok when it exits with CODE. What it printed
# is in $OUT and $ERR afterwards.
OUT=$MK_RUN/out
ERR=$MK_RUN/err
expect_exit() {
	mk_name=$1 mk_want=$2
	shift 2
	mk_rc=0
	"$@" > "$OUT" 2> "$ERR" || mk_rc=$?
	if [ "$mk_rc" -eq "$mk_want" ]; then
		ok "$mk_name"
	else
		not_ok "$mk_name" "'$*' gave $mk_rc, not $mk_want: $(tail -n 3 "$ERR")"
	fi
}

# expect_equal NAME GOT WANTED
expect_equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', not '$3'"
	fi
}

# expect_within NAME TIME LIMIT: ok when it took no longer, in whatever unit. All
# limits on speed go through here: a slow machine has as much more as it is slow.
expect_within() {
	mk_limit=$(($3 * MK_SLOW))
	if [ -n "$2" ] && [ "$2" -le $mk_limit ]; then
		ok "$1" "$2 of $mk_limit"
	else
		not_ok "$1" "took ${2:-no time known}, limit $mk_limit"
	fi
}

# expect_text NAME FILE PATTERN: ok when the file has a line like it
expect_text() {
	if grep -qE -e "$3" "$2"; then
		ok "$1"
	else
		not_ok "$1" "no '$3' in: $(tail -n 5 "$2")"
	fi
}

# --- doing ------------------------------------------------------------------

# run_mkctl ARGS...: mkctl with its output in $OUT and $ERR, shown on the
# console when it fails; returns its exit code
run_mkctl() {
	mk_rc=0
	mkctl "$@" > "$OUT" 2> "$ERR" || mk_rc=$?
	[ "$mk_rc" -eq 0 ] || {
		echo "mk-test: mkctl $* gave $mk_rc"
		cat "$ERR"
	}
	return "$mk_rc"
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	mk_end=$(($(mk_now_ms) + $1 * 1000 * MK_SLOW))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(mk_now_ms)" -lt "$mk_end" ] || return 1
		usleep 20000
	done
}

# Milliseconds since boot
mk_now_ms() {
	read -r mk_up _ < /proc/uptime
	echo "${mk_up%.*}${mk_up#*.}0"
}

# json FILE KEY: the first value of this key, a number or a string, in what
# mkctl -j printed (one key on a line; there is no jq in here)
json() { sed -nE "s/^ *\"$2\": *\"?([^\",]*)\"?,?\$/\1/p" "$1" | head -n 1; }

# state NAME: its state
state() { show "$1" state; }

# show NAME KEY: one value of mkctl show
show() {
	mkctl show "$1" -j > $MK_RUN/show 2>/dev/null || return
	json $MK_RUN/show "$2"
}

has_state() { [ "$(state "$1")" = "$2" ]; }

# insert NAME [PARAMETERS]: load a test module into the host
insert() {
	mk_ko=/lib/mk/$(uname -r)/$1.ko
	shift
	insmod "$mk_ko" "$@"
}

# --- instances for a test ---------------------------------------------------

# make_config NAME CPUS MEMORY [CMDLINE [KERNEL [INITRD]]]: prints the name of a
# new config file
make_config() {
	mk_cmdline=$(printf %s "${MK_PATIENCE:+$MK_PATIENCE }${4:-}" | sed 's/[\\"]/\\&/g')
	cat > "$MK_RUN/$1.json" <<-EOF
	{
		"name": "$1",
		"kernel": "${5:-/boot/a}",
		"initrd": "${6:-/boot/instance.cpio}",
		"cmdline": "$mk_cmdline",
		"cpus": "$2",
		"memory": "$3"
	}
	EOF
	echo "$MK_RUN/$1.json"
}

# make_initrd OUT FILE...: an instance's initramfs with these files in /bin
make_initrd() {
	mk_initrd=$1
	shift
	mkdir -p "$MK_RUN/more/bin"
	cp "$@" "$MK_RUN/more/bin"
	cp /boot/instance.cpio "$mk_initrd"
	(cd "$MK_RUN/more" && find . | cpio -o -H newc 2>/dev/null) >> "$mk_initrd"
	rm -r "$MK_RUN/more"
}

# spawn_topology NAME CPUS [KEY-VALUES]: spawn an instance that tells its topology,
# with more keys in its config. Needs mk/topology in FILES. Remembers what the
# host takes the topology of these CPUs for.
spawn_topology() {
	[ -e /run/topology.cpio ] || make_initrd /run/topology.cpio /mk/topology
	mk_config=$(make_config "$1" "$2" 128M 'loglevel=7 mk.run=topology' \
		/boot/b /run/topology.cpio)
	[ -z "${3:-}" ] || sed -i "s/^{/{ $3,/" "$mk_config"
	mkctl spawn "$mk_config" --dry-run > /dev/null || return
	# shellcheck disable=SC2046 # words
	TMPDIR=/run /mk/topology $(apicids "$2") > "$MK_RUN/$1.host"
	mkctl spawn "$mk_config"
}

# apicids LIST: of these CPUs of the host
apicids() {
	for mk_range in $(echo "$1" | tr ',' ' '); do
		seq "${mk_range%-*}" "${mk_range#*-}"
	done | while read -r mk_cpu; do
		sed -nE "/^processor[[:blank:]]*: $mk_cpu\$/,/^apicid/s/^apicid[[:blank:]]*: //p" /proc/cpuinfo
	done | sort -n
}

# expect_topology VERDICT NAME: in there it is what it was in the host
expect_topology() {
	wait_for 20 log_has "$2" 'topo: end'
	mkctl logs "$2" | sed -n 's/.*\] \(\[U\] \)\?topo: /topo: /p' > "$MK_RUN/$2.topo"
	if [ "$(grep -c . "$MK_RUN/$2.topo")" -gt 5 ] &&
		cmp -s "$MK_RUN/$2.host" "$MK_RUN/$2.topo"; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$MK_RUN/$2.host" "$MK_RUN/$2.topo" | head -n 10)"
	fi
}

# log_has NAME PATTERN: does the instance's log have a line like it?
log_has() { mkctl logs "$1" | grep -qE -e "$2"; }

# What is bound to some CPUs: tasks (but the kernel's own of one CPU, which have
# a slash in their name, and kcompactd, which the kernel binds anew with each CPU
# that comes online), interrupts, and cpusets where a test has them. A task that
# loses its binding may run everywhere, as PID 1 may.
affinities() {
	cat /proc/[0-9]*/status | awk '
		/^Name:/ { name = $2 }
		/^Cpus_allowed:/ {
			if (!all)
				all = $2
			else if ($2 != all && name !~ /\/|^kcompactd/)
				print name, $2
		}'
	cat /proc/irq/*/smp_affinity
	! type cs_files > /dev/null || cs_files
}

# Everything that a request which fails must leave as it was
snapshot() {
	affinities
	cat /sys/devices/system/cpu/online /proc/iomem /proc/multikernel
	ls /sys/kernel/multikernel/instances
	mkctl pool show -j
	mkctl ls -j
	for mk_file in /run/mkctl/*; do
		case $mk_file in
		*/lock|*/'*') continue ;;	# the lock is no state
		esac
		echo "$mk_file"
		cat "$mk_file"
	done
} 2>/dev/null

# The pool is cleaned in the background after boot, and the piece at work is not
# among the free ones meanwhile
pool_is_clean() { ! grep -qsx mk_scrub /proc/[0-9]*/comm; }

# remember; ...; expect_unchanged NAME
remember() {
	wait_for 60 pool_is_clean
	snapshot > $MK_RUN/before
}
expect_unchanged() {
	snapshot > $MK_RUN/after
	if cmp -s $MK_RUN/before $MK_RUN/after; then
		ok "$1"
	else
		not_ok "$1" "$(diff $MK_RUN/before $MK_RUN/after | head -n 8)"
	fi
}

# expect_refusal NAME CODE PATTERN COMMAND...: it exits with CODE, one of its
# lines on stderr is like PATTERN, and nothing has changed since remember
expect_refusal() {
	mk_name=$1 mk_want=$2 mk_pattern=$3
	shift 3
	mk_rc=0
	"$@" > "$OUT" 2> "$ERR" || mk_rc=$?
	snapshot > $MK_RUN/after
	if [ "$mk_rc" -ne "$mk_want" ]; then
		not_ok "$mk_name" "gave $mk_rc, not $mk_want: $(tail -n 3 "$ERR")"
	elif ! grep -qE -e "$mk_pattern" "$ERR"; then
		not_ok "$mk_name" "no '$mk_pattern' in: $(head -n 3 "$ERR")"
	elif ! cmp -s $MK_RUN/before $MK_RUN/after; then
		not_ok "$mk_name" "changed: $(diff $MK_RUN/before $MK_RUN/after | head -n 8)"
	else
		ok "$mk_name"
	fi
}

# --- debug kernels ----------------------------------------------------------------

# The kernel's list of memory that nobody points to, and the switch for making it
mk_leaks=/sys/kernel/debug/kmemleak

# scan_leaks: have kmemleak look for what was lost until now. It reports only what
# is older than 5 s, and what was the same in two scans.
scan_leaks() {
	[ -e $mk_leaks ] || mount -t debugfs debugfs /sys/kernel/debug || return
	sleep 6
	echo scan > $mk_leaks && echo scan > $mk_leaks
}

# check_debug: the last verdicts of a debug kernel, as of a test file "debug"
check_debug() {
	MK_TEST=debug
	plan 2
	if ! scan_leaks 2> $MK_RUN/output; then
		not_ok no-leaks "no scan: $(cat $MK_RUN/output)"
	elif [ -s $mk_leaks ]; then
		cat $mk_leaks
		not_ok no-leaks "$(grep -c ^unreferenced $mk_leaks) objects, see the console"
	else
		ok no-leaks
	fi
	# It stops to look after its first finding, and after an oops
	mk_watching=1
	[ $(($(cat /proc/sys/kernel/tainted) & 128)) -eq 0 ] || mk_watching=0
	expect_equal lockdep-to-the-end \
		"$(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)" $mk_watching
}

# --- handing out ------------------------------------------------------------

# save_log NAME FILE: a console log for the harness to look through
save_log() {
	echo "=== $1"
	cat "$2"
	echo
	echo "=== end"
} >&8

# save_instance_log NAME: before it is removed
save_instance_log() {
	mkctl logs "$1" > $MK_RUN/log 2>/dev/null || return 0
	save_log "$1" $MK_RUN/log
}

# leave_instances: they shall live to see the host's end
leave_instances() { touch $MK_RUN/leave; }

# clear_instances: end and remove all, keeping their logs
clear_instances() {
	for mk_i in $(mkctl ls -q 2>/dev/null); do
		mkctl kill "$mk_i" > /dev/null 2>&1
		save_instance_log "$mk_i"
		mkctl rm "$mk_i" > /dev/null 2>&1
	done
}

# data KEY [FILE]: a document for the outside, for example from mkctl -j; from
# stdin without FILE
data() {
	echo "=== $1"
	cat "${2:--}"
	echo
	echo "=== end"
} >&9
