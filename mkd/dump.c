// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps of instances that were killed because they hung: DIR/NAME.bootN.TIME.
 * Only the newest of an instance are kept, so that one that hangs again and
 * again does not fill the disk.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#include <mk/dump.h>

#include "mkd.h"

#define SUFFIX	".vmcore"

/* mkdir -p; what cannot be made is said when a file in it cannot. */
static void make_dirs(const char *path)
{
	char part[PATH_MAX];
	char *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(part, 0755);
		*slash = '/';
	}
	/* It is memory of another machine's user space. */
	(void)mkdir(part, 0700);
}

/* "web.20260101T120000.boot2.vmcore": names sort by age */
static void dump_path(const struct mkd *m, const struct mk_get *get,
		      char path[PATH_MAX])
{
	time_t now = time(NULL);
	char when[32] = "0";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	snprintf(path, PATH_MAX, "%s/%s.%s.boot%u" SUFFIX, m->dumps, get->name,
		 when, get->epoch);
}

/* A name may have dots in it: what follows has to be a time and a boot. */
static bool is_dump_of(const char *file, const char *name)
{
	size_t len = strlen(name);
	unsigned int boot;
	int n = 0;

	if (strncmp(file, name, len))
		return false;
	return sscanf(file + len, ".%*8[0-9]T%*6[0-9].boot%u" SUFFIX "%n", &boot,
		      &n) == 1 && n && !file[len + (size_t)n];
}

static int by_age(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void prune(const struct mkd *m, const char *name)
{
	mk_autoclose int dir = open(m->dumps, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **list;
	int nr, nr_dumps = 0;

	nr = dir < 0 || !m->dumps_kept ? -1 :
	     scandirat(dir, ".", &list, NULL, by_age);
	for (int i = 0; i < nr; i++)
		nr_dumps += is_dump_of(list[i]->d_name, name);
	for (int i = 0; i < nr; i++) {
		if (is_dump_of(list[i]->d_name, name) &&
		    nr_dumps > (int)m->dumps_kept) {
			nr_dumps--;
			mkd_say(LOG_INFO, name, "%s/%s: removed, %u newer ones are kept",
				m->dumps, list[i]->d_name, m->dumps_kept);
			unlinkat(dir, list[i]->d_name, 0);
		}
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
}

static void note(void *arg, const char *text)
{
	const struct mkd_watched *w = arg;

	mkd_say(LOG_INFO, w->record.name, "dump: %s", text);
}

void mkd_dump(struct mkd *m, struct mkd_watched *w,
	      const struct mk_instance *inst)
{
	const struct mk_dump_options options = {
		.cancel = m->stop,
		.note = note,
		.note_arg = w,
	};
	struct mk_error err = MK_ERROR_INIT;
	struct mk_dump_result result;
	char path[PATH_MAX];
	int r;

	make_dirs(m->dumps);
	dump_path(m, &inst->get, path);
	r = mk_dump_file(m->ctx, inst, path, &options, &result, &err);
	if (r == -EINTR)
		return;		/* the next mkd does it */
	if (r < 0) {
		/* Without a dump it is better than not at all. */
		mkd_say_error(w->record.name, "no dump", &err);
	} else {
		mkd_say(LOG_NOTICE, w->record.name,
			"dumped into %s, %llu KiB, registers of %zu of %zu CPUs",
			path, (unsigned long long)result.data_bytes >> 10,
			result.nr_saved, result.nr_cpus);
		mk_dump_result_clear(&result);
		prune(m, w->record.name);
	}
	w->record.dumped_epoch = inst->get.epoch;
	mkd_record_save(m, w);
}
