// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logs of earlier boots: /run/mkctl/NAME.boot-EPOCH.log.
 *
 * The kernel has the log of the last boot only, and empties it at START. So a
 * start keeps it before, in a file: one line that says whose it is, in the
 * form of a dictionary line of /dev/kmsg, then the log as the kernel gave it.
 * Id and time of creation tell an instance from a later one of the same name.
 *
 * What is in such a file was written by another kernel: it is parsed as
 * strictly as when it comes from the kernel.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot_log.h"
#include "facts.h"
#include "run_dir.h"

#define INFIX		".boot-"
#define SUFFIX		".log"
#define SUFFIX_NEW	".log.tmp"
#define TEXT_MAX	(1 << 20)	/* the kernel's ring is smaller */
#define HEAD_MAX	128

void mk_boot_log_file(const char *name, uint32_t epoch,
		      char buf[MK_BOOT_LOG_FILE_MAX])
{
	snprintf(buf, MK_BOOT_LOG_FILE_MAX, "%s" INFIX "%u" SUFFIX, name,
		 epoch);
}

/* The first line, up to the time that follows it. */
static void format_head(const struct mk_get *get, uint32_t epoch,
			char buf[HEAD_MAX])
{
	snprintf(buf, HEAD_MAX,
		 " mkctl.log/1 id=%u created_ns=%llu epoch=%u zero_ns=",
		 get->id, (unsigned long long)get->created_ns, epoch);
}

/* Digits without a sign or a zero in front: one way to write a number. */
static int parse_number(const char *s, const char *end, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (s == end || (*s == '0' && end - s > 1))
		return -EINVAL;
	for (; s < end; s++)
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*s - '0'),
					   &number))
			return -EINVAL;
	*ret_number = number;
	return 0;
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && !strcmp(s + len - n, suffix);
}

/* Takes "web.boot-3.log" apart; a name may have dots itself. */
static bool split_file(const char *file, const char *suffix,
		       char name[MK_NAME_MAX], uint32_t *ret_epoch)
{
	const char *infix = NULL, *end, *s = file;
	uint64_t epoch;

	if (!ends_with(file, suffix))
		return false;
	end = file + strlen(file) - strlen(suffix);
	while ((s = strstr(s, INFIX)))
		infix = s++;
	if (!infix || infix == file || infix - file >= MK_NAME_MAX ||
	    infix + strlen(INFIX) > end ||
	    parse_number(infix + strlen(INFIX), end, &epoch) < 0 ||
	    epoch > UINT32_MAX)
		return false;
	memcpy(name, file, (size_t)(infix - file));
	name[infix - file] = '\0';
	*ret_epoch = (uint32_t)epoch;
	return true;
}

static int open_file(struct mk_ctx *ctx, const char *file)
{
	mk_autoclose int dir = mk_ctx_open(ctx, MK_RUN_DIR,
					   O_RDONLY | O_DIRECTORY, 0);
	mk_autoclose int fd = -1;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

/* Is the file about this instance and boot? Then the text is behind its head. */
static int parse_file(const struct mk_get *get, uint32_t epoch, char *file,
		      size_t bytes, struct mk_boot_log *ret_log)
{
	const char *end = memchr(file, '\n', bytes);
	char head[HEAD_MAX];
	size_t len;

	format_head(get, epoch, head);
	len = strlen(head);
	if (!end || (size_t)(end - file) < len || memcmp(file, head, len))
		return -EINVAL;
	if (parse_number(file + len, end, &ret_log->zero_ns) < 0)
		return -EINVAL;
	ret_log->epoch = epoch;
	ret_log->file = file;
	ret_log->text = end + 1;
	ret_log->bytes = bytes - (size_t)(end + 1 - file);
	return 0;
}

static int read_error(struct mk_error *err, const char *name, uint32_t epoch,
		      int r)
{
	if (r == -ENOENT || r == -EINVAL) {
		mk_error_set(err, MK_ERR_NOT_FOUND, name,
			     "the log of boot %u is not kept", epoch);
		mk_error_hint(err, "the last %d boots before the present one are, as far as mkctl started the one after them",
			      MK_BOOT_LOGS_KEPT);
		return -ENOENT;
	}
	mk_error_set(err, MK_ERR_FAILED, name,
		     "cannot read the log of boot %u: %s", epoch,
		     strerror(-r));
	return r;
}

int mk_boot_log_read(struct mk_ctx *ctx, const struct mk_get *get,
		     uint32_t epoch, struct mk_boot_log *ret_log,
		     struct mk_error *err)
{
	char file[MK_BOOT_LOG_FILE_MAX];
	mk_autofree char *text = NULL;
	mk_autoclose int fd = -1;
	size_t bytes = 0;
	int r;

	mk_boot_log_file(get->name, epoch, file);
	fd = open_file(ctx, file);
	r = fd < 0 ? fd : mk_log_read_text(fd, HEAD_MAX + TEXT_MAX, &text,
					   &bytes);
	if (r == 0)
		r = parse_file(get, epoch, text, bytes, ret_log);
	if (r < 0)
		return read_error(err, get->name, epoch, r);
	(void)TAKE_PTR(text);
	return 0;
}

void mk_boot_log_clear(struct mk_boot_log *log)
{
	free(log->file);
	*log = (struct mk_boot_log){ 0 };
}

/* Logs may say more than everybody should read, so they are root's. */
static int write_file(int dir, const struct mk_get *get, const char *text,
		      size_t bytes)
{
	char path[MK_BOOT_LOG_FILE_MAX];
	char head[HEAD_MAX], line[HEAD_MAX + 32];
	struct iovec parts[2];

	mk_boot_log_file(get->name, get->epoch, path);
	format_head(get, get->epoch, head);
	snprintf(line, sizeof(line), "%s%llu\n", head,
		 (unsigned long long)mk_log_zero_ns(get));
	parts[0] = (struct iovec){ .iov_base = line, .iov_len = strlen(line) };
	parts[1] = (struct iovec){ .iov_base = (char *)text, .iov_len = bytes };
	return mk_run_dir_write(dir, path, 0600, parts, MK_ARRAY_SIZE(parts));
}

/*
 * Go through the files of kept logs and remove those that @drop says.
 */
struct sweep {
	struct mk_ctx *ctx;
	const char *name;
	uint32_t epoch;
	bool (*drop)(const struct sweep *sweep, const char *file);
};

static int sweep_files(const struct sweep *sweep, struct mk_error *err)
{
	struct dirent *entry;
	DIR *dir;
	int fd, r = 0;

	fd = mk_ctx_open(sweep->ctx, MK_RUN_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 :
		       mk_run_dir_error(err, MK_RUN_DIR, -fd);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		mk_error_set(err, MK_ERR_FAILED, MK_RUN_DIR, "cannot list");
		return -EIO;
	}
	while ((entry = readdir(dir))) {
		if (!sweep->drop(sweep, entry->d_name) ||
		    unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT ||
		    errno == EISDIR)	/* not ours, and in nobody's way */
			continue;
		r = -errno;
		mk_error_set(err, MK_ERR_FAILED, MK_RUN_DIR,
			     "cannot remove %s: %s", entry->d_name,
			     strerror(-r));
	}
	closedir(dir);
	return r;
}

static bool is_of_epoch(const struct sweep *sweep, const char *file)
{
	char name[MK_NAME_MAX];
	uint32_t epoch;

	return split_file(file, SUFFIX, name, &epoch) &&
	       !strcmp(name, sweep->name) && epoch == sweep->epoch;
}

int mk_boot_log_drop(struct mk_ctx *ctx, const struct mk_get *get,
		     struct mk_error *err)
{
	const struct sweep sweep = { ctx, get->name, get->epoch, is_of_epoch };

	return sweep_files(&sweep, err);
}

/* Too old, or of a boot that has not been. */
static bool is_old(const struct sweep *sweep, const char *file)
{
	char name[MK_NAME_MAX];
	uint32_t epoch;

	return split_file(file, SUFFIX, name, &epoch) &&
	       !strcmp(name, sweep->name) &&
	       (epoch > sweep->epoch ||
		sweep->epoch - epoch >= MK_BOOT_LOGS_KEPT);
}

int mk_boot_log_prune(struct mk_ctx *ctx, const struct mk_get *get,
		      struct mk_error *err)
{
	const struct sweep sweep = { ctx, get->name, get->epoch, is_old };

	return sweep_files(&sweep, err);
}

int mk_boot_log_keep(struct mk_ctx *ctx, const struct mk_get *get,
		     struct mk_error *err)
{
	mk_autofree char *text = NULL;
	mk_autoclose int dir = -1;
	mk_autoclose int log = -1;
	size_t bytes;
	int r;

	if (get->epoch == 0)
		return 0;
	r = mk_run_dir_open(ctx, &dir, err);
	if (r == 0)
		r = mk_log_open(ctx, get->id, &log, err);
	if (r < 0)
		return r;
	r = mk_log_read_text(log, TEXT_MAX, &text, &bytes);
	if (r == 0)
		r = write_file(dir, get, text, bytes);
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, get->name,
			     "the log of boot %u is lost, it cannot be kept in " MK_RUN_DIR ": %s",
			     get->epoch, strerror(-r));
	return r;
}

static bool is_of_name(const struct sweep *sweep, const char *file)
{
	char name[MK_NAME_MAX];
	uint32_t epoch;

	return (split_file(file, SUFFIX, name, &epoch) ||
		split_file(file, SUFFIX_NEW, name, &epoch)) &&
	       !strcmp(name, sweep->name);
}

int mk_boot_log_remove(struct mk_ctx *ctx, const char *name,
		       struct mk_error *err)
{
	const struct sweep sweep = { ctx, name, 0, is_of_name };

	return sweep_files(&sweep, err);
}

static bool is_of_nobody(const struct sweep *sweep, const char *file)
{
	struct mk_instance *inst = NULL;
	struct mk_boot_log log = { 0 };
	char name[MK_NAME_MAX];
	uint32_t epoch;
	int r;

	if (split_file(file, SUFFIX_NEW, name, &epoch))
		return true;	/* whoever wrote it does no longer */
	if (!split_file(file, SUFFIX, name, &epoch))
		return false;
	r = mk_instance_find(sweep->ctx, name, &inst, NULL);
	if (r == 0)
		r = mk_boot_log_read(sweep->ctx, &inst->get, epoch, &log,
				     NULL);
	mk_boot_log_clear(&log);
	mk_instance_free(inst);
	return r == -ENOENT;
}

int mk_boot_log_repair(struct mk_ctx *ctx, struct mk_error *err)
{
	const struct sweep sweep = { ctx, NULL, 0, is_of_nobody };

	return sweep_files(&sweep, err);
}
