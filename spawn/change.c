// SPDX-License-Identifier: GPL-2.0-only
/*
 * One change at a time: the lock, and the repair of what a killed mkctl left.
 *
 * flock(2) goes away with its holder, however that dies. Whoever holds it may
 * therefore take every "pending" state file for a leftover.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "boot_log.h"
#include "facts.h"
#include "run_dir.h"
#include "shares.h"
#include "vacate.h"

#define LOCK_PATH	MK_RUN_DIR "/lock"
#define LOCK_RETRY_NS	50000000	/* flock(2) has no timeout */

static void write_holder(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* Only told to people; without it the lock holds as well. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return;
}

static int lock_busy(int fd, struct mk_error *err)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strspn(text, "0123456789")] = '\0';
	mk_error_set(err, MK_ERR_BUSY, LOCK_PATH,
		     "another mkctl is changing instances (pid %s)",
		     text[0] ? text : "unknown");
	mk_error_hint(err, "try again when it is done");
	return -EBUSY;
}

static int lock_wait(int fd, unsigned int timeout_ms, struct mk_error *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_RETRY_NS };
	uint64_t end_ns = mk_now_ns() + (uint64_t)timeout_ms * 1000000;
	int error;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error = errno;
		if (error == EINTR)
			continue;
		if (error != EWOULDBLOCK) {
			mk_error_set(err, MK_ERR_FAILED, LOCK_PATH,
				     "cannot lock: %s", strerror(error));
			return -error;
		}
		if (mk_now_ns() >= end_ns)
			return lock_busy(fd, err);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int lock_take(struct mk_ctx *ctx, int *ret_fd, struct mk_error *err)
{
	mk_autoclose int dir = -1;
	mk_autoclose int fd = -1;
	int r;

	r = mk_run_dir_open(ctx, &dir, err);
	if (r < 0)
		return r;
	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	if (fd < 0)
		return mk_run_dir_error(err, LOCK_PATH, errno);
	r = lock_wait(fd, MK_LOCK_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	write_holder(fd);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* What they speak of is gone; so are the shares that it asked for, then. */
static int forget(struct mk_ctx *ctx, const char *name, struct mk_error *err)
{
	struct mk_facts *facts;
	int r = 0;

	if (mk_facts_read(ctx, name, &facts) == 0) {
		r = mk_shares_forget(ctx, facts, err);
		mk_facts_free(facts);
	}
	return r < 0 ? r : mk_facts_remove(ctx, name, err);
}

/* Its spawn was killed before it ran: nobody waits for it any more. */
static int remove_leftover(struct mk_ctx *ctx, const struct mk_get *get,
			   struct mk_error *err)
{
	int r = 0;

	if (get->state == MK_STATE_STARTING)
		r = mk_instance_kill(ctx, get->id, MK_CAUSE_KILL, err);
	if (r == 0)
		r = mk_instance_destroy(ctx, get->id, err);
	if (r == 0)
		r = forget(ctx, get->name, err);
	if (r < 0)
		mk_error_object(err, "%s (left by a killed mkctl)", get->name);
	return r;
}

static bool never_ran(uint32_t state)
{
	return state == MK_STATE_CREATED || state == MK_STATE_LOADED ||
	       state == MK_STATE_STARTING;
}

/* It came up although its mkctl was killed: it is as good as any. */
static int adopt(struct mk_ctx *ctx, struct mk_facts *facts,
		 const struct mk_get *get, struct mk_error *err)
{
	facts->pending = false;
	facts->id = get->id;
	facts->created_ns = get->created_ns;
	return mk_facts_write(ctx, facts, err);
}

static int repair_one(struct mk_ctx *ctx, const char *name,
		      struct mk_error *err)
{
	struct mk_instance *inst = NULL;
	struct mk_facts *facts = NULL;
	int r;

	r = mk_instance_find(ctx, name, &inst, err);
	if (r == -ENOENT)
		return forget(ctx, name, err);
	if (r < 0)
		return r;
	r = mk_facts_find(ctx, &inst->get, &facts);
	if (r == -ENOENT || r == -EINVAL)	/* of another, or no sense */
		r = forget(ctx, name, err);
	else if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, MK_RUN_DIR,
			     "cannot read %s.json: %s", name, strerror(-r));
	else if (facts->pending && never_ran(inst->get.state))
		r = remove_leftover(ctx, &inst->get, err);
	else if (facts->pending)
		r = adopt(ctx, facts, &inst->get, err);
	mk_facts_free(facts);
	mk_instance_free(inst);
	return r;
}

/* Cuts ".json" off. False for a file of another kind. */
static bool name_from_file(const char *file, char name[MK_NAME_MAX])
{
	const char *dot = strrchr(file, '.');

	if (!dot || strcmp(dot, ".json") || dot - file >= MK_NAME_MAX)
		return false;
	memcpy(name, file, (size_t)(dot - file));
	name[dot - file] = '\0';
	return name[0] != '\0';
}

int mk_facts_repair(struct mk_ctx *ctx, struct mk_error *err)
{
	char name[MK_NAME_MAX];
	struct dirent *entry;
	DIR *dir;
	int fd;
	int r;

	r = mk_run_dir_open(ctx, &fd, err);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		mk_error_set(err, MK_ERR_FAILED, MK_RUN_DIR, "cannot list: %s",
			     strerror(-r));
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (name_from_file(entry->d_name, name))
			r = repair_one(ctx, name, err);
	closedir(dir);
	if (r == 0)
		r = mk_boot_log_repair(ctx, err);
	if (r == 0 && err)
		*err = (struct mk_error)MK_ERROR_INIT;
	return r;
}

int mk_change_begin(struct mk_ctx *ctx, struct mk_change *ret_change,
		    struct mk_error *err)
{
	mk_autoclose int fd = -1;
	struct mk_info info;
	int r;

	/* Before the folder is made: elsewhere there is nothing to lock. */
	r = mk_info_get_host(ctx, &info, err);
	if (r < 0)
		return r;
	r = lock_take(ctx, &fd, err);
	if (r < 0)
		return r;
	r = mk_facts_repair(ctx, err);
	if (r == 0)
		r = mk_vacate_settle(ctx, err);
	if (r < 0)
		return r;
	ret_change->lock_fd = TAKE_FD(fd);
	return 0;
}

void mk_change_end(struct mk_change *change)
{
	if (change->lock_fd >= 0)
		close(change->lock_fd);
	change->lock_fd = -1;
}
