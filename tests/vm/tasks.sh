# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/vm/t/tasks-* have in common, as /mk/tasks.sh: things bound to CPUs
# that are lent, and where they must be before, during and after. The machine
# has CPUs 0-5; instances get 2 and 3.
#
# The test file has mounted cpusets and says how they are used:
#   CS             where
#   cs_make PATH CPUS, cs_join PATH PID, cs_files   (prints all their files)

PINNED=''	# pids of what is ours

# mask_of TID: "c"
mask_of() {
	sed -n 's/^Cpus_allowed:\t0*\(.\)/\1/p' /proc/"$1"/status
}

# pinned NAME MASK [CPUSET]: a task bound by taskset; its pid in $pid_NAME.
# Mask "-" leaves it to the cpuset.
pinned() {
	sleep 10000 &
	eval "pid_$1=$!"
	PINNED="$PINNED $!"
	[ -z "${3:-}" ] || cs_join "$3" $!
	[ "$2" = - ] || taskset -p "$2" $! > /dev/null
}

# The thread of the process "bound" that has this mask
thread_with() {
	for thread in /proc/"$pid_threads"/task/*; do
		[ "$(mask_of "${thread##*/}")" != "$1" ] || echo "${thread##*/}"
	done
}

# An interrupt that lets itself be moved, bound to CPU 2
pin_irq() {
	for irq in /proc/irq/*/; do
		irq=${irq%/}
		IRQ=${irq##*/}
		[ -n "$(find "$irq" -mindepth 1 -type d)" ] || continue
		echo 4 2>/dev/null > "$irq/smp_affinity" || continue
		[ "$(irq_mask)" != 4 ] || return 0
	done
	return 1
}
irq_mask() { sed 's/^[0,]*\(.\)/\1/' "/proc/irq/$IRQ/smp_affinity"; }

# pin_all: of each kind one
pin_all() {
	cs_make /lent 2-3
	cs_make /wide 1-3
	cs_make /wide/inner 2
	cs_make /plain 1-3
	pinned one 4
	pinned both c
	pinned more 6
	pinned inset - /lent
	pinned own 8 /lent
	pinned inner - /wide/inner
	pinned plain 4 /plain
	/mk/bin/bound 8 1 c > "$MK_RUN/bound" &
	pid_threads=$!
	PINNED="$PINNED $!"
	wait_for 5 grep -q ready "$MK_RUN/bound"
	pid_kthread=$(pidof kswapd0)
	taskset -p 4 "$pid_kthread" > /dev/null
	pin_irq
}

unpin_all() {
	# shellcheck disable=SC2086
	kill $PINNED
	PINNED=''
	taskset -p 3f "$pid_kthread" > /dev/null
	echo 3f > "/proc/irq/$IRQ/smp_affinity"
}

# Masks of all threads, as "TID NAME MASK"
task_masks() {
	cat /proc/[0-9]*/task/[0-9]*/status 2>/dev/null | awk '
		/^Name:/ { name = $2 }
		/^Pid:/ { tid = $2 }
		/^Cpus_allowed:/ { print tid, name, $2 }'
}

# Threads that could be moved and have none but lent CPUs: never any. Those of
# one CPU have a slash in their name.
bound_to_lent() {
	task_masks | while read -r tid name mask; do
		case $name in
		*/*) continue ;;
		esac
		[ $((0x${mask##*,} & 0x33)) -ne 0 ] || echo "$tid $name $mask"
	done
}

others() { head -n 99 /proc/irq/*/smp_affinity && cs_files; } 2>/dev/null

# note_all; ...; changes: what is not as it was, of threads that were there
# before and still are; expect_all_back NAME: nothing
note_all() {
	task_masks > "$MK_RUN/tasks.before"
	others > "$MK_RUN/others.before"
}
changes() {
	task_masks > "$MK_RUN/tasks.after"
	others > "$MK_RUN/others.after"
	awk 'NR == FNR { had[$1 " " $2] = $3; next }
	     ($1 " " $2 in had) && $2 !~ /\// { n++
		if (had[$1 " " $2] != $3) print $0, "was", had[$1 " " $2] }
	     END { if (n < 10) print "only", n, "tasks" }' \
		"$MK_RUN/tasks.before" "$MK_RUN/tasks.after" > "$MK_RUN/diff"
	diff "$MK_RUN/others.before" "$MK_RUN/others.after" >> "$MK_RUN/diff"
	[ ! -e /run/mkctl/moved ] || cat /run/mkctl/moved >> "$MK_RUN/diff"
	head -n 8 "$MK_RUN/diff"
}
expect_all_back() { expect_equal "$1" "$(changes)" ''; }

# expect_moved NAME IN_LENT: the masks while 2 and 3 are lent. Tasks of the
# cpuset /lent then have the mask IN_LENT.
expect_moved() {
	expect_equal "$1-nothing-bound" "$(bound_to_lent)" ''
	expect_equal "$1-task" "$(mask_of "$pid_one")" 33
	expect_equal "$1-task-of-two-cpus" "$(mask_of "$pid_both")" 33
	expect_equal "$1-task-with-one-that-stays" "$(mask_of "$pid_more")" 6
	expect_equal "$1-kthread" "$(mask_of "$pid_kthread")" 33
	expect_equal "$1-irq" "$(irq_mask)" 33
	expect_equal "$1-in-cpuset" "$(mask_of "$pid_inset")" "$2"
	expect_equal "$1-in-cpuset-with-own-mask" "$(mask_of "$pid_own")" "$2"
	expect_equal "$1-in-nested-cpuset" "$(mask_of "$pid_inner")" 2
	expect_equal "$1-in-wide-cpuset" "$(mask_of "$pid_plain")" 2
	expect_equal "$1-thread" "$(mask_of "$thread_3")" 33
	expect_equal "$1-other-thread" "$(mask_of "$thread_0")" 1
}

# One life, with a look at it while the instance runs
one_life() {
	note_all
	thread_3=$(thread_with 8)
	thread_0=$(thread_with 1)
	expect_exit "$1-spawn" 0 mkctl spawn "$guest"
	expect_moved "$1-moved" "$2"
	check "$1-is-recorded" test -s /run/mkctl/moved
	expect_exit "$1-stop" 0 mkctl stop guest
	expect_all_back "$1-all-back-after-stop"
	expect_exit "$1-start" 0 mkctl start guest
	expect_equal "$1-start-moves-again" "$(mask_of "$pid_one")" 33
	expect_equal "$1-start-nothing-bound" "$(bound_to_lent)" ''
	mkctl kill guest > /dev/null
	expect_all_back "$1-all-back-after-kill"
	mkctl rm guest > /dev/null
}

# An instance that ends by itself: the next change puts everything back
dies_alone() {
	expect_exit "$1-spawn" 0 mkctl spawn "$(make_config doomed 2-3 "$MK_SMALL" \
		'loglevel=7 mk.run="sleep 1; echo c > /proc/sysrq-trigger"')"
	check "$1-ends" wait_for 20 has_state doomed panicked
	expect_equal "$1-still-elsewhere" "$(mask_of "$pid_one")" 33
	expect_exit "$1-next-change" 0 mkctl kill --all
	expect_all_back "$1-all-back"
	save_instance_log doomed
	mkctl rm doomed > /dev/null
}

# failing STEP: a spawn whose step fails
failing() { MKCTL_FAIL_STEP=$1 mkctl spawn "$guest"; }

each_step_fails() {
	for step in tasks cpus memory load start boot; do
		failing $step > /dev/null 2> "$ERR"
		expect_equal "$1-fails-at-$step" $? 1
		expect_all_back "$1-fails-at-$step-all-back"
	done
	# What one undo leaves, the next one brings back
	MKCTL_FAIL_STEP=cpus MKCTL_FAIL_UNDO=tasks mkctl spawn "$guest" 2> "$ERR"
	expect_equal "$1-undo-fails" $? 8
	expect_all_back "$1-undo-fails-all-back"
}

# killed_when NAME COMMAND...: mkctl is killed as soon as the command succeeds,
# which it does while mkctl is at it; the next change puts everything back
killed_when() {
	killed=$1
	shift
	mkctl spawn "$guest" > /dev/null 2>&1 &
	tries=0
	until "$@" || [ $tries -gt 1000000 ]; do
		tries=$((tries + 1))
	done 2>/dev/null
	kill -9 $!
	wait $! 2>/dev/null
	check "$killed-in-time" "$@"
	expect_exit "$killed-next-change" 0 mkctl kill --all
	expect_all_back "$killed-all-back"
}
killed_when_moved() {
	expect_equal "$1-before" "$(mask_of "$pid_one")" 4
	killed_when "$1" test -e /run/mkctl/moved
}

# SIGKILL sooner and sooner, wherever mkctl is then
killed_anywhere() {
	bad='' moved=0
	for ms in 400 250 150 120 100 90 80 70 60 50 40 30 20 10; do
		mkctl spawn "$guest" > /dev/null 2>&1 &
		usleep $((ms * 1000 * MK_SLOW))
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		[ ! -e /run/mkctl/moved ] || moved=$((moved + 1))
		mkctl kill --all > /dev/null 2> "$ERR" || bad="$bad $ms:kill:$(cat "$ERR")"
		mkctl rm --all > /dev/null 2>&1
		changed=$(changes)
		[ -z "$changed" ] || bad="$bad $ms:$changed"
	done
	expect_equal "$1-all-back" "$bad" ''
	check "$1-some-had-moved" test $moved -ge 2
}

# Two instances, one CPU each, in each order of their ends
two_instances() {
	one=$(make_config one 2 "$MK_SMALL") two=$(make_config two 3 "$MK_SMALL")
	for order in "one two" "two one"; do
		first=${order% *} last=${order#* }
		mkctl spawn "$one" > /dev/null
		expect_equal "$1-$first-first-one-cpu-left" "$(mask_of "$pid_both")" c
		mkctl spawn "$two" > /dev/null
		expect_equal "$1-$first-first-none-left" "$(mask_of "$pid_both")" 33
		expect_equal "$1-$first-first-nothing-bound" "$(bound_to_lent)" ''
		expect_exit "$1-$first-first-ends" 0 mkctl kill "$first"
		expect_equal "$1-$first-first-back-to-both" "$(mask_of "$pid_both")" c
		mkctl kill "$last" > /dev/null
		expect_all_back "$1-$first-first-all-back"
		mkctl rm one two > /dev/null
	done
}

# What somebody else does meanwhile stays done
others_are_right() {
	mkctl spawn "$guest" > /dev/null
	taskset -p 10 "$pid_one" > /dev/null
	mkctl kill guest > /dev/null
	mkctl rm guest > /dev/null
	expect_equal "$1-keeps-what-it-was-given-meanwhile" "$(mask_of "$pid_one")" 10
	taskset -p 4 "$pid_one" > /dev/null
	expect_all_back "$1-the-rest-is-back"
}

# A task that forks all the time
forks_meanwhile() {
	taskset 4 sh -c 'while :; do (:); done' &
	forker=$!
	expect_exit "$1-spawn" 0 mkctl spawn "$guest"
	expect_equal "$1-moved" "$(mask_of $forker)" 33
	mkctl kill guest > /dev/null
	expect_equal "$1-back" "$(mask_of $forker)" 4
	kill $forker
	wait $forker 2>/dev/null
	mkctl rm guest > /dev/null
}

dry_run() {
	expect_exit "$1" 0 mkctl spawn --dry-run "$guest"
	expect_equal "$1-tells" "$(sed -n 's/.*CPUs 2-3 elsewhere: \(.*\) \[.*/\1/p' "$OUT")" \
		"$2 tasks, 1 interrupts, $3 cpusets"
	expect_all_back "$1-changes-nothing"
}

guest=$(make_config guest 2-3 "$MK_SMALL" loglevel=7)
