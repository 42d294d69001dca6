#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing left of what there is: no pool, no room for another instance. What is
# there already goes on, also through a next start, and when there is room again
# all is as before.
# timeout: 60

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/faults.sh
. /mk/faults.sh
plan 26

free_bytes() { run_mkctl pool show -j && json "$OUT" free_bytes; }
count_instances() { mkctl ls -q | grep -c .; }

check calm-up begin_talk 4
check victim-up begin_victim 2-3
free=$(free_bytes)

before_fault
check fill-pool mkctl pfn share all --size "$free"
expect_equal pool-full "$(free_bytes)" 0
late=$(make_config late 5 "$MK_SMALL" loglevel=7)
expect_exit pool-full-spawn 5 mkctl spawn "$late"
expect_text pool-full-why "$ERR" 'late: .*memory'
expect_equal pool-full-nothing-left "$(state late)" ''
check_not pool-full-share mkctl pfn share more --size 2M
mkctl kill victim
again pool-full-start
others pool-full-others
check empty-pool mkctl pfn revoke all
expect_equal pool-as-before "$(free_bytes)" "$free"
expect_exit pool-again 0 mkctl spawn "$late"
mkctl kill late
save_instance_log late
expect_exit pool-again-rm 0 mkctl rm late

before_fault
there=$(count_instances)
made=0
while lend-cpus "x$made" > $MK_RUN/lend; do
	made=$((made + 1))
	[ $made -lt 1000 ] || break
done
echo "mk-test: $made more: $(cat $MK_RUN/lend)"
expect_equal table-full-all-there "$(count_instances)" $((there + made))
expect_equal table-of-128 $((there + made)) 128
expect_exit table-full-spawn 5 mkctl spawn "$late"
expect_text table-full-why "$ERR" 'late: .*instances'
mkctl kill victim
again table-full-start
others table-full-others
while [ $made -gt 0 ]; do
	made=$((made - 1))
	mkctl rm "x$made" > /dev/null || break
done
expect_equal table-as-before "$(count_instances)" "$there"
expect_equal table-memory-as-before "$(free_bytes)" "$free"
end_talk
