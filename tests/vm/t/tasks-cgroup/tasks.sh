#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is bound to CPUs that are lent, on a host with cpusets of cgroup v1
# where most distributions had them: below /sys/fs/cgroup, as "cpuset.*".
# timeout: 300

# shellcheck disable=SC2154
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/tasks.sh
. /mk/tasks.sh
plan 38

CS=/sys/fs/cgroup/cpuset
cs_make() {
	mkdir "$CS$1"
	echo "$2" > "$CS$1/cpuset.cpus"
	echo 0 > "$CS$1/cpuset.mems"
}
cs_join() { echo "$2" > "$CS$1/tasks"; }
cs_files() {
	find $CS -mindepth 2 -type f ! -name '*pressure*' ! -name cgroup.procs |
		sort | xargs head -n 99
	cat $CS/cpuset.cpus
}

mount -t tmpfs none /sys/fs/cgroup
mkdir -p $CS
mount -t cgroup -o cpuset none $CS
check mounted test -e $CS/cpuset.cpus
pin_all
note_all
one_life life 33
dies_alone alone
killed_when_moved killed-when-moved
killed_anywhere killed
unpin_all
wait
rmdir $CS/lent $CS/wide/inner $CS/wide $CS/plain

# Exclusive cpusets keep their CPUs: /lent gets what is left, or is refused
cs_make /mine 0-1
echo 1 > $CS/mine/cpuset.cpu_exclusive
cs_make /lent 2-3
pinned inset - /lent
note_all
expect_exit exclusive-spawn 0 mkctl spawn "$guest"
expect_equal exclusive-moved "$(mask_of "$pid_inset")" 30
expect_exit exclusive-stop 0 mkctl stop guest
expect_all_back exclusive-all-back
mkctl rm guest > /dev/null
cs_make /yours 4-5
echo 1 > $CS/yours/cpuset.cpu_exclusive
note_all
remember
expect_refusal exclusive-refused 5 '/lent: this cpuset has only CPUs that leave' mkctl spawn "$guest"
expect_all_back exclusive-refused-all-back
