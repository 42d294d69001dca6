#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl msg and pfn for real, on the host and inside an instance.
# timeout: 90

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 42

cat > /run/inner <<'END'
#!/bin/sh
# try NAME COMMAND...: its output and exit code, for the log
try() {
	name=$1
	shift
	"$@" > /tmp/out 2>&1
	echo "$name: exit $?"
	{ cat /tmp/out; echo; } | sed "s/^/$name: /"	# it may end within a line
}
try ping mkctl msg ping host -c 50
try host-only mkctl ls
try owner-of-others mkctl pfn share x --size 4K --owner in
try unknown-peer mkctl msg ping nobody
try itself mkctl msg ping in
try share mkctl pfn share mine --size 1M --to host:rw
try fill mkctl pfn fill mine 0x41
echo "now: shared"
try send mkctl msg send host 5 'from inside'
mkctl msg recv host 6 -c 1 --timeout 60 > /tmp/order
echo "now: $(cat /tmp/order)"
try cat mkctl pfn cat mine --offset 4096 --length 10
try ls mkctl pfn ls
try not-granted mkctl pfn cat hosts
try granted mkctl pfn cat both --length 5
try only-ro mkctl pfn fill both 1
try not-owner mkctl pfn revoke both
try hold mkctl pfn attach both
try hold-twice mkctl pfn attach both
echo "now: holding"
mkctl msg recv host 6 -c 1 --timeout 60 > /tmp/order
try release mkctl pfn detach both
try release-twice mkctl pfn detach both
echo "now: released"
END
chmod 755 /run/inner
make_initrd /run/inner.cpio /run/inner

# inside VERDICT NAME EXIT [PATTERN]: what a try in there gave
inside() {
	mkctl logs in | sed -n "s/.*\] \(\[U\] \)\?$2: /$2: /p" > $MK_RUN/inside
	if grep -qx "$2: exit $3" $MK_RUN/inside && grep -qE -e "$2: .*${4:-}" $MK_RUN/inside; then
		ok "$1"
	else
		not_ok "$1" "$(cat $MK_RUN/inside)"
	fi
}
# order WORD: to the script in there, which listens sooner or later
order() { wait_for 20 mkctl msg send in 6 "$1"; }

expect_exit spawn 0 mkctl spawn "$(make_config in 2 128M 'mk.run=inner' /boot/a /run/inner.cpio)"
expect_exit recv 0 mkctl msg recv in 5 -c 1 --timeout 30
expect_equal recv-text "$(cat "$OUT")" 'from inside'

# Messages
inside inner-ping ping 0 'host: 50 messages of 64 bytes, 0 lost'
inside inner-host-only host-only 6 'mkctl: ls: this kernel is not a host'
inside inner-owner-of-others owner-of-others 6 'mkctl: pfn share: this kernel is not a host'
inside inner-unknown-peer unknown-peer 4 "there is no kernel 'nobody' on this machine"
inside inner-itself itself 3 "'in' is this kernel itself"
expect_exit ping 0 mkctl msg ping in -c 200 -s 256 -j
expect_equal ping-lost "$(json "$OUT" lost)" 0
data ping "$OUT"
expect_exit ping-unknown 4 mkctl msg ping nobody
expect_exit send-nobody-listens 4 mkctl msg send in 77 x
expect_text send-nobody-listens-why "$ERR" "nobody listens at port 77 of 'in'"
expect_exit recv-timeout 7 mkctl msg recv in 5 --timeout 1

# A share of the instance
inside inner-share share 0 'mine: live, 1M, '
inside inner-fill fill 0
expect_equal cat "$(mkctl pfn cat mine | tr -cd A | wc -c)" 1048576
printf 'host wrote' > /run/text
expect_exit fill-from-host 0 mkctl pfn fill mine --from /run/text --offset 4K
expect_exit beyond-its-end 2 mkctl pfn cat mine --offset 2M
expect_exit pfns 0 mkctl pfn ls --pfns
expect_text pfns-frames "$OUT" '^  frames 0x[0-9a-f]+-0x[0-9a-f]+'

# Shares of the host
expect_exit share-of-host 0 mkctl pfn share hosts --size 64K
expect_exit share-from-file 0 mkctl pfn share both --from /bin/busybox --to in
expect_exit name-taken 5 mkctl pfn share both --size 4K
expect_exit undone 4 mkctl pfn share half --size 4K --to in --to nobody
check_not undone-is-gone mkctl pfn cat half
expect_exit too-large 5 mkctl pfn share large --size 100G
expect_text too-large-why "$ERR" 'the pool has .* free, the share needs 100G'
check order-go order go
check holding wait_for 20 log_has in 'now: holding'
inside inner-cat cat 0 'host wrote'
inside inner-ls-hides ls 0 'both '
inside inner-not-granted not-granted 6 'ro is wanted, - is granted'
inside inner-only-ro only-ro 6 'rw is wanted, ro is granted'
inside inner-not-owner not-owner 6 'this kernel does not own it'
inside inner-hold hold 0 'both: live, .*, held'
inside inner-hold-twice hold-twice 5 'has it attached under this name already'
expect_exit revoke-while-held 7 mkctl pfn revoke both in --timeout 1
order go
check released wait_for 20 log_has in 'now: released'
inside inner-release-twice release-twice 4
expect_exit give-to-itself-and-back 0 mkctl pfn give mine host
clear_instances
expect_equal outlives-its-maker "$(mkctl pfn cat mine --offset 4K --length 10)" 'host wrote'
for name in mine hosts both; do
	mkctl pfn revoke "$name" > /dev/null
done
