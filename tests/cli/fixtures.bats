# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl on recorded machines (tests/fixtures/sysroot): which CPUs it takes and
# refuses there, and how it names them to an instance.

load helper

# SHAPE  cpu:apicid:node:core of all online CPUs
table() {
	case $1 in
	plain) echo 0:0:0:0 1:1:0:1 2:2:0:2 3:3:0:3 4:4:0:4 5:5:0:5 ;;
	sockets) echo 0:0:0:0 1:1:0:1 2:2:0:2 3:4:0:4 4:5:0:5 5:6:0:6 ;;
	smt) echo 0:0:0:0 1:1:0:0 2:2:0:1 3:3:0:1 4:4:0:2 5:5:0:2 6:6:0:3 7:7:0:3 ;;
	numa) echo 0:0:0:0 1:1:0:0 2:2:0:1 3:3:0:1 4:4:1:2 5:5:1:2 6:6:1:3 7:7:1:3 ;;
	pc) echo 0:0:0:0 1:1:0:1 2:2:0:2 3:3:0:3 ;;
	sparse) echo 0:0:0:0 1:1:0:1 2:238:0:238 ;;
	offline) echo 0:0:0:0 1:1:0:1 2:2:0:2 4:4:0:4 5:5:0:5 ;;
	esac
}

# machine SHAPE: it is the machine from here on
machine() {
	export MKCTL_ROOT=$BATS_TEST_TMPDIR/$1 MKFAKE_STATE=$BATS_TEST_TMPDIR/$1.state
	mkdir -p "$MKCTL_ROOT"/{dev,run}
	tar -xf "$top/tests/fixtures/sysroot/$1.tar" -C "$MKCTL_ROOT"
	: > "$MKCTL_ROOT/dev/multikernel"
	MKFAKE_CPUS=$(table "$1")
	export MKFAKE_CPUS
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_kernel vmlinux
}

# want CPUS [MEMORY [MORE]]: a config with these values, as JSON
want() {
	printf '{ "name": "web", "kernel": "vmlinux", "cpus": %s, "memory": %s%s }\n' \
		"$1" "${2:-\"256M\"}" "${3:+, $3}" > web.json
}

# takes CPUS GOT [MEMORY [MORE]]: a dry run would lend these
takes() {
	want "$1" "${3:-}" "${4:-}"
	run -0 "$fake" spawn -n web.json
	has "take CPUs $2 offline" "$output"
}

# refuses CPUS STATUS MESSAGE [MEMORY [MORE]]: dry run and spawn agree, and
# nothing is done
refuses() {
	want "$1" "${4:-}" "${5:-}"
	run --separate-stderr -"$2" "$fake" spawn -n web.json
	has "$3" "${stderr_lines[0]}"
	run --separate-stderr -"$2" "$fake" spawn web.json
	has "$3" "${stderr_lines[0]}"
	is "" "$("$fake" ls -q)"
}

@test "there are eight recorded machines, and they are small" {
	is "instance numa offline pc plain smt sockets sparse" \
		"$(cd "$top/tests/fixtures/sysroot" && echo *.tar | sed 's/\.tar//g')"
	is "" "$(find "$top/tests/fixtures/sysroot" -size +320k)"
}

@test "recordings have only words of ours from the command line" {
	for tar in "$top"/tests/fixtures/sysroot/*.tar; do
		run -1 grep -aqE "mk\.run|console=|/home/" "$tar"
	done
}

@test "APIC ids, nodes and cores are as recorded" {
	for shape in plain sockets smt numa pc sparse offline; do
		machine $shape
		is "$(table $shape | tr ' ' '\n' | cut -d: -f 1-2)" \
			"$(awk '/^processor/ { cpu = $3 } /^apicid/ { print cpu ":" $3 }' "$MKCTL_ROOT/proc/cpuinfo")"
		for cpu in $(table $shape); do
			IFS=: read -r number apicid node core <<< "$cpu"
			dir=$MKCTL_ROOT/sys/devices/system/cpu/cpu$number
			[ -e "$dir/node$node/cpulist" ]
			siblings=$(table $shape | tr ' ' '\n' | awk -F: -v core="$core" '$4 == core { print $1 }' | paste -sd-)
			is "$siblings" "$(cat "$dir/topology/core_cpus_list")"
		done
	done
}

@test "lists of CPUs: taken as they are" {
	machine plain; takes '"2-3,5"' 2-3,5
	machine sockets; takes '"3-5"' 3-5
	machine smt; takes '"2-3,6-7"' 2-3,6-7
	machine numa; takes '"2-3,4-5"' 2-5
	machine pc; takes '"1-3"' 1-3
	machine sparse; takes '"1,2"' 1-2
	machine offline; takes '"2,4"' 2,4
}

@test "lists of CPUs: CPU 0, unknown, offline" {
	for shape in plain sockets smt numa pc sparse offline; do
		machine $shape
		refuses '"0"' 3 "CPU 0 is never lent"
		refuses '"1,8"' 3 "CPU 8 does not exist"
	done
	machine sparse; refuses '"238"' 3 "CPU 238 does not exist"
	machine sockets; refuses '"6"' 3 "CPU 6 does not exist"
	machine offline; refuses '"2-4"' 5 "CPU 3 is offline"
}

@test "whole cores, unless a core may be split" {
	for shape in smt numa; do
		machine $shape
		refuses '"2"' 5 "CPU 2 shares a core with CPU 3"
		refuses '"2-4"' 5 "CPU 4 shares a core with CPU 5"
		refuses '"1-3"' 5 "CPU 1 shares a core with CPU 0"
		takes '"2"' 2 '' '"allow_split_core": true'
		refuses '"2"' 5 "CPU 2 shares a core with CPU 3" '' '"allow_split_core": false'
	done
	machine sockets; takes '"4"' 4
}

@test "CPUs by count" {
	machine plain; takes '{ "count": 2 }' 1-2
	refuses '{ "count": 6 }' 5 "6 CPUs are wanted and 5 can be had"
	machine smt; takes '{ "count": 2 }' 2-3
	takes '{ "count": 4 }' 4-7
	takes '{ "count": 6 }' 2-7
	refuses '{ "count": 7 }' 5 "7 CPUs are wanted and 6 can be had"
	machine numa; takes '{ "count": 4 }' 4-7
	machine sparse; takes '{ "count": 2 }' 1-2
	machine offline; takes '{ "count": 4 }' 1-2,4-5
	refuses '{ "count": 5 }' 5 "5 CPUs are wanted and 4 can be had"
}

@test "CPUs by node" {
	machine numa
	takes '{ "count": 2, "numa": 0 }' 2-3
	takes '{ "count": 2, "numa": 1 }' 4-5
	takes '{ "count": 4, "numa": 1 }' 4-7
	takes '{ "count": 4, "numa": [0, 1] }' 2-5
	refuses '{ "count": 4, "numa": 0 }' 5 "4 CPUs are wanted and 2 can be had"
	refuses '{ "count": 2, "numa": 2 }' 3 "there is no NUMA node 2"
	machine plain
	takes '{ "count": 2, "numa": 0 }' 1-2
	refuses '{ "count": 2, "numa": 1 }' 3 "there is no NUMA node 1"
}

@test "memory by node" {
	machine numa
	takes '"4-5"' 4-5 '{ "size": "256M", "numa": 1 }'
	takes '"4-5"' 4-5 '{ "size": "256M", "numa": [0, 1] }'
}

@test "the device tree names CPUs as the machine does" {
	for shape in plain sockets smt numa pc sparse offline; do
		machine $shape
		cpus=$(table $shape | tr ' ' '\n' | sed -E '/^[01]:/d; s/:.*//' | paste -sd,)
		want "\"$cpus\""
		"$fake" spawn -n --dtb web.dtb web.json > /dev/null
		for cpu in $(table $shape | tr ' ' '\n' | sed '/^[01]:/d'); do
			IFS=: read -r number apicid node core <<< "$cpu"
			is "$apicid" "$(fdtget web.dtb "$(printf /cpus/cpu@%x "$apicid")" reg)"
			is "$node" "$(fdtget web.dtb "$(printf /cpus/cpu@%x "$apicid")" numa-node-id)"
		done
		is "$(tr -cd , <<< "$cpus," | wc -c)" "$(fdtget -l web.dtb /cpus | wc -l)"
	done
}

@test "show has each CPU in all numberings" {
	machine sparse
	want '"2,1"'
	"$fake" spawn web.json > /dev/null
	run -0 "$fake" show web
	has "    0     2        238 (0xee)       0    238" "$output"
	has "    1     1        1 (0x1)          0    1" "$output"
	machine numa
	want '"6-7,2-3"'
	"$fake" spawn web.json > /dev/null
	is '[[0,6,6,1,3],[1,7,7,1,3],[2,2,2,0,1],[3,3,3,0,1]]' "$("$fake" show web -j |
		jq -c '[.instances[0].cpu_numbers[] | [.cpu, .host_cpu, .apicid, .node, .core]]')"
}

@test "an instance as it sees itself" {
	machine instance
	is 0-1 "$(cat "$MKCTL_ROOT/sys/devices/system/cpu/online")"
	has "role: instance" "$(cat "$MKCTL_ROOT/proc/multikernel")"
	fdt=$MKCTL_ROOT/sys/firmware/fdt
	is "$(printf 'cpu@2\ncpu@3')" "$(fdtget -l "$fdt" /cpus)"
	is "2 3" "$(awk '/^apicid/ { print $3 }' "$MKCTL_ROOT/proc/cpuinfo" | xargs)"
	is inside "$(fdtget "$fdt" /multikernel instance-name)"
	# Its own shared region is where its command line says it is
	region=$(fdtget -t x "$fdt" /multikernel shared-memory)
	set -- $region
	has "mk_shared_memory=0x$4@0x$2" "$(cat "$MKCTL_ROOT/proc/cmdline")"
	want '"1"'
	MKFAKE_ROLE=instance run --separate-stderr -6 "$fake" spawn web.json
	has "not a host (its role is 'instance')" "${stderr_lines[0]}"
}
