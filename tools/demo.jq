# SPDX-License-Identifier: GPL-2.0-only
#
# From all that the demo's guest sent to out/demo.json. A document that is
# missing makes the checks that need it false, never the program fail.

def obj($doc): if $doc | type == "object" then $doc else {} end;
def inst($doc; $name): (obj($doc).instances // []) | map(select(.name == $name)) | .[0] // {};
def field($report; $key): ($report // "") | split("\n")
	| map(select(startswith($key + " "))) | .[0] // "" | ltrimstr($key + " ");
def version_of($uname): $uname | capture("(?<v>#.*)"; "") // {v: ""} | .v;
def check($name; $ok; $detail): {name: $name, ok: ($ok == true), detail: $detail};
def counted($name; $ok; $count; $unit): check($name; $ok; "\($count.before) -> \($count.after) \($unit)")
	+ {before: $count.before, after: $count.after};
# "0-1,5" to [0, 1, 5]
def cpus: if . == null or . == "" then [] else split(",")
	| map(split("-") | map(tonumber)
		| if length == 2 then range(.[0]; .[1] + 1) else .[0] end) end;
def ms($doc): obj($doc).ms;
# From the start of mkctl to the instance's PID 1; the start is known to 10 ms,
# rounded down
def pid1_ms($time; $inst): if obj($time).begin_ms and $inst.alive_ns
	then ($inst.alive_ns / 1000000 - $time.begin_ms) * 10 | round / 10 else null end;
def ratio($a; $b): if ($b // 0) > 0 then $a / $b else 99 end;

. as $all
| ["one", "two"] as $names
| obj($all["progress"]) as $p
| (["one", "two"] | map({
	key: .,
	value: {
		before: inst($all["show-before"]; .),
		after: inst($all["show-after"]; .),
		spawned: obj($all["spawn-" + .]),
		uname: field($all["report-" + .]; "uname")
	}}) | from_entries) as $i
| obj($all["respawn-two"]) as $respawn
| ($names | map({key: ., value: pid1_ms($all["time-spawn-" + .]; $i[.].before)}) | from_entries) as $pid1
| ($names | map($pid1[.] // 999999) | max) as $spawn_ms
| (obj($all["show-killed"]).instances[0]? // {}) as $killed
| (($killed.end_to_cpus_back_ns // 9e15) / 1000000) as $back_ms
| {
	schema: "mkctl.demo/1",
	host: {
		name: "host", state: "running",
		uname: field($all["report-host"]; "uname"),
		boot_id: field($all["report-host"]; "boot_id"),
		cpus: (obj($all["host-parts"]).cpus // []),
		apicids: (obj($all["host-parts"]).apicids // []),
		memory_bytes: obj($all["host-parts"]).memory_bytes,
		cpus_online: {
			before: $all["cpus-before"],
			with_instances: $all["cpus-with-both"],
			after_kill: $all["cpus-after-kill"]
		},
		host_init_ms: $host_init_ms,
		initramfs_bytes: $initramfs_bytes,
		pool_bytes: obj($all["pool-empty"]).pool_bytes,
		pool_free_bytes: {
			empty: obj($all["pool-empty"]).free_bytes,
			before_victim: obj($all["pool-before-victim"]).free_bytes,
			after_rm: obj($all["pool-after-rm"]).free_bytes
		}
	},
	instances: ($names | map(. as $n | $i[$n] | {
		name: $n,
		id: .after.id,
		state: .after.state,
		cpus: .after.cpus,
		apicids: .after.apicids,
		memory_bytes: .after.memory_bytes,
		boot_id: .after.boot_id,
		boot_id_before: .before.boot_id,
		boot_id_after: .after.boot_id,
		uname: .uname,
		stages_ms: .spawned.stages_ms
	})),
	times_ms: {
		host_init: $host_init_ms,
		spawn_one_to_pid1: $pid1.one,
		spawn_one: ms($all["time-spawn-one"]),
		spawn_two_to_pid1: $pid1.two,
		spawn_two: ms($all["time-spawn-two"]),
		respawn_two: ms($all["time-respawn-two"]),
		kill: ms($all["time-kill"]),
		end_to_cpus_back: $back_ms
	},
	progress: $p
}
| . + {checks: [
	check("boot_ids_differ";
		[.host.boot_id, $i.one.before.boot_id, $i.two.before.boot_id]
		| all(. != null and . != "") and (unique | length == 3); null),
	check("builds_differ";
		version_of($i.one.uname) != version_of($i.two.uname)
		and $i.one.uname != "" and $i.two.uname != ""; null),
	counted("victim_beat_stopped";
		$p.victim.before != null and $p.victim.before > 0
		and $p.victim.after == $p.victim.before; $p.victim; "beats"),
	counted("host_progress_during_spin";
		($p.host.after // 0) > ($p.host.before // 0); $p.host; "turns"),
	counted("sibling_progress_during_spin";
		($p.sibling.after // 0) > ($p.sibling.before // 0); $p.sibling; "beats"),
	check("cpus_back";
		($i.two.before.cpus // []) as $lent
		| ($lent | length) == 2
		and $lent - ($all["cpus-with-both"] | cpus) == $lent
		and $lent - ($all["cpus-after-kill"] | cpus) == []
		and $killed.cpus_lent == false;
		"online: \($all["cpus-with-both"]) -> \($all["cpus-after-kill"])"),
	check("memory_back";
		obj($all["pool-after-rm"]).free_bytes != null
		and obj($all["pool-after-rm"]).free_bytes == obj($all["pool-before-victim"]).free_bytes; null),
	check("respawn_new_boot_id";
		$respawn.boot_id != null and $respawn.boot_id != $i.two.before.boot_id
		and $i.two.after.state == "running"; null),
	check("others_boot_id_same";
		$i.one.before.boot_id != null
		and $i.one.after.boot_id == $i.one.before.boot_id
		and $i.one.after.state == "running"
		and ($all["report-host"] | split("\n") | map(select(startswith("boot_id "))) | unique | length == 1)?; null),
	check("messages_during_spin";
		obj($all["ping"]).received == 200 and obj($all["ping"]).lost == 0;
		"\(obj($all["ping"]).median_us) us to one and back"),
	check("memory_given";
		(obj($all["shares"]).shares // []) | length == 1
		and .[0].name == "hello" and .[0].owner == "one" and .[0].bytes == 8388608; null),
	check("kill_to_cpus_back_under_1s";
		(ms($all["time-kill"]) // 9999) < 1000; "\(ms($all["time-kill"])) ms"),
	check("spawn_at_most_0.4_of_host_boot";
		ratio($spawn_ms; $host_init_ms) <= 0.4;
		"\($spawn_ms) ms of \($host_init_ms) ms"),
	check("host_initramfs_at_most_8_mib";
		$initramfs_bytes <= 8388608; "\($initramfs_bytes) bytes"),
	check("consoles_clean"; $clean; null)
]}
