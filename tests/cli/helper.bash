# SPDX-License-Identifier: GPL-2.0-only
#
# What the command line tests share. MKCTL is the program as it is installed;
# MKCTL_FAKE the same sources on a pretended kernel (tests/unit/fake_kernel.h),
# with its state in a file.

bats_require_minimum_version 1.5.0

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
mkctl=${MKCTL:-$top/out/bin/mkctl}
fake=${MKCTL_FAKE:-${mkctl%/bin/mkctl}/tests/bin/mkctl-fake}

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
	echo kernel > vmlinux
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
