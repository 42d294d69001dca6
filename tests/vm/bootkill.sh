# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The test of the machines bootkill and bootkill-long: an instance is killed so
# many milliseconds after its first CPU was started, at mk.points= moments from 0
# to 800: then the host has CPUs, memory and iomem as before, another instance
# goes on, and the same one starts again, at the next point, and every tenth time
# up to PID 1. An instance of 2 CPUs boots in about 700 ms.
#
# 801 points are each millisecond; fewer are one in each piece of the time, where
# the seed says.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 22

export PATH="$PATH:/mk/bin"
LAST_MS=800
POINTS=$(sed -n 's/.*mk\.points=\([0-9]*\).*/\1/p' /proc/cmdline)
PIECES=4	# so many verdicts for all points
SEED=$(sed -n 's/.*mk\.seed=\([0-9]*\).*/\1/p' /proc/cmdline)
SEED=${SEED:-$(date +%s)}
echo "mk-test: seed $SEED"

# random LIMIT: the same ones for the same seed
random() {
	SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
	RANDOM_NOW=$((SEED / 65536 % $1))
}

bad() {
	echo "mk-test: point $point: $*"
	faulty="$faulty point $point, $ms ms: $*;"
}

# Of the host, what each kill has to leave as it was; all else is in snapshot
quick_look() { cat /sys/devices/system/cpu/online /proc/iomem /sys/kernel/multikernel/pool; }

# Here is what the kernel says of it: a look that starts no program
victim=/sys/kernel/multikernel/instances/victim

# The next boot of the victim, killed $us after its start
kill_boot() {
	epoch=$((epoch + 1))
	kill-at victim $epoch "$us" > $MK_RUN/kill 2>&1 &
	killer=$!
	mk_rc=0
	mkctl start victim > "$OUT" 2> "$ERR" || mk_rc=$?
	if ! wait $killer || ! read -r was late < $MK_RUN/kill; then
		bad "no kill: $(cat $MK_RUN/kill); start gave $mk_rc: $(tail -n 1 "$ERR")"
		return
	fi
	echo "$was $late" >> $MK_RUN/kills
	# 0 when PID 1 was there first
	case $mk_rc in
	0) ;;
	1) grep -q 'killed' "$ERR" || bad "start says: $(cat "$ERR")" ;;
	*) bad "start gave $mk_rc: $(cat "$ERR")" ;;
	esac
}

look_afterwards() {
	read -r now < $victim/state
	read -r why < $victim/cause
	read -r starts < $victim/epoch
	[ "$now,$why" = killed,kill ] || bad "it is $now, $why"
	[ "$starts" = "$epoch" ] || bad "epoch $starts, not $epoch"
	quick_look > $MK_RUN/quick.now
	cmp -s $MK_RUN/quick $MK_RUN/quick.now ||
		bad "changed: $(diff $MK_RUN/quick $MK_RUN/quick.now | head -n 5)"
}

beats_move() { [ "$(show sibling beats)" -gt "$beats" ]; }

# Up to PID 1, and down again
respawn() {
	epoch=$((epoch + 1))
	mkctl start victim > "$OUT" 2> "$ERR" || bad "no respawn: $(cat "$ERR")"
	[ "$(state victim)" = running ] || bad "respawned it is $(state victim)"
	save_victim
	mkctl kill victim > /dev/null 2>&1 || bad "cannot kill the respawned"
	beats=$(show sibling beats)
	wait_for 5 beats_move || bad "the sibling has no heartbeats"
}

save_victim() {
	mkctl logs victim > $MK_RUN/log
	save_log "victim.$point" $MK_RUN/log
}

# at POINT: its time in microseconds, into $us
at() {
	if [ "$POINTS" -gt $LAST_MS ]; then
		us=$((($1 - 1) * 1000))
	else
		random $((LAST_MS * 100 / POINTS))
		us=$((((LAST_MS * 100 / POINTS) * ($1 - 1) + RANDOM_NOW) * 10))
	fi
	ms=$((us / 1000))
}

# What of two lines with fields "STATE LATE" says how it went
tell_kills() {
	sort -n -k 2 $MK_RUN/kills | awk '
		{ late[NR] = $2; if ($1 == 2) booting++ }
		END { printf "%d kills, %d of them while it booted, late by %d us (median), %d us (worst)\n",
			NR, booting, late[int((NR + 1) / 2)], late[NR] }'
}

steady=$(cat /proc/sys/kernel/random/boot_id)
expect_exit sibling-up 0 mkctl spawn "$(make_config sibling 1 "$MK_SMALL" loglevel=7)"
sibling=$(show sibling boot_id)
expect_exit victim-up 0 mkctl spawn "$(make_config victim 2-3 "$MK_SMALL" loglevel=7)"
expect_exit victim-killed 0 mkctl kill victim
epoch=1
remember
quick_look > $MK_RUN/quick

point=0 faulty='' respawns='' group=1 begin=$(mk_now_ms)
while [ $point -lt "$POINTS" ]; do
	point=$((point + 1))
	at $point
	kill_boot
	look_afterwards
	if [ $((point % 10)) -eq 0 ] || [ $point -eq "$POINTS" ]; then
		points=$faulty faulty=''
		respawn
		respawns="$respawns$faulty" faulty=$points
	fi
	[ $point -ge $((group * POINTS / PIECES)) ] || continue
	expect_equal "killed-$group" "$faulty" ''
	expect_equal "respawned-$group" "$respawns" ''
	check "sibling-lives-$group" has_state sibling running
	group=$((group + 1)) faulty='' respawns=''
done
counted $point kills
echo "mk-test: $POINTS points in $(($(mk_now_ms) - begin)) ms: $(tell_kills)"

# What was meant to be tested: kills of a kernel that boots
check most-were-booting test "$(grep -c '^2 ' $MK_RUN/kills)" -ge $((POINTS / 2))
check last-respawn mkctl start victim
check last-kill mkctl kill victim
expect_equal same-sibling "$(show sibling boot_id)" "$sibling"
expect_equal same-host "$(cat /proc/sys/kernel/random/boot_id)" "$steady"
# Number of starts, times and boot id of the victim are new, all else is as it was
same() { sed -E -e "/\"(epoch|boot_id|[a-z_]*_(ns|us|ms))\"/d" -e "/ victim /s/ +[0-9]+ +$MK_SMALL_MIB / N $MK_SMALL_MIB /"; }
# Logs of boots before are kept, on purpose
rm -f /run/mkctl/victim.boot-*.log
snapshot | same > $MK_RUN/now
same < $MK_RUN/before > $MK_RUN/then
expect_equal nothing-changed "$(diff $MK_RUN/then $MK_RUN/now | head -n 8)" ''
save_victim
expect_exit removed 0 mkctl rm victim
