#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A CPU that does not come back at the end of its instance may still be writing
# to the instance's memory: it stays lent, nobody gets the memory, and the next
# kill that succeeds puts all right.
# timeout: 60

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 17

online() { cat /sys/devices/system/cpu/online; }
free_bytes() { run_mkctl pool show -j && json "$OUT" free_bytes; }
module=/lib/mk/$(uname -r)/mk_noonline.ko

all=$(online)
free=$(free_bytes)
expect_exit spawn 0 mkctl spawn "$(make_config duo 2-3 "$MK_SMALL" 'loglevel=7')"
check load-module insmod "$module" cpu=3

dmesg -c > /dev/null
expect_exit kill-fails 1 mkctl kill duo
expect_text kill-names-the-cpu "$ERR" 'CPU 3'
dmesg > "$MK_RUN/dmesg"
expect_text host-log-names-the-cpu "$MK_RUN/dmesg" \
	"CPU 3 of 'duo' does not come online"
expect_equal the-other-cpu-is-back "$(online)" 0-2,4-5
expect_equal it-has-ended "$(state duo)" killed

remember
expect_refusal rm-refused 1 'CPU' mkctl rm duo
expect_refusal start-refused 1 'CPU' mkctl start duo
check memory-kept test "$(free_bytes)" -lt "$free"
expect_exit kill-again-fails 1 mkctl kill duo
expect_equal the-other-cpu-was-left-alone "$(online)" 0-2,4-5

check unload-module rmmod mk_noonline
expect_exit kill-succeeds 0 mkctl kill duo
expect_equal all-cpus-back "$(online)" "$all"
expect_exit rm 0 mkctl rm duo
expect_equal memory-back "$(free_bytes)" "$free"
