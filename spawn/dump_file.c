// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A dump as a file that is complete or is not there: it grows as
 * "NAME.partial", which only root may read, and gets its name at the end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <mk/dump.h>

static int exists_error(const char *path, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_BUSY, path, "it exists");
	mk_error_hint(err, "take another name, or --force to replace it");
	return -EEXIST;
}

/* Also a link that leads nowhere is somebody's. */
static int check_free(const char *path, bool force, struct mk_error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;	/* a bad folder is found when it is opened */
	if (!force)
		return exists_error(path, err);
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return 0;
	mk_error_set(err, MK_ERR_FAILED, path, "it is no file");
	mk_error_hint(err, "to write into a pipe or a device: -o - > %s", path);
	return -EINVAL;
}

static int open_error(const char *path, int error, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, path, "cannot create it: %s",
		     strerror(error));
	return -error;
}

/* What a killed mkctl left nobody has locked. */
static int remove_stale(const char *path, const char *partial,
			struct mk_error *err)
{
	mk_autoclose int fd = open(partial, O_WRONLY | O_NOFOLLOW | O_NONBLOCK |
				   O_CLOEXEC);

	if (fd < 0)
		return open_error(path, errno, err);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		mk_error_set(err, MK_ERR_BUSY, partial,
			     "another mkctl is writing it");
		return -EBUSY;
	}
	if (unlink(partial) < 0)
		return open_error(path, errno, err);
	return 0;
}

/* Never one that is there: it might be another user's, who reads along. */
static int create(const char *path, const char *partial, int *ret_fd,
		  struct mk_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd, r;

	fd = open(partial, flags, 0600);
	if (fd < 0 && errno == EEXIST) {
		r = remove_stale(path, partial, err);
		if (r < 0)
			return r;
		fd = open(partial, flags, 0600);
	}
	if (fd < 0)
		return open_error(path, errno, err);
	/* One that looks in between takes it for stale; that is harmless. */
	(void)!flock(fd, LOCK_EX | LOCK_NB);
	*ret_fd = fd;
	return 0;
}

static int give_name(const char *partial, const char *path, bool force,
		     struct mk_error *err)
{
	int error;

	if (renameat2(AT_FDCWD, partial, AT_FDCWD, path,
		      force ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return exists_error(path, err);
	/* NFS and others do not know the flag. */
	if (errno == EINVAL && access(path, F_OK) < 0 &&
	    rename(partial, path) == 0)
		return 0;
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, path, "cannot give it its name: %s",
		     strerror(error));
	return -error;
}

int mk_dump_file(struct mk_ctx *ctx, const struct mk_instance *inst,
		 const char *path, const struct mk_dump_options *options,
		 struct mk_dump_result *ret_result, struct mk_error *err)
{
	mk_autofree char *partial = NULL;
	mk_autoclose int fd = -1;
	int r;

	if (asprintf(&partial, "%s.partial", path) < 0) {
		partial = NULL;
		mk_error_set(err, MK_ERR_FAILED, path, "out of memory");
		return -ENOMEM;
	}
	r = check_free(path, options->force, err);
	if (r == 0)
		r = create(path, partial, &fd, err);
	if (r < 0)
		return r;
	r = mk_dump_fd(ctx, inst, fd, options, ret_result, err);
	if (r == 0) {
		r = give_name(partial, path, options->force, err);
		if (r < 0)
			mk_dump_result_clear(ret_result);
	}
	if (r < 0) {
		mk_error_object(err, "%s", path);
		unlink(partial);
	}
	return r;
}
