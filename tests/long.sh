# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # here, top, out and results are those of tests/run
#
# Runs that take long, sourced by tests/run for -l and -d: each suite and each
# machine is a part, and a part is some rounds. Each round's result is kept in
# OUT/long (OUT/debug with -d) for the sources that it was run with; a round that
# passed is not run again with the same sources. So a run may be interrupted at
# any time, and goes on with the round that was under way. With -l
# docs/long-runs.md is written anew after each round.
#
# A machine with LONG=N in its vm.conf has N rounds, all others one. The fuzzers
# run for 2 hours, in rounds of 5 minutes.
#
# SOURCES/log      a line each round: PART ok|failed WHEN SECONDS
#         PART   verdicts of its last round

FUZZ_ROUNDS=24 FUZZ_SECONDS=300

# What may change a result: all files but texts for people, as they are now
sources_id() {
	(cd "$top" && git ls-files -coz --exclude-standard -- . ':!*.md' |
		LC_ALL=C sort -z | xargs -0 sha256sum 2> /dev/null |
		sha256sum | cut -c 1-16)
}

long_parts() {
	local folder

	[ ${#debug[@]} -gt 0 ] ||
		printf '%s\n' lint harness unit coverage cli models mutants fuzz
	for folder in "$here"/vm/t/*/; do
		! asked_for "${folder%/}" || echo "vm/$(basename "$folder")"
	done
}

rounds_of() {
	local n=''

	case $1 in
	fuzz) n=$FUZZ_ROUNDS ;;
	vm/*) n=$(sed -nE 's/^LONG=([0-9]+).*/\1/p' "$here/vm/t/${1#vm/}/vm.conf" 2> /dev/null) ;;
	esac
	echo "${n:-1}"
}

# count PART ok|failed: rounds with that result
count() { awk -v part="$1" -v what="$2" '$1 == part && $2 == what { n++ } END { print n + 0 }' "$kept/log"; }

run_round() {
	local part=$1 t0=$SECONDS result=ok

	MK_FUZZ_SECONDS=$FUZZ_SECONDS run_suite "$part" || result=failed
	# What was tested is what was built when the run began
	if [ "$(sources_id)" != "${kept##*/}" ]; then
		report 'not ok' "$part/sources" 'files were edited meanwhile: build again' | tee -a "$results"
		return 1
	fi
	cp "$out/tests/suite" "$kept/${part//\//-}"
	echo "$part $result $(date -u +%Y-%m-%dT%H:%MZ) $((SECONDS - t0))" >> "$kept/log"
	write_table
}

# commit: which one the sources are, as far as one is
commit() {
	git -C "$top" describe --always 2> /dev/null
	git -C "$top" diff --quiet HEAD -- . ':!*.md' 2> /dev/null || echo 'with changes'
}

# A round that failed counts against the run, and the next part goes on
run_part() {
	local part=$1 rounds left

	rounds=$(rounds_of "$part")
	left=$((rounds - $(count "$part" ok)))
	if [ "$left" -le 0 ]; then
		say "tests: $part has passed $rounds of $rounds rounds before" >&2
		cat "$kept/${part//\//-}" >> "$results"
		return
	fi
	while [ "$left" -gt 0 ]; do
		say "tests: $part, round $((rounds - left + 1)) of $rounds" >&2
		run_round "$part" || return
		left=$((left - 1))
	done
}

table_rows() {
	local part

	long_parts | while read -r part; do
		awk -v part="$part" -v rounds="$(rounds_of "$part")" '
			$1 == part {
				n[$2]++
				when = $3
				seconds += $4
			}
			END {
				result = n["failed"] ? n["failed"] " failed" : \
					n["ok"] >= rounds ? "passed" : \
					n["ok"] ? "unfinished" : "not run"
				printf "| %s | %d of %d | %s | %s | %d s |\n", part,
					n["ok"], rounds, result, when ? when : "-", seconds
			}' "$kept/log"
	done
}

write_table() {
	[ ${#debug[@]} -eq 0 ] || return 0
	{
		echo '# Long runs'
		echo
		echo "Written by \`make check-long\`: do not edit. Sources $(basename "$kept")"
		echo "(a hash of all files but these texts), $(commit | paste -s -d " ")."
		echo
		echo '| test | rounds passed | result | last round | all rounds took |'
		echo '|------|---------------|--------|------------|----------------:|'
		table_rows
	} > "$out/long/table.md"
	cp "$out/long/table.md" "$top/docs/long-runs.md"
}

run_long() {
	local part parts

	kept=$out/long
	[ ${#debug[@]} -eq 0 ] || kept=$out/debug${long:+-long}
	kept=$kept/$(sources_id)
	mkdir -p "$kept"
	touch "$kept/log"
	mapfile -t parts < <(long_parts)
	[ $# -eq 0 ] || parts=("$@")
	for part in "${parts[@]}"; do
		run_part "$part" || break
	done
	write_table
}
