#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# That kmemleak finds what is lost, in the host and in an instance, so that it
# means something when it finds nothing: as at the end of all machines
# (check_debug), and here in an instance that has lived through all it can.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 15

# In the instance: orders from the command line, then what kmemleak has to say
cat > /run/look <<'END'
#!/bin/sh
. /mk/lib.sh
for order in $(sed -n 's/.*mk\.orders=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' '); do
	case $order in
	leak) insmod "/lib/mk/$(uname -r)/mk_leak.ko" ;;
	hotplug)
		echo 0 > /sys/devices/system/cpu/cpu1/online
		echo 1 > /sys/devices/system/cpu/cpu1/online
		echo "look: cpus $(cat /sys/devices/system/cpu/online)" ;;
	messages)
		mkctl msg ping host > /dev/null && mkctl msg ping leaky > /dev/null &&
			echo "look: messages" ;;
	shares)
		mkctl pfn share mine -s 4M --to host:rw > /dev/null &&
			mkctl pfn fill mine 7 && mkctl pfn attach mine &&
			mkctl pfn detach mine && mkctl pfn revoke mine &&
			echo "look: shares" ;;
	esac
done
scan_leaks || echo "look: no scan"
echo "look: found $(grep -c ^unreferenced /sys/kernel/debug/kmemleak)"
sed 's/^/look: /' /sys/kernel/debug/kmemleak
echo "look: lockdep $(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)"
echo "look: done"
END
chmod 755 /run/look
make_initrd /run/look.cpio /run/look /bin/mkctl
mkdir -p /run/more/mk
cp /mk/lib.sh /run/more/mk
(cd /run/more && find . | cpio -o -H newc 2>/dev/null) >> /run/look.cpio

# look_in NAME CPUS ORDERS [CHANNELS]: an instance that does them and then looks
look_in() {
	mk_config=$(make_config "$1" "$2" 192M "loglevel=7 mk.orders=$3 mk.run=look" \
		/boot/a /run/look.cpio)
	sed -i "s/^{/{ \"channels\": [${4:-}],/" "$mk_config"
	mkctl spawn "$mk_config"
}

expect_exit leaky-spawn 0 look_in leaky 2 leak
expect_exit clean-spawn 0 look_in clean 3-4 hotplug,messages,shares '"leaky"'

# The host loses something meanwhile
check host-loses insert mk_leak
check host-scans scan_leaks
cat $mk_leaks > "$MK_RUN/found"
expect_equal host-finds-one "$(grep -c ^unreferenced "$MK_RUN/found")" 1
expect_text host-finds-that "$MK_RUN/found" 'comm "insmod"'
echo clear > $mk_leaks

check leaky-looked wait_for 30 log_has leaky 'look: done'
mkctl logs leaky > "$MK_RUN/log"
expect_text leaky-finds-one "$MK_RUN/log" 'look: found 1$'
expect_text leaky-finds-that "$MK_RUN/log" 'look: +comm "insmod"'

check clean-looked wait_for 30 log_has clean 'look: done'
mkctl logs clean > "$MK_RUN/log"
expect_text clean-lived "$MK_RUN/log" 'look: cpus 0-1$'
expect_text clean-talked "$MK_RUN/log" 'look: messages$'
expect_text clean-shared "$MK_RUN/log" 'look: shares$'
expect_text clean-finds-none "$MK_RUN/log" 'look: found 0$'
expect_text clean-lockdep-to-the-end "$MK_RUN/log" 'look: lockdep 1$'
