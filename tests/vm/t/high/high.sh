#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An instance with two CPUs, all its memory above 4 GiB, none below 1 MiB.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 7

reported() { mkctl logs two | grep -q 'report: memory'; }

# Each CPU counts for a while, and the ticks that it took are reported
cat > /run/work <<'END'
#!/bin/sh
for c in 0 1; do
	taskset -c $c sh -c 'i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done' &
done
wait
sed -n 's/^cpu\([01]\) \([0-9]*\) .*/work: cpu\1 \2/p' /proc/stat
/etc/mk/run
END
chmod +x /run/work
make_initrd /run/work.cpio /run/work
config=$(make_config two 3-4 192M 'loglevel=7 mk.run=work' /boot/b /run/work.cpio)

# ticks CPU: of 10 ms
ticks() { sed -n "s/.*work: cpu$1 //p" "$MK_RUN/log"; }

expect_exit spawn 0 mkctl spawn "$config"
mkctl show two -j > "$OUT"
lowest=$(sed -nE 's/^ *"addr": *([0-9]+),?$/\1/p' "$OUT" | sort -n | head -n 1)
check memory-above-4-gib test "${lowest:-0}" -ge 4294967296
check user-space-up wait_for 20 reported
mkctl logs two > "$MK_RUN/log"
expect_text both-cpus-online "$MK_RUN/log" 'report: cpus 0-1'
# Every usable range of its e820 starts above 4 GiB
low=$(grep -E 'BIOS-e820: .*usable' "$MK_RUN/log" | grep -cvE 'mem 0x0*[1-9a-f][0-9a-f]{8}')
expect_equal no-low-memory "$low" 0
check cpu0-works test "$(ticks 0)" -gt 5
check cpu1-works test "$(ticks 1)" -gt 5
