// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The VMCOREINFO note: see dump_info.h.
 */
#include <elf.h>
#include <string.h>

#include "dump_info.h"

#define NOTE_NAME	"VMCOREINFO"
#define HEAD_BYTES	(sizeof(Elf64_Nhdr) + 12)	/* name, padded to 4 */

/* The note ends where its text does; Linux keeps room for more behind it. */
static int check_note(struct dump_info *info)
{
	Elf64_Nhdr head;

	memcpy(&head, info->note, sizeof(head));
	if (head.n_namesz != sizeof(NOTE_NAME) ||
	    memcmp(info->note + sizeof(head), NOTE_NAME, sizeof(NOTE_NAME)) ||
	    !head.n_descsz || head.n_descsz > info->note_bytes - HEAD_BYTES)
		return -ENODATA;
	info->text = (char *)info->note + HEAD_BYTES;
	info->text_bytes = head.n_descsz;
	/* At most the room that there was, which is a multiple of 4. */
	info->note_bytes = HEAD_BYTES + (head.n_descsz + 3) / 4 * 4;
	return 0;
}

int dump_info_read(const struct dump_memory *mem, uint64_t paddr,
		   uint64_t bytes, struct dump_info *ret_info)
{
	struct dump_info info = { .note_bytes = bytes / 4 * 4 };
	int r;

	*ret_info = (struct dump_info){ 0 };
	if (!paddr || bytes <= HEAD_BYTES || bytes > DUMP_INFO_MAX)
		return -ENODATA;
	info.note = malloc(info.note_bytes);
	if (!info.note)
		return -ENOMEM;
	r = dump_read(mem, paddr, info.note, info.note_bytes);
	if (r == 0)
		r = check_note(&info);
	if (r < 0) {
		free(info.note);
		return r == -ENXIO ? -ENODATA : r;
	}
	*ret_info = info;
	return 0;
}

void dump_info_clear(struct dump_info *info)
{
	free(info->note);
	*info = (struct dump_info){ 0 };
}

/* What stands behind "KEY=", as a string; the text has no NUL at its end. */
static int find(const struct dump_info *info, const char *key, char *value,
		size_t size)
{
	const char *end = info->text + info->text_bytes;
	size_t len = strlen(key);
	const char *line, *next;
	size_t n;

	for (line = info->text; line && line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		n = (size_t)((next ? next : end) - line);
		next = next ? next + 1 : NULL;
		if (n <= len || memcmp(line, key, len) || line[len] != '=')
			continue;
		n -= len + 1;
		if (n == 0 || n >= size)
			return -ENODATA;
		memcpy(value, line + len + 1, n);
		value[n] = '\0';
		return 0;
	}
	return -ENODATA;
}

static int parse(const char *text, int base, uint64_t *ret_value)
{
	uint64_t value;
	char *end;

	if (*text != '-' && strspn(text, "0123456789abcdefABCDEFx") == 0)
		return -ENODATA;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || *end || end == text)
		return -ENODATA;
	*ret_value = value;
	return 0;
}

int dump_info_hex(const struct dump_info *info, const char *key,
		  uint64_t *ret_value)
{
	char value[32];
	int r = find(info, key, value, sizeof(value));

	return r < 0 ? r : parse(value, 16, ret_value);
}

int dump_info_number(const struct dump_info *info, const char *key,
		     uint64_t *ret_value)
{
	char value[32];
	int r = find(info, key, value, sizeof(value));

	if (r < 0)
		return r;
	return parse(value, strncmp(value, "0x", 2) ? 10 : 16, ret_value);
}
