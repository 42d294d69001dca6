/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VMCOREINFO: what a kernel says of itself for those who read its dump, as
 * lines of text in an ELF note (Documentation/admin-guide/kdump/vmcoreinfo.rst
 * of Linux).
 */
#ifndef SPAWN_DUMP_INFO_H
#define SPAWN_DUMP_INFO_H

#include "dump_memory.h"

#define DUMP_INFO_MAX	65536	/* bytes of the note; Linux makes 4 KiB */

/**
 * struct dump_info - the note
 * @note: with its head, as it goes into the file; NULL for none
 * @text: in @note
 */
struct dump_info {
	unsigned char *note;
	size_t note_bytes;
	const char *text;
	size_t text_bytes;
};

/**
 * dump_info_read() - the note at a physical address
 *
 * -ENODATA: there is none, or no valid one; then @ret_info is empty.
 */
int dump_info_read(const struct dump_memory *mem, uint64_t paddr,
		   uint64_t bytes, struct dump_info *ret_info) MK_MUST_CHECK;
void dump_info_clear(struct dump_info *info);

/** dump_info_hex() - the value of "SYMBOL(x)"; -ENODATA */
int dump_info_hex(const struct dump_info *info, const char *key,
		  uint64_t *ret_value) MK_MUST_CHECK;
/** dump_info_number() - of "SIZE(x)", decimal, or hexadecimal with 0x */
int dump_info_number(const struct dump_info *info, const char *key,
		     uint64_t *ret_value) MK_MUST_CHECK;

#endif /* SPAWN_DUMP_INFO_H */
