#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is bound to CPUs that are lent, on a host with cgroup v2 and on one that
# has no cpusets at all.
# timeout: 300

# shellcheck disable=SC2154
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/tasks.sh
. /mk/tasks.sh
plan 85

CS=/sys/fs/cgroup
cs_make() {
	mkdir "$CS$1"
	echo "$2" > "$CS$1/cpuset.cpus"
	[ "$1" != /wide ] || echo +cpuset > $CS/wide/cgroup.subtree_control
}
cs_join() { echo "$2" > "$CS$1/cgroup.procs"; }
cs_files() {
	find $CS -mindepth 2 \( -name 'cpuset.*' -o -name cgroup.procs \) |
		sort | xargs head -n 99
	cat $CS/cpuset.cpus.effective
}

# Without cpusets
pinned bare 8
note_all
mkctl spawn "$guest" > /dev/null
expect_equal bare-moved "$(mask_of "$pid_bare")" 33
mkctl kill guest > /dev/null
expect_all_back bare-back
mkctl rm guest > /dev/null

mkdir -p $CS
mount -t cgroup2 none $CS
echo +cpuset > $CS/cgroup.subtree_control
check mounted test -e $CS/cgroup.subtree_control
pin_all
note_all
dry_run dry-run 10 0
one_life life 33
dies_alone alone
each_step_fails step
killed_when_moved killed-when-moved
killed_anywhere killed
two_instances two
others_are_right others
forks_meanwhile forks
unpin_all
wait
rmdir $CS/lent $CS/wide/inner $CS/wide $CS/plain

# Where no cpuset is in the way, ours holds the CPUs until they are lent
pinned one 4
note_all
ours_is_there() { read -r ours < $CS/mkctl.guest/cpuset.cpus.partition && [ "$ours" = isolated ]; }
killed_when ours-is-there ours_is_there
expect_exit ours-spawn 0 mkctl spawn "$guest"
expect_equal ours-task "$(mask_of "$pid_one")" 33
check_not ours-is-gone test -e $CS/mkctl.guest
expect_exit ours-stop 0 mkctl stop guest
expect_all_back ours-all-back
mkctl rm guest > /dev/null
killed_anywhere ours-killed
unpin_all

# Somebody's partition on a lent CPU: ours cannot be made, the task is moved
# all the same, and theirs is valid again afterwards
cs_make /part 3
echo isolated > $CS/part/cpuset.cpus.partition
pinned inside - /part
pinned one 4
expect_equal partition-is-valid "$(cat $CS/part/cpuset.cpus.partition)" isolated
note_all
expect_exit partition-spawn 0 mkctl spawn "$guest"
expect_equal partition-task "$(mask_of "$pid_one")" 33
expect_equal partition-inside "$(mask_of "$pid_inside")" 33
expect_exit partition-stop 0 mkctl stop guest
expect_equal partition-valid-again "$(cat $CS/part/cpuset.cpus.partition)" isolated
expect_all_back partition-all-back
unpin_all
