#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Instances whose memory is in several pieces, because none is large enough;
# kernel and initrd in different ones; and what is refused then.
# timeout: 150

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 27

MIB=1048576

# More than the largest piece can hold goes into a file
cat > /run/fill <<'END'
#!/bin/sh
mkdir /fill
mount -t tmpfs -o size=100% none /fill
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
mib=$(sed -n 's/.*mk\.fill=\([0-9]*\).*/\1/p' /proc/cmdline)
dd if=/dev/urandom of=/fill/block bs=1M count=1 2>/dev/null
sum=$(md5sum < /fill/block)
i=0
while [ $i -lt "$mib" ]; do cat /fill/block; i=$((i + 1)); done > /fill/file
end=$(tail -c 1048576 /fill/file | md5sum)
echo "fill: $total kB, $(stat -c %s /fill/file) bytes"
[ "$sum" = "$end" ] && echo "fill: end is right"
rm /fill/file
echo "fill: end"
END
chmod +x /run/fill
make_initrd /run/fill.cpio /run/fill

# filler NAME CPU MEMORY FILL
filler() {
	mkctl spawn "$(make_config "$1" "$2" "$3" "loglevel=7 mk.run=fill mk.fill=$4" /boot/b /run/fill.cpio)"
}

# filled NAME: what it reported
filled() {
	wait_for 60 log_has "$1" 'fill: end$'
	mkctl logs "$1" | sed -n 's/.*fill: //p' > "$MK_RUN/filled"
}

# pieces NAME: "START BYTES" of each piece of its memory, by address
pieces() {
	sed -nE "s/^ *([0-9a-f]+)-([0-9a-f]+) : $1\$/\1 \2/p" /proc/iomem |
		while read -r start end; do
			echo "$start $(((0x$end - 0x$start + 1) / MIB))M"
		done | xargs
}

# hold MEMORY...: instances that just take memory, on the CPUs from 1 on
hold() {
	cpu=0
	for size; do
		cpu=$((cpu + 1))
		MKCTL_FAIL_STEP=load mkctl spawn "$(make_config hold$cpu $cpu "$size")" --keep 2>/dev/null
		[ "$(state hold$cpu)" = created ] || return
	done
}

# free_pieces: their sizes, by address
free_pieces() { mkctl pool show | sed -nE 's/^0 +([0-9.]+M) +0x.*/\1/p' | xargs; }

iomem=$(sed -nE 's/^ *([0-9a-f]+)-([0-9a-f]+) : Multikernel Pool$/\1-\2/p' /proc/iomem | xargs)
expect_equal pool "$iomem" '20000000-2fffffff 140000000-157ffffff 1a0000000-1afffffff'
dmesg > "$MK_RUN/dmesg"
expect_text left-out "$MK_RUN/dmesg" 'mk_pool=128M@0xc0000000 is left out: not all of it is free RAM$'
expect_equal free-pieces "$(free_pieces)" '240M 384M 256M'

expect_exit spawn-wide 0 filler wide 2 512M 420
expect_equal wide-pieces "$(pieces wide)" '140000000 384M 1a0000000 128M'
filled wide
expect_text wide-total "$MK_RUN/filled" '^(4[89]|5[0-2])[0-9]{4} kB, '
expect_text wide-filled "$MK_RUN/filled" "kB, $((420 * MIB)) bytes\$"
expect_text wide-content "$MK_RUN/filled" '^end is right$'

# On both sides of 4 GiB; the larger piece, and so the kernel, is below
expect_exit spawn-low 0 filler low 3 352M 260
expect_equal low-pieces "$(pieces low)" '21000000 240M 1a8000000 112M'
filled low
expect_text low-filled "$MK_RUN/filled" "kB, $((260 * MIB)) bytes\$"
expect_text low-content "$MK_RUN/filled" '^end is right$'
mkctl logs low > "$MK_RUN/log"
expect_text low-kernel-below "$MK_RUN/log" 'BIOS-e820: \[mem 0x0*21000000-0x0*2103ffff\] reserved'
expect_equal wide-hand-over "$(show wide handoff_addr)" $((0x140000000))

remember
expect_refusal sum-too-small 5 'not enough free memory in the pool: 16M free' \
	filler more 4 64M 1
for name in wide low; do
	mkctl kill $name > /dev/null
	save_instance_log $name
	mkctl rm $name > /dev/null
done
expect_equal all-back "$(free_pieces)" '240M 384M 256M'

# The initrd does not fit beside the kernel, in no piece: 124M and 120M
check hold-most hold 240M 260M 136M
expect_equal held "$(free_pieces)" '124M 120M'
cp /boot/instance.cpio /run/large.cpio
truncate -s 116M /run/large.cpio
expect_exit spawn-apart 0 mkctl spawn "$(make_config apart 4 244M loglevel=7 /boot/a /run/large.cpio)"
check apart-runs wait_for 20 log_has apart 'report: uname'
mkctl logs apart > "$MK_RUN/log"
expect_equal apart-pieces "$(pieces apart)" '150400000 124M 1a8800000 120M'
expect_equal apart-kernel "$(show apart handoff_addr)" $((0x150400000))
expect_text apart-initrd "$MK_RUN/log" 'RAMDISK: \[mem 0x1a8c00000-0x1afffffff\]'
mkctl kill apart > /dev/null
save_instance_log apart
mkctl rm apart > /dev/null
truncate -s 125M /run/large.cpio
remember
expect_refusal initrd-in-no-piece 3 'initrd needs 125M in one piece of memory, beside the kernel there is room for 124M' \
	mkctl spawn "$(make_config apart 4 244M '' /boot/a /run/large.cpio)"
rm /run/large.cpio
mkctl rm hold1 hold2 hold3 > /dev/null

# Enough in all, but no piece for the kernel
crumb=12
! is_debug || crumb=24	# its kernel would fit into no 36M at all
check hold-all-but-crumbs hold $((240 - crumb))M $((384 - crumb))M $((256 - crumb))M
expect_equal crumbs "$(free_pieces)" "${crumb}M ${crumb}M ${crumb}M"
remember
expect_refusal kernel-in-no-piece 3 "kernel needs [0-9.]+M in one piece of memory, the largest has room for $((crumb - 2))M" \
	mkctl spawn "$(make_config apart 4 $((3 * crumb))M)"
