#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# examples/tunnel: IP between two instances: ping with small and large packets,
# and an HTTP fetch.
# timeout: 90

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 9

cat > /run/one <<'END'
#!/bin/sh
tunnel listen two 9 mk0 &
until ip link set mk0 mtu 16000 up 2> /dev/null; do usleep 50000; done
ip addr add 10.77.0.1/30 dev mk0
mkdir -p /tmp/www
head -c 3000000 /dev/urandom > /tmp/www/file
echo "sum $(md5sum < /tmp/www/file)"
httpd -h /tmp/www
wait
END
cat > /run/two <<'END'
#!/bin/sh
until tunnel call one 9 mk0; do usleep 200000; done &
until ip link set mk0 mtu 16000 up 2> /dev/null; do usleep 50000; done
ip addr add 10.77.0.2/30 dev mk0
ping -c 20 -i 0.05 -w 20 10.77.0.1 | tail -n 2
ping -c 20 -i 0.05 -w 20 -s 12000 10.77.0.1 | tail -n 2 | sed 's/^/large: /'
until wget -q -O /tmp/file http://10.77.0.1/file; do usleep 200000; done
echo "sum $(md5sum < /tmp/file)"
END
chmod 755 /run/one /run/two
make_initrd /run/tunnel.cpio /mk/bin/tunnel /run/one /run/two

# config NAME CPU
config() { make_config "$1" "$2" 128M "mk.run=$1" /boot/b /run/tunnel.cpio; }

sums() {
	mkctl logs "$1" | sed -n 's/.*\] \(\[U\] \)\?sum \([0-9a-f]*\) .*/\2/p'
}

expect_exit spawn-one 0 mkctl spawn "$(config one 2)"
config=$(config two 3)
sed -i 's/^{/{ "channels": [ "one" ],/' "$config"
expect_exit spawn-two 0 mkctl spawn "$config"
check tunnel-is-there wait_for 30 log_has two 'tunnel: mk0 leads to one'
check ping wait_for 30 log_has two '20 packets transmitted, 20 packets received, 0% packet loss'
check large-packets wait_for 30 log_has two 'large: 20 packets transmitted, 20 packets received, 0% packet loss'
check http-fetch wait_for 40 log_has two 'sum [0-9a-f]'
expect_equal http-same "$(sums two)" "$(sums one)"
mkctl logs two | grep -E 'round-trip|large:'

# The end of one side ends the other's program, not its kernel
expect_exit kill-one 0 mkctl kill one
check other-end-is-told wait_for 20 log_has two "tunnel: one:9: the kernel 'one' has ended"
clear_instances
