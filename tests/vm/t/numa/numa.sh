#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A pool on three NUMA nodes, and instances on one, on another, on both: their
# memory is where it was asked for, and inside nodes, CPUs and distances are as
# in the host.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 41

cat > /run/nodes <<'END'
#!/bin/sh
cd /sys/devices/system/node
echo "nodes: online $(cat online)"
for n in node[0-9]*; do
	echo "nodes: $n cpus $(cat "$n/cpulist")"
	echo "nodes: $n distance $(cat "$n/distance")"
	echo "nodes: $n memory $(sed -n 's/.*MemTotal: *\([0-9]*\) kB/\1/p' "$n/meminfo")"
done
echo "nodes: end"
END
chmod +x /run/nodes
make_initrd /run/nodes.cpio /run/nodes

# spawn_on NAME CPUS MEMORY [WORDS]: with memory as JSON
spawn_on() {
	config=$(make_config "$1" "$2" "$MK_SMALL" "loglevel=7 mk.run=nodes ${4:-}" /boot/b /run/nodes.cpio)
	sed -i "s/\"memory\": \"[0-9M]*\"/\"memory\": $3/" "$config"
	mkctl spawn "$config"
}

# small_on NODE: memory for spawn_on
small_on() { echo "{ \"size\": \"$MK_SMALL\", \"numa\": $1 }"; }

# inside NAME WHAT: what it said, once it has said all
inside() {
	wait_for 20 log_has "$1" 'nodes: end'
	mkctl logs "$1" | sed -n "s/.*nodes: $2 *//p" | tr '\t' ' '
}

# on_node NODE: of each "START END" on stdin, does it lie in memory that the
# firmware has on this node?
on_node() {
	dmesg | sed -nE "s/.*SRAT: Node $1 PXM [0-9]+ \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\].*/\1 \2/p" > "$MK_RUN/srat"
	n=0
	while read -r start end; do
		n=$((n + 1))
		ok=
		while read -r from to; do
			[ $((start)) -lt $((from)) ] || [ $((end)) -gt $((to)) ] || ok=1
		done < "$MK_RUN/srat"
		[ -n "$ok" ] || { echo "$start-$end is not on node $1"; return 1; }
	done
	[ $n -gt 0 ]
}

# memory_of NAME: its pieces in the host's /proc/iomem
memory_of() { sed -nE "s/^ *([0-9a-f]+)-([0-9a-f]+) : $1\$/0x\1 0x\2/p" /proc/iomem; }

# A piece is where the host says, and nowhere else
instance_on_node() { memory_of "$1" | on_node "$2"; }

# pool_node NODE: "SIZE FREE" from the first table
pool_node() { mkctl pool show | awk -v n="$1" '/^NODE.*LARGEST/ { t = 1 } /^$/ && s { t = 0 } t && $1 == n { print $2; exit } { s = t }'; }

# free_on NODE: addresses of the free pieces
free_on() { mkctl pool show | sed -nE "s/^$1 +[0-9.]+[A-Z]? +(0x[0-9a-f]+)-(0x[0-9a-f]+)\$/\1 \2/p"; }
free_is_on() { free_on "$1" | on_node "$1"; }

for node in 0 1 2; do
	check pool-is-on-node-$node free_is_on $node
done
node0=256M
! is_debug || node0=384M
expect_equal pool-node-0 "$(pool_node 0)" $node0
expect_equal pool-node-1 "$(pool_node 1)" 384M
expect_equal pool-node-2 "$(pool_node 2)" 512M
dmesg > "$MK_RUN/dmesg"
expect_text no-such-node "$MK_RUN/dmesg" 'mk_pool=128M@node7 is left out: there is no NUMA node 7$'
expect_text node-too-small "$MK_RUN/dmesg" 'mk_pool=1024M@node1 is left out: the largest piece of free RAM on node 1 has [0-9]{3} MiB$'
expect_equal numbers-agree "$(grep -c "the firmware's tables put" "$MK_RUN/dmesg")" 0
# All of its memory is pool, and it has no CPU
expect_equal host-nodes "$(cat /sys/devices/system/node/possible /sys/devices/system/node/online | xargs)" '0-2 0-1'

expect_exit spawn-zero 0 spawn_on zero 1-2 "$(small_on 0)"
expect_equal zero-nodes "$(inside zero online)" 0
expect_equal zero-cpus "$(inside zero 'node0 cpus')" 0-1
check zero-memory instance_on_node zero 0

expect_exit spawn-one 0 spawn_on one 4-5 '{ "size": "128M", "numa": 1 }'
expect_equal one-nodes "$(inside one online)" 1
expect_equal one-cpus "$(inside one 'node1 cpus')" 0-1
expect_equal one-distance "$(inside one 'node1 distance')" 10
check one-memory instance_on_node one 1

expect_exit spawn-both 0 spawn_on both 3,6 '{ "size": "256M", "numa": [0, 1] }'
expect_equal both-nodes "$(inside both online)" 0-1
expect_equal both-cpus "$(inside both 'node[01] cpus' | xargs)" '0 1'
expect_equal both-distances "$(inside both 'node[01] distance' | xargs)" '10 15 17 10'
memory_of both > "$MK_RUN/both"
expect_equal both-pieces "$(grep -c . "$MK_RUN/both")" 2
head -n 1 "$MK_RUN/both" > "$MK_RUN/first"
check both-on-0 on_node 0 < "$MK_RUN/first"
tail -n 1 "$MK_RUN/both" > "$MK_RUN/last"
check both-on-1 on_node 1 < "$MK_RUN/last"
# Half of it each, less what the kernel and its page descriptors take
for node in 0 1; do
	kib=$(inside both "node$node memory")
	check both-sum-$node test "${kib:-0}" -gt 90000 -a "${kib:-0}" -le 131072
done
remember
expect_refusal node-full 5 'not enough free memory on node1: 256M wanted, 128M free' \
	spawn_on more 7 '{ "size": "256M", "numa": 1 }'
expect_refusal node-unknown 3 'no memory on NUMA node 9' \
	spawn_on more 7 '{ "size": "64M", "numa": 9 }'
expect_refusal one-node-of-two-full 5 'not enough free memory on node1: 150M wanted, 128M free' \
	spawn_on more 7 '{ "size": "300M", "numa": [2, 1] }'
mkctl kill both > /dev/null
save_instance_log both
mkctl rm both > /dev/null

# A CPU on one node, memory on another: the first has no memory then
expect_exit spawn-apart 0 spawn_on apart 6 "$(small_on 0)"
expect_equal apart-nodes "$(inside apart online)" 0-1
expect_equal apart-cpus "$(inside apart 'node1 cpus')" 0
expect_equal apart-memory "$(inside apart 'node1 memory')" 0

mkctl kill apart > /dev/null
save_instance_log apart
mkctl rm apart > /dev/null

# A kernel that does not want to know
expect_exit spawn-off 0 spawn_on off 6 "$(small_on 1)" numa=off
expect_equal off-nodes "$(inside off online)" 0
expect_equal off-cpus "$(inside off 'node0 cpus')" 0

# A node that the host itself does not use: it knows no distance to it
expect_exit spawn-far 0 spawn_on far 3,7 '{ "size": "256M", "numa": 2 }'
expect_equal far-distances "$(inside far 'node[012] distance' | xargs)" '10 15 20 17 10 20 20 20 10'
check far-memory instance_on_node far 2
