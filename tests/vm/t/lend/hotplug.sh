#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Inside an instance with two CPUs: both work, and one of them goes offline and
# online as CPUs do, again and again.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 9

cat > /run/inner <<'END'
#!/bin/sh
work() {
	for c in 0 1; do
		taskset -c $c sh -c 'i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done' &
	done
	wait
	grep '^cpu[01]' /proc/stat
}
hotplug() {
	cd /sys/devices/system/cpu/cpu1 || exit
	n=0
	while [ $n -lt 200 ] && echo 0 > online && [ "$(nproc)" = 1 ] &&
		echo 1 > online && [ "$(nproc)" = 2 ]; do
		n=$((n+1))
	done
	echo "rounds $n"
}
work | sed 's/^/inner: /'
hotplug | sed 's/^/inner: /'
work | sed 's/^/inner: again /'
echo 'inner: end'
END
chmod +x /run/inner
make_initrd /run/inner.cpio /run/inner
config=$(make_config duo 2-3 "$MK_SMALL" 'loglevel=7 mk.run=inner' /boot/b /run/inner.cpio)

expect_exit spawn 0 mkctl spawn "$config"
check inner-end wait_for 100 log_has duo 'inner: end'
mkctl logs duo | sed -n 's/.*inner: //p' > "$MK_RUN/inner"
# ticks CPU: of 10 ms in user mode; a busy loop of this length takes many
ticks() { sed -n "s/^$1 *\([0-9]*\) .*/\1/p" "$MK_RUN/inner"; }
check cpu0-busy test "$(ticks cpu0)" -gt 5
check cpu1-busy test "$(ticks cpu1)" -gt 5
expect_text hotplug-rounds "$MK_RUN/inner" '^rounds 200$'
check cpu1-busy-again test "$(ticks 'again cpu1')" -gt $(($(ticks cpu1) + 5))
expect_equal both-online-to-the-host "$(cat /sys/devices/system/cpu/online)" 0-1,4-5
expect_exit stop 0 mkctl stop duo
expect_equal cpus-back "$(cat /sys/devices/system/cpu/online)" 0-5
