# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machines deaths and deaths-long: two instances and the host
# talk, each with each other, and mk.rounds= times one of them ends at a random
# moment: a program by kill -9, or a kernel by its panic or by a hard kill. All
# others find out, say so in the right way, and talk again with what comes
# after. The messages say from which boot to which boot they go.
#
# The region is the smallest that there is, so that a few connections whose pages
# do not come back use it up.

# shellcheck disable=SC2016 # what is for the shell inside
# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
# shellcheck source=tests/vm/talk.sh
. /mk/talk.sh
plan 28

ROUNDS=$(sed -n 's/.*mk\.rounds=\([0-9]*\).*/\1/p' /proc/cmdline)
VERDICTS=20	# so many for all rounds
SEED=$(sed -n 's/.*mk\.seed=\([0-9]*\).*/\1/p' /proc/cmdline)
SEED=${SEED:-$(date +%s)}
echo "mk-test: seed $SEED"

# random LIMIT: the same ones for the same seed
random() {
	SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
	RANDOM_NOW=$((SEED / 65536 % $1))
}

other_of() { [ "$1" = a ] && echo b || echo a; }
pool_free() { run_mkctl pool show -j && json "$OUT" free_bytes; }
# What KASAN holds back for a while is none: a shrink lets it go
slab_kib() {
	for mk_slab in /sys/kernel/slab/*/shrink; do
		[ ! -e "$mk_slab" ] || echo 1 > "$mk_slab"
	done
	awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo
}
fds() { find /proc/[0-9]*/fd -type l 2> /dev/null | grep -c .; }

# talkers PEER PORT: one after the other, for ever
talkers() {
	while :; do
		talk endless "$1" "$2" &
		echo $! > "$MK_RUN/pid.$1"
		wait $!
	done > "$MK_RUN/talk.$1" 2>&1
}

# What an instance does from its boot on
spawn_round() {
	mk_first=$(other_of "$1")
	[ "$1" = a ] && mk_l=-l || mk_l=''
	mk_run="while :; do talk endless -l host 1 & echo \$! > /run/pid; wait; done > /run/host 2>&1 &"
	mk_run="$mk_run while :; do talk endless $mk_l $mk_first 3; done > /run/$mk_first 2>&1 &"
	mk_run="$mk_run talk agent host $TALK_AGENT"
	mk_config=$(make_config "$1" "$2" "$MK_SMALL" "loglevel=7 mk.run=\"$mk_run\"" \
		/boot/a /run/talk.cpio)
	sed -i "s/^{/{ \"channels\": [\"$mk_first\"],/" "$mk_config"
	mkctl spawn "$mk_config"
}

# lines WHO PEER PATTERN: how many WHO has said of PEER
lines() {
	if [ "$1" = host ]; then
		grep -c "$3" "$MK_RUN/talk.$2"
	else
		inside "$1" "grep -c '$3' /run/$2"
	fi
}

# more WHO PEER PATTERN THAN
more() {
	mk_lines=$(lines "$1" "$2" "$3")
	[ "${mk_lines:-0}" -gt "$4" ]
}

# bad WORDS...: this round was not as it has to be
bad() {
	echo "mk-test: round $round: $*"
	faulty="$faulty round $round: $*;"
}

# until_more WHO PEER PATTERN THAN: or bad
until_more() {
	wait_for 20 more "$@" || bad "$1 does not say '$3' of $2"
}

# --- the ways to end -------------------------------------------------------------

# Each end says that the other has closed, and talks to what comes then
kill_program_of_host() {
	inner_closed=$(lines "$victim" host closed)
	inner_up=$(lines "$victim" host up)
	usleep "$delay"
	kill -9 "$(cat "$MK_RUN/pid.$victim")" || bad "cannot kill"
	until_more "$victim" host closed "$inner_closed"
	until_more "$victim" host up "$inner_up"
}

kill_program_inside() {
	closed=$(lines host "$victim" closed)
	up=$(lines host "$victim" up)
	usleep "$delay"
	inside "$victim" 'kill -9 $(cat /run/pid)' || bad "cannot kill"
	until_more host "$victim" closed "$closed"
	until_more host "$victim" up "$up"
}

panic_kernel() {
	usleep "$delay"
	talk "do" "$victim" $TALK_AGENT 'echo c > /proc/sysrq-trigger' > /dev/null
	wait_for 20 has_state "$victim" panicked || bad "no panic"
}

kill_kernel() {
	usleep "$delay"
	mkctl kill "$victim" || bad "cannot kill"
}

# end_kernel HOW: the others say "died", and "stale" only when it runs again
end_kernel() {
	other=$(other_of "$victim")
	died=$(lines host "$victim" died) stale=$(lines host "$victim" stale)
	up=$(lines host "$victim" up)
	other_died=$(lines "$other" "$victim" died)
	other_stale=$(lines "$other" "$victim" stale)
	other_up=$(lines "$other" "$victim" up)
	"$1"
	until_more host "$victim" died "$died"
	until_more "$other" "$victim" died "$other_died"
	[ "$(lines host "$victim" stale)" = "$stale" ] || bad "stale before its start"
	[ "$(lines "$other" "$victim" stale)" = "$other_stale" ] ||
		bad "$other: stale before its start"
	mkctl logs "$victim" > $MK_RUN/log
	save_log "$victim.$round" $MK_RUN/log
	mkctl start "$victim" > /dev/null || bad "does not start"
	until_more host "$victim" stale "$stale"
	until_more "$other" "$victim" stale "$other_stale"
	until_more host "$victim" up "$up"
	until_more "$other" "$victim" up "$other_up"
}

# --- a round ---------------------------------------------------------------------

look_afterwards() {
	for i in a b; do
		has_state $i running || bad "$i is $(state $i)"
		counters=$(faults < /sys/kernel/multikernel/instances/$i/counters)
		[ "$counters" = ok ] || bad "counters of $i: $counters"
		counters=$(counters_inside $i "$(other_of $i)" | faults)
		[ "$counters" = ok ] || bad "counters in $i: $counters"
		! lines $i host WRONG | grep -qv '^0$' || bad "wrong in $i: $(inside $i 'grep WRONG /run/host')"
		! lines $i "$(other_of $i)" WRONG | grep -qv '^0$' ||
			bad "wrong in $i: $(inside $i "grep WRONG /run/$(other_of $i)")"
		! grep WRONG $MK_RUN/talk.$i || bad "wrong: $(grep WRONG $MK_RUN/talk.$i)"
	done
	[ "$(pool_free)" = "$free" ] || bad "pool: $(pool_free), not $free"
}

one_round() {
	random 2
	[ "$RANDOM_NOW" = 0 ] && victim=a || victim=b
	random 400
	delay=$((RANDOM_NOW * 1000))
	random 6
	case $RANDOM_NOW in
	0) how=kill_program_of_host ;;
	1) how=kill_program_inside ;;
	2|3) how='end_kernel panic_kernel' ;;
	*) how='end_kernel kill_kernel' ;;
	esac
	begin=$(mk_now_ms)
	$how
	look_afterwards
	echo "mk-test: round $round: $how $victim after $((delay / 1000)) ms, took $(($(mk_now_ms) - begin)) ms"
}

make_initrd /run/talk.cpio /mk/bin/talk
expect_exit a-up 0 spawn_round a 2
expect_exit b-up 0 spawn_round b 3
talkers a 1 &
first=$!
talkers b 1 &
second=$!
check host-talks-to-a wait_for 20 more host a up 0
check host-talks-to-b wait_for 20 more host b up 0
check a-talks-to-b wait_for 20 more a b up 0
free=$(pool_free) slab=$(slab_kib) open=$(fds)

round=0 faulty='' verdict=1
while [ $round -lt "$ROUNDS" ]; do
	round=$((round + 1))
	one_round
	[ $((round * VERDICTS % ROUNDS)) -eq 0 ] || continue
	expect_equal "rounds-$verdict" "$faulty" ''
	verdict=$((verdict + 1))
	faulty=''
done

counted $round deaths

# --- afterwards --------------------------------------------------------------------

# Some belong to what the test itself runs at the moment
check descriptors-as-before test "$(fds)" -le $((open + 10))
echo "mk-test: unreclaimable slab: $slab KiB before, $(slab_kib) KiB after"
check slab-does-not-grow test "$(slab_kib)" -lt $((slab + 512 + 8 * ROUNDS))
kill $first $second
kill -9 "$(cat $MK_RUN/pid.a)" "$(cat $MK_RUN/pid.b)"
mkctl kill --all
expect_equal pool-as-before "$(pool_free)" "$free"
