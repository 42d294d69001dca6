// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn share: make a share, fill it, let others attach it. When a step
 * fails, the share is ended again.
 *
 * For another owner: only who has a share can fill it, so it belongs to the
 * host first, and is given away when it has its contents. Rights are granted
 * last: nobody sees it half full.
 */
#include <string.h>

#include "pfn.h"

#define PAGE_BYTES	4096

static const struct option_desc options[] = {
	{ "size", 's', "S", "so large, a multiple of 4K", OPT_SIZE,
	  offsetof(struct options, size) },
	OPTION_FROM("with what this file has; then --size may be left out"),
	{ "to", 0, "P[:R]", "kernel P may attach it; R is ro (default) or rw",
	  OPT_LIST, offsetof(struct options, to) },
	{ "owner", 0, "NAME", "of this instance (host only)", OPT_STRING,
	  offsetof(struct options, owner) },
	OPTION_JSON,
	OPTION_END
};

/** struct grant - of one --to */
struct grant {
	char peer[MK_NAME_MAX];
	uint32_t rights;
};

/**
 * struct making - one run
 * @generation: that the share has now
 */
struct making {
	const char *name;
	uint64_t bytes;
	uint64_t generation;
	struct pfn_file file;
	struct grant grants[LIST_MAX];
	size_t nr_grants;
};

static int parse_grant(const char *text, struct grant *grant,
		       struct mk_error *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	grant->rights = MK_RIGHT_READ;
	if (colon && !strcmp(colon, ":rw"))
		grant->rights |= MK_RIGHT_WRITE;
	else if (colon && strcmp(colon, ":ro"))
		return usage_error(err, NULL, "--to %s: rights are ro or rw",
				   text);
	if (!len || len >= sizeof(grant->peer))
		return usage_error(err, NULL,
				   "--to %s: takes the name of a kernel, perhaps with :ro or :rw",
				   text);
	memcpy(grant->peer, text, len);
	return 0;
}

static int parse_grants(const struct list *to, struct making *m,
			struct mk_error *err)
{
	size_t i;
	int r;

	for (i = 0; i < to->nr; i++) {
		r = parse_grant(to->items[i], &m->grants[i], err);
		if (r < 0)
			return r;
		m->nr_grants++;
	}
	return 0;
}

/* --size, or what the file takes. */
static int choose_size(const struct options *opts, struct making *m,
		       struct mk_error *err)
{
	m->bytes = opts->size.bytes;
	if (opts->size.given)
		return 0;
	if (!opts->from)
		return usage_error(err, NULL, "needs --size or --from");
	if (m->file.bytes == UINT64_MAX)
		return usage_error(err, m->file.name,
				   "not a regular file: needs --size");
	m->bytes = (m->file.bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1ULL);
	if (m->bytes)
		return 0;
	mk_error_set(err, MK_ERR_CONFIG, m->file.name, "the file is empty");
	return -EINVAL;
}

static int fill(struct app *app, struct making *m, struct mk_error *err)
{
	struct pfn_open open;
	uint64_t done;
	int r;

	r = pfn_open(app, m->name, m->generation,
		     MK_RIGHT_READ | MK_RIGHT_WRITE, &open, err);
	if (r < 0)
		return r;
	r = pfn_file_read(&m->file, open.at, open.bytes, &done, err);
	pfn_close(&open);
	return r;
}

static int give(struct app *app, struct making *m, struct mk_error *err)
{
	struct mk_share *share;
	int r;

	r = mk_share_give(app->ctx, m->name, m->generation, app->opts.owner,
			  err);
	if (r < 0)
		return r;
	r = mk_share_find(app->ctx, m->name, &share, err);
	if (r < 0)
		return r;
	m->generation = share->get.generation;
	mk_share_free(share);
	return 0;
}

/* The share is there; the rest of it. */
static int complete(struct app *app, struct making *m, struct mk_error *err)
{
	const struct grant *grant;
	size_t i;
	int r = 0;

	if (app->opts.from)
		r = fill(app, m, err);
	if (r == 0 && app->opts.from && app->opts.owner)
		r = give(app, m, err);
	for (i = 0; r == 0 && i < m->nr_grants; i++) {
		if (interrupted) {
			mk_error_set(err, MK_ERR_FAILED, m->name,
				     "interrupted");
			return -EINTR;
		}
		grant = &m->grants[i];
		r = mk_share_grant(app->ctx, m->name, m->generation,
				   grant->peer, grant->rights, 0, err);
	}
	return r;
}

static void undo(struct app *app, const struct making *m, struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	struct mk_error first = *err;

	/* By its name: a give that half succeeded may have renumbered it. */
	if (mk_share_revoke(app->ctx, m->name, 0, NULL, 1000, &why) == 0)
		return;
	mk_error_set(err, MK_ERR_UNDO, m->name, "%s; and it is not gone: %s",
		     first.message, why.message);
	mk_error_hint(err, "'mkctl pfn revoke %s'", m->name);
}

static int make(struct app *app, struct making *m, struct mk_error *err)
{
	bool give_later = app->opts.from;
	int r;

	app_catch_signals();
	r = mk_share_create(app->ctx, m->name, m->bytes,
			    give_later ? NULL : app->opts.owner, MK_NODE_ANY,
			    &m->generation, err);
	if (r < 0)
		return r;
	r = complete(app, m, err);
	if (r < 0)
		undo(app, m, err);
	return r < 0 ? r : pfn_done(app, m->name, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct making m = { .name = argv[0], .file = { .fd = -1 } };
	struct mk_info info;
	int r;

	(void)argc;
	r = parse_grants(&app->opts.to, &m, err);
	if (r == 0 && app->opts.owner)
		r = mk_info_get_host(app->ctx, &info, err);
	if (r == 0 && app->opts.from)
		r = pfn_file_open(app->opts.from, &m.file, err);
	if (r == 0)
		r = choose_size(&app->opts, &m, err);
	if (r == 0)
		r = make(app, &m, err);
	pfn_file_close(&m.file);
	return r;
}

const struct command cmd_pfn_share = {
	.name = "pfn share",
	.args = "NAME",
	.summary = "Make memory that other kernels may attach",
	.details =
		"It comes from the pool, is all zeros without --from, and belongs to this kernel\n"
		"or to --owner. --to may be repeated. When a step fails the share is gone again.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
