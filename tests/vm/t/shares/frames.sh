#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Single pages of a kernel's own RAM, lent to another by mk_send_pfn(); and
# shares that kernel code attaches.
# timeout: 240

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 54

PATH=$PATH:/mk/bin
ko=/lib/mk/$(uname -r)/mk_frames.ko

# start NAME CPU REFERENCES
start() {
	mk_file=$(make_config "$1" "$2" 120M 'loglevel=7 mk.run="insmod /bin/mk_frames.ko; share agent"' /boot/a /run/shares.cpio)
	sed -i "s/^{/{ \"references\": \"$3\",/" "$mk_file"
	mkctl spawn "$mk_file" > /dev/null && wait_for 20 answers "$1"
}
answers() { log_has "$1" "agent of $1" && [ "$(share tell "$1" 'echo here')" = here ]; }

# in_a DO..., in_b, in_host: that is written to the module's parameter
in_a() { share tell a "echo '$*' > /sys/module/mk_frames/parameters/do"; }
in_b() { share tell b "echo '$*' > /sys/module/mk_frames/parameters/do"; }
in_host() { echo "$*" > /sys/module/mk_frames/parameters/do; }

# said WHERE PATTERN: in the log since the last mark
said() { wait_for 10 has_said "$@"; }
has_said() { said_all "$1" | tail -n +"$(($(cat "$MK_RUN/mark-$1") + 1))" | grep -qE -e "$2"; }
said_all() { if [ "$1" = host ]; then dmesg; else mkctl logs "$1"; fi; }
no_iomem() { ! grep -q " : $1\$" /proc/iomem; }
mark() { for mk_k in host a b; do said_all $mk_k | grep -c . > "$MK_RUN/mark-$mk_k"; done; }

make_initrd /run/shares.cpio /mk/bin/share "$ko"
for name in a b; do
	share create ctl-$name 4096
	share grant ctl-$name $name rw later
done
check insert insmod "$ko"
check start-a start a 1 move
check start-b start b 2 wait

# A page from one to another: mapped there, right, and written to
lend() { # NAME FROM TO APICID-OF-TO
	mark
	check "$1-sent" "in_$2" send "$4"
	check "$1-right" said "$3" 'mk_frames: page 0x[0-9a-f]+ from CPU [0-9]+: right$'
}
# What it wrote is there, and after the unmap nobody holds the page any more
back() { # NAME FROM TO
	check "$1-unmap" "in_$3" unmap
	mark
	check "$1-check" wait_for 5 "in_$2" check
	check "$1-back" said "$2" 'own page: written, 1 references$'
}
lend host-to-a host a 1
back host-to-a host a
lend a-to-host a host 0
back a-to-host a host
check allow share allow a b
check connect in_a connect b
lend a-to-b a b 2
back a-to-b a b

# The reference is over with the unmap
mark
in_b again 2
check stale said b 'page 0x[0-9a-f]+ from CPU 2: not mapped$'

# Frames that are not the sender's
host_pfn=$(($(sed -nE 's/^([0-9a-f]+)-[0-9a-f]+ : System RAM$/0x\1/p' /proc/iomem | tail -n 1) >> 12))
b_pfn=$(($(sed -nE 's/^ *([0-9a-f]+)-[0-9a-f]+ : b$/0x\1/p' /proc/iomem | head -n 1) >> 12))
b_pfn=$((b_pfn + 0x4000))	# past the hand-over area and the kernel
mark
check_not foreign-host in_a foreign 2 $host_pfn
check foreign-host-why said a "'foreign 2 $host_pfn' gave -1$"
check_not foreign-b in_a foreign 0 $b_pfn
check_not host-foreign in_host foreign 1 $b_pfn
check_not own-cpu in_host send 0

# A message that is made up: a frame of the receiver's, of nobody's grant
mark
in_a forge 2 $b_pfn 1 1
check receivers-own said b "frame 0x[0-9a-f]+ is not mapped: error -1, reason 179$"
mark
in_a forge 2 $host_pfn 1 1
check not-lent said b "frame 0x[0-9a-f]+ is not mapped: error -(2|13|116), reason 1(60|68|71)$"

# Its owner ends: the page stays, and a start does not use that memory
lend for-ever a b 2
mkctl kill a > /dev/null
expect_exit start-apart 0 mkctl start a
expect_text why-apart "$ERR" 'other kernels still have frames of the boot before: it starts in other memory'
check stays-apart grep -q ' : a (lent frames)$' /proc/iomem
check apart-runs wait_for 20 answers a
check still-right in_b look
check last-unmap in_b unmap
check apart-is-over wait_for 5 no_iomem 'a (lent frames)'

# The grantee ends: the page comes back to its owner
check connect-again in_b connect a
lend to-the-dead b a 1
mkctl kill a > /dev/null
mark
check dead-check wait_for 5 in_b check
check dead-back said b 'own page: written, 1 references$'

# One whose config says so waits for the detach instead
lend waits b host 0
mkctl kill b > /dev/null
expect_exit waited 7 mkctl start b --timeout 2
expect_text waited-why "$ERR" '1 pages of its memory are still used by other kernels'
check waits-unmap in_host unmap
expect_exit start-after 0 mkctl start b
check runs-after wait_for 20 answers b

# Kernel code's attachments
share create k 0x1000000
share grant k b ro
share fill k 3
sum=$(share sum k)
mark
check_not module-rights in_b share k rw
check module-attach in_b share k ro
check module-sum said b "share k: sum $sum$"
check module-detach in_b detach
check module-revoke share revoke k - 0
