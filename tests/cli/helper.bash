# SPDX-License-Identifier: GPL-2.0-only
#
# What the command line tests share. MKCTL is the program as it is installed;
# MKCTL_FAKE the same sources on a pretended kernel (tests/unit/fake_kernel.h),
# with its state in a file.

bats_require_minimum_version 1.5.0

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
mkctl=${MKCTL:-$top/out/bin/mkctl}
fake=${MKCTL_FAKE:-${mkctl%/bin/mkctl}/tests/bin/mkctl-fake}

# le BYTES NUMBER: little-endian, as escapes for printf
le() {
	local n=$1 v=$(($2))

	while [ "$n" -gt 0 ]; do
		printf '\\x%02x' $((v & 255))
		v=$((v >> 8)) n=$((n - 1))
	done
}

# make_kernel FILE: the smallest that passes for the kernel of an instance: an
# ELF header, a segment that is the whole file, and the note
make_kernel() {
	local addr=0x1000000 abi

	abi=$(sed -nE 's/^#define MK_ABI_VERSION[[:blank:]]+([0-9]+)$/\1/p' \
		"$top/include/uapi/linux/multikernel.h")
	{
		printf '\x7fELF\x02\x01\x01'
		# shellcheck disable=SC2059 # escapes
		printf "$(le 9 0; le 2 2; le 2 62; le 4 1; le 8 $addr; le 8 64
			le 8 0; le 4 0; le 2 64; le 2 56; le 2 2; le 6 0)"
		# shellcheck disable=SC2059
		printf "$(le 4 1; le 4 5; le 8 0; le 8 0; le 8 $addr; le 8 200
			le 8 0x200000; le 8 4096)"
		# shellcheck disable=SC2059
		printf "$(le 4 4; le 4 4; le 8 176; le 16 0; le 8 24; le 8 24
			le 8 4)"
		# shellcheck disable=SC2059
		printf "$(le 4 6; le 4 4; le 4 0x6d6b0001)Linux$(le 3 0; le 4 "$abi")"
	} > "$1"
}

# A machine with 8 CPUs, the last one offline, and a config for each of two
# instances.
make_machine() {
	local cpu

	export MKCTL_ROOT=$BATS_TEST_TMPDIR/root
	export MKFAKE_STATE=$BATS_TEST_TMPDIR/kernel
	mkdir -p "$MKCTL_ROOT"/{dev,proc,run,sys/devices/system/cpu}
	echo 0-7 > "$MKCTL_ROOT/sys/devices/system/cpu/present"
	echo 0-6 > "$MKCTL_ROOT/sys/devices/system/cpu/online"
	for cpu in 0 1 2 3 4 5 6; do
		printf 'processor\t: %d\napicid\t\t: %d\n\n' $cpu $((cpu * 2))
	done > "$MKCTL_ROOT/proc/cpuinfo"
	: > "$MKCTL_ROOT/dev/multikernel"
	cd "$BATS_TEST_TMPDIR" || return
	make_kernel vmlinux
	echo initrd > initrd
	make_config web 2-3 > web.json
	make_config db 4 > db.json
}

# make_config NAME CPUS [MEMORY]
make_config() {
	printf '{ "name": "%s", "kernel": "vmlinux", "cmdline": "quiet",\n  "cpus": "%s", "memory": "%s" }\n' \
		"$1" "$2" "${3:-256M}"
}

# is EXPECTED GOT
is() {
	[ "$1" = "$2" ] || {
		printf 'expected: %s\ngot:      %s\n' "$1" "$2"
		return 1
	}
}

# has PART TEXT
has() {
	[[ $2 == *"$1"* ]] || {
		printf 'expected a part: %s\ngot:             %s\n' "$1" "$2"
		return 1
	}
}

# signal_spawn SIGNAL COMMAND...: a spawn that hangs in its boot; when it is
# there, it gets the signal. Leaves $status, out.txt and err.txt.
signal_spawn() {
	local signal=$1 pid

	shift
	MKFAKE_BOOT=hang "$@" 3>&- > out.txt 2> err.txt &
	pid=$!
	until grep -q 'start ' out.txt; do sleep 0.05; done
	kill -"$signal" $pid
	status=0
	wait $pid || status=$?
}

# with_policy NAME CPUS POLICY: a config with this policy, as make_config
with_policy() {
	make_config "$1" "$2" | jq -c --argjson policy "$3" '.policy = $policy'
}
