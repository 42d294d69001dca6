#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is bound to CPUs that are lent, on a host with cpusets of cgroup v1
# where libcpuset has them: at /dev/cpuset.
# timeout: 300

# shellcheck disable=SC2154
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/tasks.sh
. /mk/tasks.sh
plan 66

CS=/dev/cpuset
cs_make() {
	mkdir "$CS$1"
	echo "$2" > "$CS$1/cpus"
	echo 0 > "$CS$1/mems"
}
cs_join() { echo "$2" > "$CS$1/tasks"; }
cs_files() {
	find $CS -mindepth 2 -type f ! -name '*pressure*' | sort | xargs head -n 99
	cat $CS/cpus
}

mkdir -p $CS
mount -t cpuset none $CS
check mounted test -e $CS/cpus
pin_all
note_all
dry_run dry-run 9 4
one_life life 33
dies_alone alone
each_step_fails step
killed_when_moved killed-when-moved
killed_anywhere killed
two_instances two
others_are_right others
forks_meanwhile forks
unpin_all
