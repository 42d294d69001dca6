# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # here, top, out and results are those of tests/run
#
# Runs that take long, sourced by tests/run for -l and -d: each suite and each
# machine is a part, and a part is some rounds. Each round's result is kept in
# OUT/long (OUT/debug with -d) with the sources that it was run with; a round that
# passed is not run again as long as what the part uses of them stays the same. So
# a run may be interrupted at any time, and goes on with the round that was under
# way. With -l docs/long-runs.md is written anew after each round.
#
# A machine with LONG=N in its vm.conf has N rounds, all others one. The fuzzers
# run for 2 hours, in rounds of 5 minutes.
#
# log        a line each round: PART SOURCES ok|failed WHEN SECONDS COMMIT COUNTS
# PART       verdicts of its last round

FUZZ_ROUNDS=24 FUZZ_SECONDS=300

# used_by PART: of names of files, with NUL between, those that may change its
# result. A script for several machines is used by those whose vm.conf names it.
used_by() {
	local machine scripts

	case $1 in
	fuzz) grep -zE '^((include|libmk|spawn|kernel/src/include|tests/fuzz)/|tests/unit/.*\.h$|userland\.mk$|tests/run$)' ;;
	vm/*)
		machine=${1#vm/}
		scripts=$(grep -ohE '[$]here/[a-z-]+\.sh' "$here/vm/t/$machine/vm.conf" 2> /dev/null |
			sed 's,.*/,,' | paste -s -d '|')
		grep -zP "^(?!(docs|man|completions|tests/(cli|fuzz|unit|models|mutants))/)\
(?!tests/((list|skips)\.txt|long\.sh|lint|harness|coverage)\$)\
(?!tests/vm/t/(?!$machine/))\
(?!tests/vm/(?!(lib\.sh|qemu\.sh${scripts:+|$scripts})\$)[a-z-]+\.sh\$)"
		;;
	*) cat ;;
	esac
}

# sources_id PART: a hash of these files as they are now; texts for people aside
sources_id() {
	(cd "$top" && git ls-files -coz --exclude-standard -- . ':!*.md' | used_by "$1" |
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

# count PART SOURCES ok|failed: rounds with that result
count() {
	awk -v part="$1" -v sources="$2" -v what="$3" '
		$1 == part && $2 == sources && $3 == what { n++ }
		END { print n + 0 }' "$kept/log"
}

# counts FILE: "N what, N what": the verdicts of a round that are good, and what
# they say that they have counted
counts() {
	printf '%d tests' "$(grep -c '^ok ' "$1")"
	sed -nE 's/^ok (fuzz\/[^ ]+|[^ ]+\/verdict) # ([0-9].*)/, \2/p' "$1" | tr -d '\n'
}

# commit: which one the sources are, as far as one is
commit() {
	git -C "$top" describe --always 2> /dev/null
	git -C "$top" diff --quiet HEAD -- . ':!*.md' 2> /dev/null || echo changed
}

run_round() {
	local part=$1 sources=$2 t0=$SECONDS result=ok

	MK_FUZZ_SECONDS=$FUZZ_SECONDS run_suite "$part" || result=failed
	# What was tested is what was built when the run began
	if [ "$(sources_id "$part")" != "$sources" ]; then
		report 'not ok' "$part/sources" 'files were edited meanwhile: build again' | tee -a "$results"
		return 1
	fi
	cp "$out/tests/suite" "$kept/${part//\//-}"
	echo "$part $sources $result $(date -u +%Y-%m-%dT%H:%MZ) $((SECONDS - t0))" \
		"$(commit | paste -s -d +) $(counts "$out/tests/suite")" >> "$kept/log"
	write_table
}

# A round that failed counts against the run, and the next part goes on
run_part() {
	local part=$1 rounds left sources

	sources=$(sources_id "$part")
	rounds=$(rounds_of "$part")
	left=$((rounds - $(count "$part" "$sources" ok)))
	if [ "$left" -le 0 ]; then
		say "tests: $part has passed $rounds of $rounds rounds before" >&2
		cat "$kept/${part//\//-}" >> "$results"
		return
	fi
	while [ "$left" -gt 0 ]; do
		say "tests: $part, round $((rounds - left + 1)) of $rounds" >&2
		run_round "$part" "$sources" || return
		left=$((left - 1))
	done
}

# What the rounds counted is added up
table_rows() {
	local part

	long_parts | while read -r part; do
		awk -v part="$part" -v rounds="$(rounds_of "$part")" -v sources="$(sources_id "$part")" '
			$1 == part && $2 == sources {
				n[$3]++
				when = $4
				seconds += $5
				commit = $6
				counts = $0
				for (i = 0; i < 6; i++)
					sub(/^[^ ]+ /, "", counts)
				of = split(counts, said, ", ")
				for (i = 1; i <= of; i++) {
					number = what = said[i]
					sub(/ .*/, "", number)
					sub(/^[^ ]* /, "", what)
					if (!(what in sum))
						order[++kinds] = what
					sum[what] += number
				}
			}
			END {
				for (i = 1; i <= kinds; i++)
					text = text (i > 1 ? ", " : "") sum[order[i]] " " order[i]
				result = n["failed"] ? n["failed"] " failed" : \
					n["ok"] >= rounds ? "passed" : \
					n["ok"] ? "unfinished" : "not run"
				printf "| %s | %d of %d | %s | %s | %s | %s | %.1f |\n", part,
					n["ok"], rounds, result, text ? text : "-",
					when ? when : "-", commit ? commit : "-", seconds / 60
			}' "$kept/log"
	done
}

write_table() {
	[ ${#debug[@]} -eq 0 ] || return 0
	{
		echo '# Long runs'
		echo
		# shellcheck disable=SC2016 # backquotes of Markdown
		echo 'Written by `make check-long`: do not edit. The commit is the one that the last'
		echo 'round of a test ran on; a later change of what that test uses makes it "not run".'
		echo
		echo '| test | rounds passed | result | counted | last round | commit | minutes |'
		echo '|------|---------------|--------|---------|------------|--------|--------:|'
		table_rows
	} > "$kept/table.md"
	cp "$kept/table.md" "$top/docs/long-runs.md"
}

run_long() {
	local part parts

	kept=$out/long
	[ ${#debug[@]} -eq 0 ] || kept=$out/debug${long:+-long}
	mkdir -p "$kept"
	touch "$kept/log"
	mapfile -t parts < <(long_parts)
	[ $# -eq 0 ] || parts=("$@")
	for part in "${parts[@]}"; do
		run_part "$part" || break
	done
	write_table
}
