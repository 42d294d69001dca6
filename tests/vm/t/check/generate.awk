# SPDX-License-Identifier: GPL-2.0-only
#
# 100 config files for agree.sh: OUT/000.json to OUT/099.json. Three of ten are
# good, the others have one fault; every fault comes at least once. What is not
# the fault is chosen at random from what is good, always the same for a seed.
#
# usage: awk -v seed=N -v out=OUT -v small=SIZE -f generate.awk

function list(array, text, n, i)
{
	n = split(text, array, "|")
	for (i = 1; i <= n; i++)
		gsub(/^[ \t\n]+|[ \t\n]+$/, "", array[i])
	return n
}

function any(array, n) { return array[1 + int(rand() * n)] }

BEGIN {
	srand(seed)
	# Of the machine: CPUs 0-7 in cores of two, 4 to 7 on the second socket and
	# node 1; "other" has 6 and 7, and 5 is offline
	nr_cpus = list(cpus, "\"2-3\"|\"3,2\"|\"4\"|\"2-4\"|{\"count\": 2}|" \
		"{\"count\": 2, \"numa\": 0}|{\"count\": 3, \"numa\": [0, 1]}|{\"count\": 1, \"numa\": 1}|{\"count\": 1}")
	nr_split = list(split_cpus, "\"1\"|\"2\"|\"1-2\"|\"3-4\"|" \
		"{\"count\": 4}|{\"numa\": [1, 0], \"count\": 2}|{\"count\": 1}")
	nr_memory = list(memory, "\"" small "\"|{\"size\": \"" small "\"}|" \
		"{\"size\": \"" small "\", \"numa\": 0}|{\"numa\": [1, 0], \"size\": \"254M\"}|\"0128m\"")
	nr_kernels = list(kernels, "/boot/a|/boot/b|/boot/a.bz")
	nr_initrds = list(initrds, "\"initrd\": \"/boot/instance.cpio\",")
	nr_cmdlines = list(cmdlines, "|\"cmdline\": \"loglevel=7\",|\"cmdline\": \"\",")

	# KEY VALUE: this stands in the place of what is good
	nr_faults = list(faults, "name \"Bad!\"|name \"other\"|" \
		"name \"a234567890123456789012345678901234\"|" \
		"kernel \"/run/none\"|kernel \"/run/check/empty\"|" \
		"kernel \"/etc/mk/one-cpu.json\"|kernel \"/run/check/cut\"|" \
		"kernel \"/run/check/cut-short\"|kernel \"/run/check/arm\"|" \
		"kernel \"/run/check/entry\"|kernel \"/run/check/segment\"|" \
		"kernel \"/run/check/no-note\"|kernel \"/run/check/abi\"|" \
		"kernel \"/run/check/bz-cut\"|kernel \"/run/check/bz-32\"|" \
		"kernel \"\"|kernel \"/run/check/loop\"|" \
		"initrd \"/run/none\"|initrd \"/proc\"|initrd \"/run/check/empty\"|initrd \"\"|" \
		"cmdline \"a mk_shared_memory=1\"|" \
		"cpus \"0\"|cpus \"0-3\"|cpus \"\"|cpus \"two\"|cpus \"3-2\"|" \
		"cpus \"2,3,2\"|cpus 2|cpus \"2-600\"|cpus \"4294967296\"|" \
		"cpus \"8\"|cpus \"5\"|cpus \"6\"|cpus \"2-3,7\"|" \
		"cpus \"2\"|cpus \"1\"|cpus \"2-3,1\"|" \
		"cpus {}|cpus {\"count\": 0}|cpus {\"count\": 513}|cpus {\"count\": \"2\"}|" \
		"cpus {\"count\": 4}|cpus {\"count\": 2, \"numa\": 1}|cpus {\"count\": 1, \"numa\": [1, 2]}|" \
		"cpus {\"count\": 2, \"numa\": [0, 0]}|cpus {\"count\": 2, \"nmua\": 0}|" \
		"cpus {\"count\": 2, \"numa\": -1}|" \
		"memory \"64Q\"|memory \"65M\"|memory \"16M\"|memory \"99999999999999T\"|memory 64|" \
		"memory \"4G\"|memory {}|memory {\"sise\": \"64M\"}|" \
		"memory {\"size\": \"64M\", \"numa\": 1024}|memory {\"size\": \"64M\", \"numa\": 2}|memory {\"size\": \"600M\", \"numa\": 1}|memory {\"size\": \"900M\", \"numa\": [1, 0]}|memory {\"size\": \"64M\", \"numa\": []}|" \
		"allow_split_core \"yes\"|colour \"red\"|instances []|schema \"mkctl/2\"|" \
		"twice|cut|latin|root")
	# Each once, in an order that depends on the seed, then at random
	for (i = nr_faults; i > 1; i--) {
		j = 1 + int(rand() * i)
		t = faults[i]; faults[i] = faults[j]; faults[j] = t
	}
	if (nr_faults > 70) {
		print "generate: " nr_faults " faults are too many" > "/dev/stderr"
		exit 1
	}
	used = 0
	for (n = 0; n < 100; n++)
		write_config(n, n % 10 < 3 ? "" : ++used <= nr_faults ? faults[used] : "")
}

# The value of a key: the fault, or what is good; with its name and a comma
function pair(key, good)
{
	if (key == fault_key)
		good = fault_value
	return "\t\"" key "\": " good ",\n"
}

function write_config(n, fault, file, text, splits)
{
	file = sprintf("%s/%03d.json", out, n)
	fault_key = fault
	sub(/ .*/, "", fault_key)
	fault_value = substr(fault, length(fault_key) + 2)
	splits = fault == "" && rand() < 0.3

	text = "{\n"
	text = text pair("name", "\"new-" n "\"")
	text = text pair("kernel", "\"" any(kernels, nr_kernels) "\"")
	if (fault_key == "initrd" || fault_key == "cmdline")
		text = text pair(fault_key, "")
	else
		text = text "\t" any(initrds, nr_initrds) any(cmdlines, nr_cmdlines) "\n"
	if (splits)
		text = text "\t\"allow_split_core\": true,\n"
	if (fault_key ~ /^(allow_split_core|colour|instances|schema)$/)
		text = text pair(fault_key, "")
	text = text pair("cpus", splits ? any(split_cpus, nr_split) : any(cpus, nr_cpus))
	if (fault_key == "twice")
		text = text "\t\"cpus\": \"2\",\n"
	text = text pair("memory", any(memory, nr_memory))
	sub(/,\n$/, "\n}\n", text)
	if (fault_key == "cut")
		text = substr(text, 1, length(text) - 12)
	if (fault_key == "root")
		text = "[" text "]\n"
	if (fault_key == "latin")
		sub(/new/, sprintf("%c", 228), text)
	printf "%s", text > file
	close(file)
}
