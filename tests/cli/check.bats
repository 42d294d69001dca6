# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl check, and choosing CPUs, on the pretended kernel.

load helper

setup() { make_machine; }

# make_smt: what sysfs says of 8 CPUs in cores of two; 4 to 7 are on node 1
make_smt() {
	local cpu dir sys=$MKCTL_ROOT/sys/devices/system

	export MKFAKE_SMT=1
	echo 0-7 > "$sys/cpu/online"
	printf 'processor\t: 7\napicid\t\t: 14\n\n' >> "$MKCTL_ROOT/proc/cpuinfo"
	for cpu in 0 1 2 3 4 5 6 7; do
		dir=$sys/cpu/cpu$cpu/topology
		mkdir -p "$dir" "$sys/node/node$((cpu / 4))"
		printf '%02x\n' $((3 << (cpu & 6))) > "$dir/core_cpus"
		echo $((cpu / 2 % 2)) > "$dir/core_id"
		printf '%02x\n' $((15 << (cpu & 4))) > "$dir/package_cpus"
		echo $((cpu / 4)) > "$dir/physical_package_id"
	done
	echo 0-1 | tee "$sys/node/online" > "$sys/node/possible"
	echo f > "$sys/node/node0/cpumap"
	echo f0 > "$sys/node/node1/cpumap"
	for cpu in 0 1; do
		printf 'Node %d MemTotal: 1048576 kB\n' $cpu > "$sys/node/node$cpu/meminfo"
	done
	echo 10 20 > "$sys/node/node0/distance"
	echo 20 10 > "$sys/node/node1/distance"
}

# with_cpus NAME JSON [MORE]
with_cpus() {
	printf '{ "name": "%s", "kernel": "vmlinux", %s "memory": "64M",\n  "cpus": %s }\n' \
		"$1" "${3:-}" "$2" > "$1.json"
}

# takes NAME CPUS: a dry run says so
takes() {
	run -0 "$fake" spawn -n "$1.json"
	has "take CPUs $2 offline" "$output"
}

@test "check: good files, one line for each instance" {
	run --separate-stderr -0 "$fake" check web.json db.json
	is "web.json: web: ok" "${lines[0]}"
	is "db.json: db: ok" "${lines[1]}"
	is 2 "${#lines[@]}"
	is "" "$stderr"
	[ ! -e "$MKCTL_ROOT/run/mkctl" ]
}

@test "check: status and message are those of spawn" {
	make_config web 0 > zero.json
	make_config web 9 > unknown.json
	make_config web 7 > offline.json
	make_config web 2-3 8G > large.json
	make_config web two > text.json
	jq '.kernel = "initrd"' web.json > text-kernel.json
	jq '.kernel = "none"' web.json > no-kernel.json
	for file in zero unknown offline large text text-kernel no-kernel; do
		want=0 got=0
		"$fake" spawn -n $file.json > /dev/null 2> spawn.txt || want=$?
		"$fake" check $file.json > /dev/null 2> check.txt || got=$?
		[ "$want" -ne 0 ]
		is "$want" "$got"
		is "$(sed 's/^mkctl: spawn: //' spawn.txt)" "$(sed 's/^mkctl: check: //' check.txt)"
	done
}

@test "check: some right and some wrong is 64" {
	make_config bad 9 > bad.json
	run --separate-stderr -64 "$fake" check web.json bad.json none.json
	is "web.json: web: ok" "${lines[0]}"
	is "bad.json: bad: refused" "${lines[1]}"
	is "none.json: refused" "${lines[2]}"
	is "mkctl: check: bad: CPU 9 does not exist" "${stderr_lines[0]}"
	has "none.json: cannot read the file" "$stderr"
	run --separate-stderr -3 "$fake" check bad.json none.json
}

@test "check: one name, one CPU, too much memory in several files" {
	make_config web 5 > again.json
	run --separate-stderr -64 "$fake" check web.json again.json
	is "mkctl: check: web: web.json has an instance of this name too" "${stderr_lines[0]}"
	make_config cpu 3-4 > cpu.json
	run --separate-stderr -64 "$fake" check web.json cpu.json
	is "mkctl: check: cpu: CPU 3 goes to instance 'web' of web.json" "${stderr_lines[0]}"
	make_config big 5 900M > big.json
	run --separate-stderr -64 "$fake" check web.json big.json
	is "mkctl: check: big: not enough free memory in the pool: 768M free, largest piece 768M" \
		"${stderr_lines[0]}"
	run -0 "$fake" check big.json
}

@test "check: several instances in one file" {
	jq -n --slurpfile a web.json --slurpfile b db.json \
		'{ schema: "mkctl/1", instances: [$a[0], $b[0]] }' > both.json
	run -0 "$fake" check both.json
	is "both.json: web: ok" "${lines[0]}"
	is "both.json: db: ok" "${lines[1]}"
	jq '.instances[1].cpus = "3"' both.json > shared.json
	run --separate-stderr -3 "$fake" check shared.json
	has "/instances/1/cpus: CPU 3 is also in /instances/0" "$stderr"
}

@test "check: without a host only the files, and it says so" {
	rm "$MKCTL_ROOT/dev/multikernel"
	make_config far 99 8T > far.json
	run --separate-stderr -0 "$mkctl" check far.json
	is "far.json: far: ok" "${lines[0]}"
	has "CPUs, memory and names of this machine were not checked: /dev/multikernel: no such device" "${lines[1]}"
	is "" "$stderr"
	# What a file alone can tell is told
	make_config near 99 > near.json
	run --separate-stderr -64 "$mkctl" check far.json near.json
	is "mkctl: check: near: CPU 99 goes to instance 'far' of far.json" "${stderr_lines[0]}"
	jq '.kernel = "initrd"' web.json > text.json
	run --separate-stderr -3 "$mkctl" check text.json
	is "mkctl: check: initrd: neither an ELF vmlinux nor a bzImage" "${stderr_lines[0]}"
	with_cpus any '{"count": 400}'
	run -0 "$mkctl" check any.json
}

@test "check -j" {
	make_config bad 9 > bad.json
	run --separate-stderr -64 "$fake" check -j web.json bad.json none.json
	is '["mkctl.check/1",true,null]' "$(jq -c '[.schema, .machine_checked, .machine_error]' <<< "$output")"
	is '["web.json",true,null,[["web",true,null]]]' \
		"$(jq -c '.files[0] | [.file, .ok, .error, [.instances[] | [.name, .ok, .error]]]' <<< "$output")"
	is '["bad.json",false,null,"cpu-unknown"]' \
		"$(jq -c '.files[1] | [.file, .ok, .error, .instances[0].error.reason]' <<< "$output")"
	is '["none.json",false,"config",[]]' \
		"$(jq -c '.files[2] | [.file, .ok, .error.code, .instances]' <<< "$output")"
	is '["config","config"]' "$(jq -sc '[.[].error.code]' <<< "$stderr")"
	MKFAKE_ROLE=none run --separate-stderr -0 "$fake" check -j web.json
	is '[false,"no-pool"]' "$(jq -c '[.machine_checked, .machine_error.reason]' <<< "$output")"
}

@test "a core is not split by accident" {
	make_smt
	with_cpus half '"2"'
	run --separate-stderr -5 "$fake" spawn half.json
	is "mkctl: spawn: half: CPU 2 shares a core with CPU 3, which is not in the list" "${stderr_lines[0]}"
	is 'hint: take whole cores, or say "allow_split_core": true in the config' "${stderr_lines[1]}"
	with_cpus half '"2"' '"allow_split_core": true,'
	run -0 "$fake" spawn -n half.json
	has "take CPUs 2 offline and lend them, splitting cores; CPU 2 boots" "$output"
	run -0 "$fake" spawn half.json
	is true "$(jq .allow_split_core "$MKCTL_ROOT/run/mkctl/half.json")"
	# Its sibling, which sysfs does not show any more
	sed -i 's/^0-7/0-1,3-7/' "$MKCTL_ROOT/sys/devices/system/cpu/online"
	echo 08 > "$MKCTL_ROOT/sys/devices/system/cpu/cpu3/topology/core_cpus"
	rm -r "$MKCTL_ROOT/sys/devices/system/cpu/cpu2"
	sed -i '/^processor.*: 2$/,/^$/d' "$MKCTL_ROOT/proc/cpuinfo"
	with_cpus other '"3"'
	run --separate-stderr -5 "$fake" spawn other.json
	is "mkctl: spawn: other: CPU 3 shares a core with CPU 2, which is lent to instance 'half'" "${stderr_lines[0]}"
	# Started again, it may split it again
	"$fake" kill half
	sed -i 's/^0-1,3-7/0-7/' "$MKCTL_ROOT/sys/devices/system/cpu/online"
	run -0 "$fake" start half
}

@test "CPUs by count: whole cores on one node" {
	make_smt
	with_cpus a '{"count": 2}'
	takes a 2-3
	with_cpus a '{"count": 4}'
	takes a 4-7
	with_cpus a '{"count": 2, "numa": 1}'
	takes a 4-5
	with_cpus a '{"count": 4, "numa": [0, 1]}'
	takes a 2-5
	with_cpus a '{"count": 1, "numa": 0}' '"allow_split_core": true,'
	takes a 1
	with_cpus a '{"count": 2}'
	"$fake" spawn a.json
	is '["2","64M",[2,3]]' "$(jq -c '[.cpus_asked, .memory_asked, .cpus]' "$MKCTL_ROOT/run/mkctl/a.json")"
}

@test "CPUs by count: too few, odd, and no such node" {
	make_smt
	with_cpus a '{"count": 3}'
	run --separate-stderr -5 "$fake" spawn -n a.json
	is "mkctl: spawn: a: 3 CPUs are wanted and 2 can be had" "${stderr_lines[0]}"
	has "7 are free, but only whole cores are taken" "${stderr_lines[1]}"
	with_cpus a '{"count": 6, "numa": 1}'
	run --separate-stderr -5 "$fake" spawn -n a.json
	is "mkctl: spawn: a: 6 CPUs are wanted and 4 can be had on node 1" "${stderr_lines[0]}"
	with_cpus a '{"count": 2, "numa": 2}'
	run --separate-stderr -3 "$fake" spawn -n a.json
	is "mkctl: spawn: a: there is no NUMA node 2" "${stderr_lines[0]}"
}

@test "check: counts of several files do not overlap" {
	make_smt
	with_cpus a '{"count": 4}'
	with_cpus b '{"count": 2}'
	with_cpus c '{"count": 2}'
	run --separate-stderr -64 "$fake" check a.json b.json c.json
	is "b.json: b: ok" "${lines[1]}"
	is "mkctl: check: c: 2 CPUs are wanted and 0 can be had" "${stderr_lines[0]}"
}

@test "memory by node" {
	jq -c '.memory = { size: "300M", numa: [0, 1] }' web.json > numa.json
	run -0 "$fake" spawn -n numa.json
	has "give it 300M of the pool: 150M of node 0, 150M of node 1" "$output"
	jq -c '.memory.size = "512M" | .memory.numa = 1' numa.json > full.json
	run --separate-stderr -5 "$fake" spawn full.json
	is "mkctl: spawn: web: not enough free memory on node1: 512M wanted, 256M free" "${stderr_lines[0]}"
	jq -c '.memory.numa = 5' numa.json > none.json
	run --separate-stderr -3 "$fake" spawn none.json
	is "mkctl: spawn: web: the pool has no memory on NUMA node 5" "${stderr_lines[0]}"
	jq -c '.name = "db" | .cpus = "4" | .memory.size = "220M" | .memory.numa = 1' numa.json > second.json
	run --separate-stderr -64 "$fake" check numa.json second.json
	is "mkctl: check: db: not enough free memory on node1: 220M wanted, 106M free" "${stderr_lines[0]}"
	run -0 "$fake" spawn numa.json
	is '"300M on nodes 0-1"' "$(jq .memory_asked "$MKCTL_ROOT/run/mkctl/web.json")"
}

@test "check: what does not fit is refused before anything is made" {
	local verb

	make_config web 2-3 32M > small.json
	truncate -s 31M initrd
	sed -i 's/"cmdline"/"initrd": "initrd", &/' small.json
	make_config web 2-3 > long.json
	sed -i "s/quiet/$(printf 'x%.0s' {1..2047})/" long.json
	for verb in check 'spawn -n' spawn; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr -3 "$fake" $verb small.json
		has "the initrd needs 31M in one piece of memory, beside the kernel there is room for 28M" "$stderr"
		# shellcheck disable=SC2086
		run --separate-stderr -3 "$fake" $verb long.json
		has "the limit is 2048" "$stderr"
	done
	is "" "$("$fake" ls -q)"
}
