#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel with KASLR as instance: its text and its map of memory lie elsewhere at
# each start, unless nokaslr is on its command line or it is a vmlinux. Its second
# CPU finds its way all the same, also after it was offline.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 23

linked=ffffffff81000000

# In the instance. Program headers of kcore: 56 bytes each, from byte 64 on; one
# of memory has its virtual address in the third word, the physical in the
# fourth. So has the kernel's text, at the end of the address space.
cat > /run/where <<'END'
#!/bin/sh
echo "where: text $(sed -n '/ _text$/{s/ .*//p;q}' /proc/kallsyms)"
dd if=/proc/kcore bs=1024 count=1 2>/dev/null | od -A n -v -t x8 -j 64 -w56 |
	while read -r type offset vaddr paddr rest; do
		case $type:$vaddr:$paddr in
		*:ffffffff*|*:0000000000000000|*:ffffffffffffffff) ;;
		*00000001:*) printf 'where: map %x\n' $((0x$vaddr - 0x$paddr)) ;;
		esac
	done | sort -u
echo "where: cpus $(cat /sys/devices/system/cpu/online)"
for round in 1 2 3; do
	echo 0 > /sys/devices/system/cpu/cpu1/online
	off=$(cat /sys/devices/system/cpu/online)
	echo 1 > /sys/devices/system/cpu/cpu1/online
	echo "where: hotplug $off $(cat /sys/devices/system/cpu/online) $(taskset -c 1 echo ran)"
done
echo "where: done"
END
chmod +x /run/where
make_initrd /run/where.cpio /run/where

config() { make_config "$1" 2-3 96M "loglevel=7 mk.run=where $2" "$3" /run/where.cpio; }

# look NAME: waits, then $text, $map, and $MK_RUN/log
look() {
	wait_for 30 log_has "$1" 'where: done'
	mkctl logs "$1" > "$MK_RUN/log"
	text=$(sed -n 's/.*where: text //p' "$MK_RUN/log")
	map=$(sed -n 's/.*where: map //p' "$MK_RUN/log")
}

# is_address WORD: of 16 hexadecimal digits, in the kernel's half?
is_address() { echo "$1" | grep -qxE 'ffff[0-9a-f]{12}'; }

# start N: the Nth start of it
start_nr() {
	if [ "$1" -eq 1 ]; then
		mkctl spawn "$(config moving '' /boot/kaslr)"
	else
		mkctl kill moving && save_instance_log moving && mkctl start moving
	fi
}

: > /run/texts
: > /run/maps
for n in 1 2 3 4; do
	expect_exit "start-$n" 0 start_nr $n
	look moving
	check "start-$n-text" is_address "$text"
	check "start-$n-two-cpus" grep -q 'where: cpus 0-1' "$MK_RUN/log"
	expect_equal "start-$n-hotplug" "$(grep -c 'where: hotplug 0 0-1 ran' "$MK_RUN/log")" 3
	echo "$text" >> /run/texts
	echo "$map" >> /run/maps
done
data texts /run/texts
data maps /run/maps
# Among 490 places: fewer than three different ones in four starts happens once in
# 30000 runs
check text-moves test "$(sort -u /run/texts | wc -l)" -ge 3
check map-moves test "$(sort -u /run/maps | wc -l)" -ge 3
mkctl kill moving > /dev/null
# What gdb makes of it: "after"
expect_exit dump 0 mkctl dump moving -z -o /run/moving.zst
check dump-taken-out sh -c "cat /run/moving.zst > $(mk_port mk.moving)"
save_instance_log moving
mkctl rm moving > /dev/null

mkctl spawn "$(config fixed nokaslr /boot/kaslr)" > /dev/null
look fixed
expect_equal nokaslr-text "$text" $linked
expect_equal nokaslr-map "$map" ffff888000000000
mkctl kill fixed > /dev/null
save_instance_log fixed
mkctl rm fixed > /dev/null

# A vmlinux has no tables to move it by
mkctl spawn "$(config linked '' /boot/kaslr.vmlinux)" > /dev/null
look linked
expect_equal vmlinux-text "$text" $linked
