#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# examples/zero-copy: 64 MiB change hands, and outlive the kernel that made them.
# timeout: 90

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 12

pool_free() {
	mkctl pool show -j > $MK_RUN/pool
	json $MK_RUN/pool free_bytes
}
share() {
	mkctl pfn ls -j > $MK_RUN/shares
	json $MK_RUN/shares "$1"
}

wait_for 60 pool_is_clean
free=$(pool_free)
make_initrd /run/copy.cpio /mk/bin/producer /mk/bin/consumer
expect_exit spawn-consumer 0 mkctl spawn "$(make_config to 2 128M 'mk.run="consumer from"' /boot/a /run/copy.cpio)"
config=$(make_config from 3 128M 'mk.run="producer to 4711"' /boot/a /run/copy.cpio)
sed -i 's/^{/{ "channels": [ "to" ],/' "$config"
expect_exit spawn-producer 0 mkctl spawn "$config"

check consumer-has-checked wait_for 40 log_has to 'consumer: 64 MiB are right, and ours'
check producer-has-given wait_for 20 log_has from 'producer: given away'
expect_equal owner-is-the-consumer "$(share owner)" to
expect_equal size "$(share bytes)" 67108864
check consumer-waits wait_for 20 log_has to "consumer: waiting for the end of the producer's kernel"

expect_exit kill-producer 0 mkctl kill from
check consumer-sees-the-end wait_for 20 log_has to 'consumer: that has ended'
check data-is-still-right wait_for 30 log_has to 'consumer: still right, rewritten, and given back to the pool'
expect_equal share-is-gone "$(mkctl pfn ls -q)" ''

clear_instances
wait_for 30 pool_is_clean
expect_equal no-memory-is-lost "$(pool_free)" "$free"
