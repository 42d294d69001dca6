#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# examples/ping: between an instance and the host, between two instances, and
# not between two that no config connects.
# timeout: 60

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 7

make_initrd /run/ping.cpio /mk/bin/ping /mk/bin/pong

# config NAME CPU RUN [CHANNELS]
config() {
	mk_file=$(make_config "$1" "$2" "$MK_SMALL" "mk.run=\"$3\"" /boot/a /run/ping.cpio)
	[ -z "${4:-}" ] || sed -i "s/^{/{ \"channels\": [ \"$4\" ],/" "$mk_file"
	echo "$mk_file"
}

expect_exit spawn-pong 0 mkctl spawn "$(config b 2 'pong 7 2')"
check host-to-instance wait_for 20 /mk/bin/ping b 7 500
cat $MK_RUN/output
expect_exit nobody-listens 1 /mk/bin/ping b 8 1
expect_text nobody-listens-why "$ERR" "^ping: b:8: nobody listens at port 8 of 'b'$"

expect_exit spawn-stranger 0 mkctl spawn "$(config c 4 '/bin/ping b 7 1')"
check stranger-is-refused wait_for 20 log_has c "ping: b:7: this kernel and 'b' may not talk to each other"
mkctl spawn "$(config a 3 '/bin/ping b 7 1000' b)" > /dev/null
check instance-to-instance wait_for 20 log_has a 'ping: 1000 numbers to b and back, [0-9.]* us each'
mkctl logs a | grep 'ping: '

clear_instances
