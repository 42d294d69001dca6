#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance writes random bytes, and worse, to everything that it shares with
# others, and rings all doorbells, for 10 seconds. Meanwhile the host and a
# sibling talk: they lose nothing, and nobody oopses or hangs. Then the mad one
# is killed, started again, and is an instance like any other.
# timeout: 180

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/talk.sh
. /mk/talk.sh
plan 38

MADNESS=10	# seconds
SEED=$(date +%s)
echo "mk-test: seed $SEED"
region=$(($(cut -d ' ' -f 1 /sys/kernel/multikernel/region)))

pool_free() { run_mkctl pool show -j && json "$OUT" free_bytes; }

# quick COMMAND...: how many ms it took; fails when it is stuck
slowest=0
quick() {
	quick_from=$(mk_now_ms)
	timeout $((20 * MK_SLOW)) "$@" > /dev/null 2>&1
	quick_rc=$?
	quick_took=$(($(mk_now_ms) - quick_from))
	[ $quick_took -le $slowest ] || slowest=$quick_took slow_one=$*
	[ $quick_rc -lt 124 ]
}

free=$(pool_free)
expect_exit mad-up 0 spawn_talker mad 2-3 '"calm"'
expect_exit calm-up 0 spawn_talker calm 4 '"mad"'
expect_equal mad-hears "$(inside mad 'echo $((6 * 7))')" 42
expect_equal calm-hears "$(inside calm 'echo $((6 * 7))')" 42
id=$(show mad id)

# A share of the host's that the mad one may write, and one that it may not
check share-for-all mkctl pfn share wild --size 2M --to mad:rw
check share-to-read mkctl pfn share tame --size 2M --to mad:ro --to calm:rw
check fill-tame mkctl pfn fill tame 90
tame=$(mkctl pfn cat tame | md5sum)

# The sibling's rings are there, and both are used
start_inside calm /run/mad 'talk endless -l mad 6'
start_inside mad /run/calm 'talk endless calm 6'
check siblings-talk wait_for 20 sh -c "talk do calm $TALK_AGENT 'grep -q up /run/mad'"

start_inside calm /run/host 'talk endless -l host 1'
talk endless calm 1 > $MK_RUN/calm &
calm=$!
check host-and-sibling-talk wait_for 20 grep -q up $MK_RUN/calm
before=$(counter calm received)

# --- madness -----------------------------------------------------------------------

start_inside mad /run/insmod "insmod /lib/mk/$(uname -r)/mk_hostile.ko region=$region id=$id seconds=$MADNESS seed=$SEED share=wild only_read=tame"
check madness-begins wait_for 10 log_has mad 'mk_hostile: shared:'
mkctl logs mad | grep mk_hostile > $MK_RUN/mad
inside mad 'cat /run/insmod'
sed 's/^/mk-test: /' $MK_RUN/mad

begin=$(mk_now_ms)
stuck=''
while [ $(($(mk_now_ms) - begin)) -lt $((MADNESS * 1000)) ]; do
	quick mkctl ls -j || stuck="$stuck ls"
	quick mkctl show mad -j || stuck="$stuck show"
	quick mkctl logs mad || stuck="$stuck logs"
	quick mkctl pfn ls || stuck="$stuck pfn"
	quick mkctl msg ping calm -c 3 || stuck="$stuck ping"
	quick mkctl msg ping mad -c 1 || stuck="$stuck ping-mad"
done
echo "mk-test: slowest: $slow_one, $slowest ms"
during=$(counter calm received)
expect_equal nothing-got-stuck "$stuck" ''
check host-stayed-usable test "$slowest" -lt $((15000 * MK_SLOW))
check talk-went-on test $((during - before)) -gt $((500 / MK_SLOW))
echo "mk-test: host and calm exchanged $((during - before)) messages meanwhile"
sed 's/^/mk-test: mad: /' /sys/kernel/multikernel/instances/mad/counters

# What it wrote to: its block, two rings to a sibling, the share; no more
written=$(sed -nE 's/.*shared: ([0-9]+) bytes in.*/\1/p' $MK_RUN/mad)
block=$(sed -nE 's/.*may write ([0-9]+) bytes at.*/\1/p' $MK_RUN/mad | sort -n | head -n 1)
echo "mk-test: $written bytes, smallest piece $block"
expect_text mad-had-all-rings $MK_RUN/mad 'pieces, 3 rings to forge in, 3 CPUs of others'
expect_equal mad-had-one-share "$(grep -c 'may write 2097152 bytes' $MK_RUN/mad)" 1

for key in lost bad_index bad_length; do
	check "counted-$key" test "$(counter mad $key)" -gt 0
done
check flood-is-seen-polled test "$(counter mad polled)" -gt 0
expect_equal calm-has-no-faults "$(faults < /sys/kernel/multikernel/instances/calm/counters)" ok
counters_inside calm host > $MK_RUN/counters
expect_equal calm-sees-no-faults "$(faults < $MK_RUN/counters)" ok
expect_equal calm-lives "$(state calm)" running
expect_equal tame-unchanged "$(mkctl pfn cat tame | md5sum)" "$tame"

kill -TERM $calm
check host-stops wait_for 20 grep -q right: $MK_RUN/calm
expect_equal host-had-one-channel "$(grep -c . $MK_RUN/calm)" 2
inside calm 'cat /run/host' > $MK_RUN/calm.host
expect_text calm-lost-nothing $MK_RUN/calm.host 'closed after'
check calm-found-nothing-wrong sh -c "! grep WRONG $MK_RUN/calm.host $MK_RUN/calm"

# --- afterwards ----------------------------------------------------------------------

mkctl logs mad | grep mk_hostile | sed 's/^/mk-test: /'
mkctl pfn ls
expect_exit kill-mad 0 mkctl kill mad
expect_equal mad-killed "$(state mad)" killed
expect_exit start-again 0 mkctl start mad
expect_equal mad-hears-again "$(inside mad 'echo $((6 * 7))')" 42
start_inside calm /run/again 'talk count -l mad 7 2000'
inside mad 'talk count calm 7 2000' > $MK_RUN/again
expect_text mad-talks-again $MK_RUN/again 'right: sent 2000 received 2000'

# So much that the host gives it a pause now and then
is_muted() { [ "$(counter mad muted)" -gt 0 ]; }
start_inside mad /run/insmod "insmod /lib/mk/$(uname -r)/mk_hostile.ko region=$region id=$id seconds=5 noise=0 flood=0"
check flood-is-muted wait_for 10 is_muted
echo "mk-test: muted $(counter mad muted), polled $(counter mad polled), received $(counter mad received)"
expect_exit stop-mad 0 mkctl kill mad
save_instance_log mad
expect_exit rm-mad 0 mkctl rm mad
check revoke-wild mkctl pfn revoke wild
check revoke-tame mkctl pfn revoke tame
mkctl kill calm
save_instance_log calm
mkctl rm calm
expect_equal memory-back "$(pool_free)" "$free"
