// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of what was moved: its items, and the file that they are kept in.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "moved.h"
#include "run_dir.h"

#define MOVED_PATH	MK_RUN_DIR "/" MK_MOVED_NAME
#define MOVED_BAD	MOVED_PATH ".bad"
#define MOVED_LIMIT	(16 << 20)	/* bytes of the file */
#define BOOT_ID_PATH	"/proc/sys/kernel/random/boot_id"

void mk_moved_free(struct mk_moved *moved)
{
	size_t i;

	if (!moved)
		return;
	for (i = 0; i < moved->nr_cpusets; i++)
		free(moved->cpusets[i].path);
	free(moved->tasks);
	free(moved->irqs);
	free(moved->cpusets);
	free(moved);
}

static int out_of_memory(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}

/* Room for one more of *items; they grow by doubling. */
static int make_room(void **items, size_t nr_items, size_t item_bytes)
{
	size_t room = nr_items ? 2 * nr_items : 4;
	void *more;

	if (nr_items >= MK_MOVED_MAX)
		return -E2BIG;
	if (nr_items && (nr_items < 4 || nr_items & (nr_items - 1)))
		return 0;
	more = realloc(*items, room * item_bytes);
	if (!more)
		return -ENOMEM;
	*items = more;
	return 0;
}

int mk_moved_add_task(struct mk_moved *moved, const struct mk_moved_task *task)
{
	int r = make_room((void **)&moved->tasks, moved->nr_tasks,
			  sizeof(*task));

	if (r == 0)
		moved->tasks[moved->nr_tasks++] = *task;
	return r;
}

int mk_moved_add_irq(struct mk_moved *moved, const struct mk_moved_irq *irq)
{
	int r = make_room((void **)&moved->irqs, moved->nr_irqs, sizeof(*irq));

	if (r == 0)
		moved->irqs[moved->nr_irqs++] = *irq;
	return r;
}

int mk_moved_add_cpuset(struct mk_moved *moved,
			const struct mk_moved_cpuset *set)
{
	struct mk_moved_cpuset copy = *set;
	int r;

	r = make_room((void **)&moved->cpusets, moved->nr_cpusets,
		      sizeof(*set));
	if (r < 0)
		return r;
	copy.path = strdup(set->path);
	if (!copy.path)
		return -ENOMEM;
	moved->cpusets[moved->nr_cpusets++] = copy;
	return 0;
}

struct mk_moved_task *mk_moved_find_task(const struct mk_moved *moved, int tid,
					 uint64_t start)
{
	size_t i;

	for (i = 0; i < moved->nr_tasks; i++)
		if (moved->tasks[i].tid == tid &&
		    moved->tasks[i].start == start)
			return &moved->tasks[i];
	return NULL;
}

struct mk_moved_irq *mk_moved_find_irq(const struct mk_moved *moved,
				       unsigned int irq)
{
	size_t i;

	for (i = 0; i < moved->nr_irqs; i++)
		if (moved->irqs[i].irq == irq)
			return &moved->irqs[i];
	return NULL;
}

struct mk_moved_cpuset *mk_moved_find_cpuset(const struct mk_moved *moved,
					     const char *path)
{
	size_t i;

	for (i = 0; i < moved->nr_cpusets; i++)
		if (!strcmp(moved->cpusets[i].path, path))
			return &moved->cpusets[i];
	return NULL;
}

/* Without one (a recorded tree) all records are of the same boot, "". */
static int read_boot_id(struct mk_ctx *ctx, char boot_id[MK_BOOT_ID_MAX],
			struct mk_error *err)
{
	mk_autofree char *text = NULL;
	int r = mk_ctx_read_text(ctx, BOOT_ID_PATH, MK_BOOT_ID_MAX - 1, &text);

	if (r < 0 && r != -ENOENT) {
		mk_error_set(err, MK_ERR_FAILED, BOOT_ID_PATH,
			     "cannot read: %s", strerror(-r));
		return r;
	}
	snprintf(boot_id, MK_BOOT_ID_MAX, "%s", text ? text : "");
	return 0;
}

int mk_moved_new(struct mk_ctx *ctx, struct mk_moved **ret_moved,
		 struct mk_error *err)
{
	mk_autofree struct mk_moved *moved = calloc(1, sizeof(*moved));
	int r;

	if (!moved)
		return out_of_memory(err);
	r = read_boot_id(ctx, moved->boot_id, err);
	if (r == 0)
		*ret_moved = TAKE_PTR(moved);
	return r;
}

static int remove_file(struct mk_ctx *ctx, struct mk_error *err)
{
	int error;

	if (unlinkat(mk_ctx_dirfd(ctx), mk_ctx_relative(MOVED_PATH), 0) == 0 ||
	    errno == ENOENT)
		return 0;
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, MOVED_PATH, "cannot remove: %s",
		     strerror(error));
	return -error;
}

/*
 * What makes no sense would be in the way of every later change: it is put
 * aside, and the user is told once.
 */
static int refuse_text(struct mk_ctx *ctx, int r, struct mk_error *err)
{
	int root = mk_ctx_dirfd(ctx);

	if (r == -ENOMEM)
		return out_of_memory(err);
	if (renameat(root, mk_ctx_relative(MOVED_PATH), root,
		     mk_ctx_relative(MOVED_BAD)) < 0)
		return remove_file(ctx, err);
	mk_error_set(err, MK_ERR_FAILED, MOVED_PATH,
		     "the record of moved tasks makes no sense; it is now %s",
		     MOVED_BAD);
	mk_error_hint(err, "look at the affinity of tasks and interrupts yourself, then try again");
	return -EINVAL;
}

int mk_moved_read(struct mk_ctx *ctx, struct mk_moved **ret_moved,
		  struct mk_error *err)
{
	mk_autofree char *text = NULL;
	char boot_id[MK_BOOT_ID_MAX];
	struct mk_moved *moved;
	int r;

	if (faccessat(mk_ctx_dirfd(ctx), mk_ctx_relative(MOVED_PATH), F_OK,
		      0) < 0 && errno == ENOENT)
		return -ENOENT;
	r = mk_ctx_read_text(ctx, MOVED_PATH, MOVED_LIMIT, &text);
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, MOVED_PATH, "cannot read: %s",
			     strerror(-r));
		return r == -ENOENT ? -EIO : r;
	}
	r = mk_moved_parse(text, &moved);
	if (r < 0)
		return refuse_text(ctx, r, err);
	r = read_boot_id(ctx, boot_id, err);
	if (r == 0 && strcmp(boot_id, moved->boot_id)) {
		r = remove_file(ctx, err);
		r = r < 0 ? r : -ENOENT;
	}
	if (r < 0)
		mk_moved_free(moved);
	else
		*ret_moved = moved;
	return r;
}

static bool is_empty(const struct mk_moved *moved)
{
	return !moved->nr_tasks && !moved->nr_irqs && !moved->nr_cpusets &&
	       !moved->partition[0];
}

int mk_moved_save(struct mk_ctx *ctx, const struct mk_moved *moved,
		  struct mk_error *err)
{
	mk_autofree char *text = NULL;
	mk_autoclose int dir = -1;
	struct iovec part;
	int r;

	if (is_empty(moved))
		return remove_file(ctx, err);
	text = mk_moved_format(moved);
	if (!text)
		return out_of_memory(err);
	r = mk_run_dir_open(ctx, &dir, err);
	if (r < 0)
		return r;
	part = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
	r = mk_run_dir_write(dir, MK_MOVED_NAME, 0644, &part, 1);
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, MOVED_PATH,
			     "cannot write: %s", strerror(-r));
	return r;
}
