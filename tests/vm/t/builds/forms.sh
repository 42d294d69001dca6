#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of other builds than the host's, in every form in which a kernel comes:
# each boots, says that it is the one that was asked for, and stops.
# timeout: 240

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 80

release=$(uname -r)
release=${release%%-*}

# says NAME PATTERN: soon, its log has a line like it
says() { wait_for 30 log_has "$1" "$2"; }

# one VARIANT FORM MEMORY LOCALVERSION VERSION FACT: FACT is a line of its kernel
# log, from the beginning of its boot, that only this variant has
one() {
	name=$1-${2#bzImage.}
	expect_exit "$name-spawn" 0 mkctl spawn \
		"$(make_config "$name" 2 "$3" loglevel=7 "/boot/$1.$2")"
	check "$name-uname" says "$name" \
		"report: uname Linux [^ ]+ $release-$4 #1 SMP $5"
	check "$name-fact" says "$name" "$6"
	expect_exit "$name-stop" 0 mkctl stop "$name"
	save_instance_log "$name"
	mkctl rm "$name" > /dev/null
}

for form in vmlinux bzImage.zstd bzImage.gzip bzImage.lz4 bzImage.xz; do
	one b $form 64M mkb 'PREEMPT Thu' 'NR_CPUS:64 '
	one rt $form 64M mkrt 'PREEMPT_RT Thu' 'NR_CPUS:8 '
	one kaslr $form 64M mkkaslr Thu 'NR_CPUS:512 '
	one kasan $form 192M mkkasan 'PREEMPT Thu' 'kasan: KernelAddressSanitizer initialized'
done
