#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl logs --since, --level, --boot, and show with all numberings of CPUs, on a
# real instance.
# timeout: 60

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 29

# us SECONDS: "12.345678" as microseconds
us() { echo "$1" | sed 's/\.//; s/^0*\(.\)/\1/'; }
# first_us, last_us: times in what logs -j printed to $OUT
first_us() { sed -n '1s/.*"time_us": *\([0-9]*\).*/\1/p' "$OUT"; }
least_level() { sed -n 's/.*"level": *\([0-9]\).*/\1/p' "$OUT" | sort -n | tail -n 1; }
uptime_us() { read -r up _ < /proc/uptime; us "${up}0000"; }
ns() { show duo "$1"; }

cat > /run/inner <<'END'
#!/bin/sh
sed -n 's/^apicid.*: /inner: apicid /p' /proc/cpuinfo
echo '<3>inner: an error' > /dev/kmsg
echo '<7>inner: a detail' > /dev/kmsg
n=0
while [ $n -lt 200 ]; do
	echo "inner: tick $n"
	n=$((n + 1))
	usleep 100000
done
END
chmod 755 /run/inner
make_initrd /run/inner.cpio /run/inner
expect_exit spawn 0 mkctl spawn "$(make_config duo 4-5 "$MK_SMALL" 'loglevel=8 mk.run=inner' /boot/a /run/inner.cpio)"
check ticks wait_for 20 log_has duo 'inner: tick 25'

# CPUs: the instance's own order is what it says itself
run_mkctl show duo
expect_equal show-heading "$(grep -c '^    CPU   HOST-CPU APIC-ID          NODE CORE$' "$OUT")" 1
expect_text show-cpu-0 "$OUT" '^    0     4        5 \(0x5\) +0 +[0-9]+$'
expect_text show-cpu-1 "$OUT" '^    1     5        6 \(0x6\) +0 +[0-9]+$'
mkctl logs duo | sed -n 's/.*inner: apicid //p' > $MK_RUN/inside
run_mkctl show duo -j
sed -n '/"cpu_numbers"/,/]/s/.*"apicid": *\([0-9]*\).*/\1/p' "$OUT" > $MK_RUN/shown
check show-as-it-is-inside cmp $MK_RUN/inside $MK_RUN/shown
expect_equal show-json-host-cpus "$(sed -n '/"cpu_numbers"/,/]/s/.*"host_cpu": *\([0-9]*\).*/\1/p' "$OUT" | tr '\n' ' ')" '4 5 '

# Levels
run_mkctl logs duo --level err
expect_text level-has-errors "$OUT" 'inner: an error'
check_not level-has-no-more grep -E 'inner: (tick|a detail)|Linux version' "$OUT"
run_mkctl logs duo -j --level info
expect_equal level-is-a-limit "$(least_level)" 6
run_mkctl logs duo -l 7
expect_text level-all "$OUT" 'inner: a detail'

# The instance's own clock is exact
run_mkctl logs duo -j
tick=$(sed -n 's/.*"time_us": *\([0-9]*\),.*inner: tick 10".*/\1/p' "$OUT")
exact=$((tick / 1000000)).$(printf %06d $((tick % 1000000)))
run_mkctl logs duo --since "$exact"
expect_text since-uptime-begins-there "$OUT" 'inner: tick 10$'
check_not since-uptime-not-before grep -E 'inner: tick 9$' "$OUT"

# The host's clock: what the host saw between two lines of the log is between
# their times there, too. To 1 ms, because the host counts back by the TSC.
run_mkctl logs duo -j
time_of() { sed -n "s/.*\"time_us\": *\([0-9]*\),.*$1.*/\1/p" "$OUT" | head -n 1; }
alive=$((($(ns alive_ns) - $(ns log_zero_ns)) / 1000))
check clocks-agree-before test $(($(time_of 'Run .init as init process') - 1000)) -le "$alive"
check clocks-agree-after test "$alive" -le $(($(time_of 'inner: apicid') + 1000))
ready=$((($(ns ready_ns) - $(ns log_zero_ns)) / 1000))
check clocks-agree-at-ready test "$alive" -le "$ready" -a "$ready" -le $(($(time_of 'inner: tick 0') + 1000))
before=$(uptime_us)
run_mkctl logs duo -j --since -1s
after=$(uptime_us)
zero=$(($(ns log_zero_ns) / 1000))
first=$(first_us)
check since-ago-not-older test "$first" -ge $((before - 1000000 - zero))
check since-ago-no-gap test "$first" -le $((after - 1000000 - zero + 400000 * MK_SLOW))
check_not since-ago-no-start grep 'Linux version' "$OUT"
run_mkctl logs duo -j --since "$(date -d @$(($(date +%s) - 1)) '+%Y-%m-%d %H:%M:%S')"
check since-date-not-older test "$(first_us)" -ge $((before - 2000000 - zero))
check_not since-date-no-start grep 'Linux version' "$OUT"
run_mkctl logs duo -j --since -1h
expect_equal since-long-ago-all "$(first_us)" 0
expect_exit since-tomorrow 0 mkctl logs duo --since '2199-01-01 00:00'
expect_equal since-tomorrow-nothing "$(wc -c < "$OUT")" 0

# All of it on the log of a boot that is over
mkctl restart duo > /dev/null
run_mkctl logs duo --boot -1 --level info --since "$exact"
expect_text kept-since-and-level "$OUT" 'inner: tick 10$'
check_not kept-not-before grep -E 'inner: tick 9$' "$OUT"
tail -n 3 "$OUT" > "$MK_RUN/last"
run_mkctl logs duo --boot 1 --level info --since "$exact" -n 3
expect_equal kept-last-lines "$(cat "$OUT")" "$(cat "$MK_RUN/last")"
remember
expect_refusal bad-since 2 "since: 'noon' is no time" mkctl logs duo --since noon
expect_refusal bad-boot 4 'there is no boot 9, only 1 to 2' mkctl logs duo --boot 9
clear_instances
