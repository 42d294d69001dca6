#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes image_payloads.h: the ELF file of image_sample.h, compressed by each
# method with the command lines of the kernel build (scripts/Makefile.lib,
# scripts/xz_wrap.sh). To be run by hand when fill_elf(), fill_moving() or
# MK_ABI_VERSION changes:
#
#	./image_payloads.sh DIR >image_payloads.h
#
# DIR is the one that holds uapi/linux/multikernel.h.
set -eu

here=$(dirname "$0")
uapi=${1:?directory of uapi/linux/multikernel.h}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/make.c" <<'END'
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
typedef uint8_t u8;
typedef uint32_t u32;
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#include "sample.h"

int main(void)
{
	struct sample_moving moving;

	fill_moving(&moving);
	fwrite(&moving, sizeof(moving), 1, stderr);
	return fwrite(&moving.elf, sizeof(moving.elf), 1, stdout) != 1;
}
END
sed 's/<linux\/elf.h>/<elf.h>/; s/<linux\/string.h>/<string.h>/' \
	"$here/image_sample.h" >"$tmp/sample.h"
cc -I"$uapi" -I"$uapi/uapi" -o "$tmp/make" "$tmp/make.c"
"$tmp/make" >"$tmp/elf" 2>"$tmp/moving"

bytes=$(wc -c <"$tmp/elf")
append_size()
{
	# shellcheck disable=SC2059
	printf "$(printf '\\%03o\\%03o\\0\\0' $((bytes & 255)) $((bytes >> 8)))"
}

array()
{
	echo
	echo "static const u8 payload_$1[] = {"
	od -An -v -tx1 -w12 | sed 's/ \(..\)/ 0x\1,/g; s/^ /\t/'
	echo "};"
}

cat <<'END'
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fill_elf() of image_sample.h makes, compressed by each method, and what
 * fill_moving() makes, with the unpacked size appended. Made by
 * image_payloads.sh.
 */
#ifndef _MULTIKERNEL_IMAGE_PAYLOADS_H
#define _MULTIKERNEL_IMAGE_PAYLOADS_H

#include <linux/types.h>
END
gzip -n -9 <"$tmp/elf" | array gzip
gzip -n -9 <"$tmp/moving" | array moving
{ zstd -q -22 --ultra <"$tmp/elf"; append_size; } | array zstd
{ lz4 -q -l -9 - - <"$tmp/elf"; append_size; } | array lz4
{
	xz --check=crc32 --threads=1 --x86 --lzma2=dict=128MiB <"$tmp/elf"
	append_size
} | array xz
cat <<'END'

#endif /* _MULTIKERNEL_IMAGE_PAYLOADS_H */
END
