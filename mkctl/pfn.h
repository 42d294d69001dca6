/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of mkctl pfn share.
 */
#ifndef MKCTL_PFN_H
#define MKCTL_PFN_H

#include "cmd.h"

/**
 * struct pfn_open - a share that is attached and mapped
 * @at: first byte that --offset and --length mean, @bytes of them
 */
struct pfn_open {
	struct mk_share_end end;
	char *addr;
	char *at;
	uint64_t bytes;
};

#define PFN_OPEN_NONE	{ .end = MK_SHARE_END_NONE }

/** pfn_open() - attach and map; to be undone by pfn_close() */
int pfn_open(struct app *app, const char *name, uint64_t generation,
	     uint32_t rights, struct pfn_open *ret_open,
	     struct mk_error *err) MK_MUST_CHECK;
void pfn_close(struct pfn_open *open);

/**
 * struct pfn_file - a file whose content goes into a share
 * @bytes: its size; UINT64_MAX when it is no regular file
 */
struct pfn_file {
	const char *name;
	int fd;
	uint64_t bytes;
};

/** pfn_file_open() - "-" is stdin */
int pfn_file_open(const char *name, struct pfn_file *ret_file,
		  struct mk_error *err) MK_MUST_CHECK;
void pfn_file_close(struct pfn_file *file);
/** pfn_file_read() - all of it to @to; refused when it is more than @room */
int pfn_file_read(const struct pfn_file *file, char *to, uint64_t room,
		  uint64_t *ret_bytes, struct mk_error *err) MK_MUST_CHECK;

/** pfn_done() - look at a share again and print it, as text or JSON */
int pfn_done(struct app *app, const char *name, struct mk_error *err)
	MK_MUST_CHECK;

/** pfn_to_json() - everything about a share; @pfns with its frames */
struct json_object *pfn_to_json(const struct mk_share *share, bool pfns);
/** pfn_holders_text() - "web:rw:2 db:ro": rights, attachments; caller frees */
char *pfn_holders_text(const struct mk_share *share);

#endif /* MKCTL_PFN_H */
