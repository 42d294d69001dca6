// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the host has its cpusets, and going through them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cpusets.h"

#define MOUNTS_PATH	"/proc/self/mounts"
#define MOUNTS_MAX	(1 << 20)	/* bytes */
#define FILE_MAX	32768		/* bytes of a list of CPUs */
#define DEPTH_MAX	32		/* nested cpusets */
#define LIB_MOUNT	"/dev/cpuset"	/* the only place libcpuset knows */

bool mk_cpuset_file(const struct mk_cpusets *sets, const char *path,
		    const char *file, char buf[PATH_MAX])
{
	return (size_t)snprintf(buf, PATH_MAX, "%s%s/%s%s", sets->mount, path,
				sets->prefix, file) < PATH_MAX;
}

int mk_cpuset_file_read(const struct mk_cpusets *sets, const char *path,
			const char *file, char **ret_text)
{
	char full[PATH_MAX];

	if (!mk_cpuset_file(sets, path, file, full))
		return -ENAMETOOLONG;
	return mk_ctx_read_text(sets->ctx, full, FILE_MAX, ret_text);
}

int mk_cpuset_file_write(const struct mk_cpusets *sets, const char *path,
			 const char *file, const char *text)
{
	char full[PATH_MAX];

	if (!mk_cpuset_file(sets, path, file, full))
		return -ENAMETOOLONG;
	return mk_write_text(sets->ctx, full, text);
}

/* Is @option one of those between the commas? */
static bool has_option(const char *options, const char *option)
{
	size_t len = strlen(option);
	const char *p = options;

	while ((p = strstr(p, option))) {
		if ((p == options || p[-1] == ',' || p[-1] == ' ') &&
		    (!p[len] || p[len] == ',' || p[len] == ' '))
			return true;
		p += len;
	}
	return false;
}

/* In /proc/mounts blanks and the like are \ooo. */
static bool decode_mount(const char *text, char *buf, size_t size)
{
	size_t n = 0;
	unsigned int c;

	for (; *text; text++) {
		if (n + 1 >= size)
			return false;
		c = (unsigned char)*text;
		if (c == '\\') {
			if (sscanf(text + 1, "%3o", &c) != 1 || c > 255)
				return false;
			text += 3;
		}
		buf[n++] = (char)c;
	}
	buf[n] = '\0';
	return n > 0;
}

/* libcpuset knows no other root than the real one. */
static bool is_real_root(struct mk_ctx *ctx)
{
	struct stat ours, real;

	return fstat(mk_ctx_dirfd(ctx), &ours) == 0 && stat("/", &real) == 0 &&
	       ours.st_dev == real.st_dev && ours.st_ino == real.st_ino;
}

static enum mk_cpusets_kind kind_of_mount(struct mk_ctx *ctx, const char *type,
					  const char *mount,
					  const char *options)
{
	if (!strcmp(type, "cgroup2"))
		return MK_CPUSETS_V2;
	if (strcmp(type, "cgroup") || !has_option(options, "cpuset"))
		return MK_CPUSETS_NONE;
	if (has_option(options, "noprefix") && !strcmp(mount, LIB_MOUNT) &&
	    is_real_root(ctx))
		return MK_CPUSETS_LIB;
	return MK_CPUSETS_V1;
}

/* What is better found comes first in the enum, except none. */
static bool is_better(enum mk_cpusets_kind kind, enum mk_cpusets_kind than)
{
	return kind != MK_CPUSETS_NONE &&
	       (than == MK_CPUSETS_NONE || kind < than);
}

static void look_at_mount(struct mk_cpusets *sets, char *line)
{
	char *save = NULL;
	char *device = strtok_r(line, " ", &save);
	char *where = strtok_r(NULL, " ", &save);
	char *type = strtok_r(NULL, " ", &save);
	char *options = strtok_r(NULL, " ", &save);
	char mount[sizeof(sets->mount)];
	enum mk_cpusets_kind kind;

	if (!device || !options || !decode_mount(where, mount, sizeof(mount)))
		return;
	kind = kind_of_mount(sets->ctx, type, mount, options);
	if (!is_better(kind, sets->kind))
		return;
	sets->kind = kind;
	sets->prefix = has_option(options, "noprefix") ? "" : "cpuset.";
	snprintf(sets->mount, sizeof(sets->mount), "%s", mount);
}

/* Below the root of cgroup v2 there are cpusets only if it says so. */
static bool v2_enabled(const struct mk_cpusets *sets)
{
	mk_autofree char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", sets->mount);
	return mk_ctx_read_text(sets->ctx, path, 512, &text) == 0 &&
	       has_option(text, "cpuset");
}

int mk_cpusets_find(struct mk_ctx *ctx, struct mk_cpusets *ret_sets,
		    struct mk_error *err)
{
	struct mk_cpusets sets = { .ctx = ctx };
	mk_autofree char *text = NULL;
	char *line, *save = NULL;
	int r;

	r = mk_ctx_read_text(ctx, MOUNTS_PATH, MOUNTS_MAX, &text);
	if (r < 0 && r != -ENOENT) {
		mk_error_set(err, MK_ERR_FAILED, MOUNTS_PATH, "cannot read: %s",
			     strerror(-r));
		return r;
	}
	if (r == 0)
		for (line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			look_at_mount(&sets, line);
	if (sets.kind == MK_CPUSETS_V2 && !v2_enabled(&sets))
		sets.kind = MK_CPUSETS_NONE;
	*ret_sets = sets;
	return 0;
}

static int walk_folder(const struct mk_cpusets *sets, const char *path,
		       int depth, int (*fn)(void *arg, const char *path),
		       void *arg);

/* A cgroup without these files has no cpuset, nor has anything below it. */
static int walk_child(const struct mk_cpusets *sets, const char *path,
		      int depth, int (*fn)(void *arg, const char *path),
		      void *arg)
{
	char file[PATH_MAX];
	int r;

	if (!mk_cpuset_file(sets, path, "cpus", file) ||
	    faccessat(mk_ctx_dirfd(sets->ctx), mk_ctx_relative(file), F_OK,
		      0) < 0)
		return 0;
	r = fn(arg, path);
	return r ? r : walk_folder(sets, path, depth + 1, fn, arg);
}

static int walk_folder(const struct mk_cpusets *sets, const char *path,
		       int depth, int (*fn)(void *arg, const char *path),
		       void *arg)
{
	char buf[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int fd;
	int r = 0;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	snprintf(buf, sizeof(buf), "%s%s", sets->mount, path);
	fd = mk_ctx_open(sets->ctx, buf, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(buf, sizeof(buf), "%s/%s", path,
				     entry->d_name) >= sizeof(buf))
			r = -ENAMETOOLONG;
		else
			r = walk_child(sets, buf, depth, fn, arg);
	}
	closedir(dir);
	return r;
}

int mk_cpusets_walk(const struct mk_cpusets *sets,
		    int (*fn)(void *arg, const char *path), void *arg)
{
	return walk_folder(sets, "", 0, fn, arg);
}
