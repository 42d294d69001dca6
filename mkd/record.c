// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must outlive mkd, but not the host's boot: /run/mkctl/mkd/NAME.json, one
 * for each instance of which an end was decided; and the lock of which only one
 * mkd gets hold.
 */
#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <syslog.h>

#include "../spawn/parse.h"
#include "../spawn/run_dir.h"
#include "mkd.h"

#define MKD_DIR		MK_RUN_DIR "/mkd"
#define RECORD_SCHEMA	"mkd.record/1"
#define RECORD_MAX	4096	/* bytes of a file */

static const char *const verdict_names[] = {
	[MKD_VERDICT_NONE]	= "none",
	[MKD_VERDICT_START]	= "start",
	[MKD_VERDICT_LEFT]	= "left",
	[MKD_VERDICT_GAVE_UP]	= "gave-up",
};

static void file_name(const char *name, char file[MK_NAME_MAX + 8])
{
	snprintf(file, MK_NAME_MAX + 8, "%s.json", name);
}

static struct json_object *to_json(const struct mkd_record *r)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "id", r->id },
		{ "created_ns", r->created_ns },
		{ "epoch", r->epoch },
		{ "tries", r->tries },
		{ "due_ns", r->due_ns },
		{ "started_epoch", r->started_epoch },
		{ "dumped_epoch", r->dumped_epoch },
	};
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "schema",
			       json_object_new_string(RECORD_SCHEMA));
	json_object_object_add(doc, "verdict",
			       json_object_new_string(
				       verdict_names[r->verdict]));
	for (size_t i = 0; i < MK_ARRAY_SIZE(numbers); i++)
		json_object_object_add(doc, numbers[i].key,
				       json_object_new_uint64(
					       numbers[i].value));
	return doc;
}

void mkd_record_save(struct mkd *m, struct mkd_watched *w)
{
	struct json_object *doc = to_json(&w->record);
	char file[MK_NAME_MAX + 8];
	struct iovec text;
	int r;

	file_name(w->record.name, file);
	text.iov_base = (char *)json_object_to_json_string_ext(doc,
						JSON_C_TO_STRING_PRETTY |
						JSON_C_TO_STRING_SPACED);
	text.iov_len = strlen(text.iov_base);
	r = mk_run_dir_write(m->dir_fd, file, 0644, &text, 1);
	json_object_put(doc);
	if (r < 0)
		mkd_say(LOG_ERR, w->record.name,
			"cannot write " MKD_DIR "/%s: %s", file, strerror(-r));
	w->saved |= r == 0;
}

static uint64_t get_u64(struct json_object *doc, const char *key)
{
	return json_object_get_uint64(json_object_object_get(doc, key));
}

static int from_json(struct json_object *doc, struct mkd_record *r)
{
	const char *schema =
		json_object_get_string(json_object_object_get(doc, "schema"));
	const char *verdict =
		json_object_get_string(json_object_object_get(doc, "verdict"));
	size_t i = 0;

	if (!schema || !verdict || strcmp(schema, RECORD_SCHEMA))
		return -EINVAL;
	while (i < MK_ARRAY_SIZE(verdict_names) &&
	       strcmp(verdict, verdict_names[i]))
		i++;
	if (i == MK_ARRAY_SIZE(verdict_names))
		return -EINVAL;
	r->verdict = (enum mkd_verdict)i;
	r->id = (uint32_t)get_u64(doc, "id");
	r->created_ns = get_u64(doc, "created_ns");
	r->epoch = (uint32_t)get_u64(doc, "epoch");
	r->tries = (unsigned int)get_u64(doc, "tries");
	r->due_ns = get_u64(doc, "due_ns");
	r->started_epoch = (uint32_t)get_u64(doc, "started_epoch");
	r->dumped_epoch = (uint32_t)get_u64(doc, "dumped_epoch");
	return 0;
}

static struct mkd_watched *add_watched(struct mkd *m)
{
	struct mkd_watched **grown;
	struct mkd_watched *w = calloc(1, sizeof(*w));

	grown = realloc(m->watched, (m->nr_watched + 1) * sizeof(*grown));
	if (grown)
		m->watched = grown;
	if (!w || !grown) {
		free(w);
		return NULL;
	}
	w->state = MK_STATE_CREATED;
	m->watched[m->nr_watched++] = w;
	return w;
}

/* One that makes no sense is as good as none: its instance is looked at anew. */
static int read_record(struct mkd *m, const char *file, size_t name_len)
{
	struct mkd_record record = { .id = 0 };
	mk_autofree char *text = NULL;
	char path[sizeof(MKD_DIR) + MK_NAME_MAX + 16];
	struct json_object *doc;
	struct mkd_watched *w;
	int r;

	snprintf(record.name, sizeof(record.name), "%.*s", (int)name_len, file);
	snprintf(path, sizeof(path), MKD_DIR "/%s.json", record.name);
	r = mk_ctx_read_text(m->ctx, path, RECORD_MAX, &text);
	if (r < 0)
		return r;
	doc = json_tokener_parse(text);
	r = json_object_is_type(doc, json_type_object) ?
	    from_json(doc, &record) : -EINVAL;
	json_object_put(doc);
	if (r < 0)
		return r;
	w = add_watched(m);
	if (!w)
		return -ENOMEM;
	w->record = record;
	w->saved = true;
	return 0;
}

static void read_records(struct mkd *m, DIR *dir)
{
	char name[MK_NAME_MAX];
	struct dirent *entry;
	const char *dot;
	int r;

	while ((entry = readdir(dir))) {
		dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".json") ||
		    dot - entry->d_name >= MK_NAME_MAX)
			continue;
		snprintf(name, sizeof(name), "%.*s",
			 (int)(dot - entry->d_name), entry->d_name);
		if (!mk_name_valid(name))
			continue;
		r = read_record(m, entry->d_name, strlen(name));
		if (r < 0)
			mkd_say(LOG_WARNING, name,
				"its record in " MKD_DIR " cannot be read and is not used: %s",
				strerror(-r));
	}
}

static int another_runs(int fd, struct mk_error *err)
{
	char pid[32] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	mk_error_set(err, MK_ERR_BUSY, MKD_DIR "/lock",
		     "another mkd is at work (pid %s)", pid[0] ? pid : "unknown");
	mk_error_hint(err, "one is enough for all instances");
	return -EBUSY;
}

static int take_lock(struct mkd *m, struct mk_error *err)
{
	mk_autoclose int fd = -1;
	char pid[32];
	int n;

	fd = openat(m->dir_fd, "lock",
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return mk_run_dir_error(err, MKD_DIR "/lock", errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return another_runs(fd, err);
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	/* Only told to people */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) != n)
		mkd_say(LOG_WARNING, NULL, "cannot write " MKD_DIR "/lock");
	m->lock_fd = TAKE_FD(fd);
	return 0;
}

int mkd_records_open(struct mkd *m, struct mk_error *err)
{
	int run = -1, copy, r;
	DIR *dir;

	r = mk_run_dir_open(m->ctx, &run, err);
	if (r < 0)
		return r;
	(void)mkdirat(run, "mkd", 0755);
	m->dir_fd = openat(run, "mkd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = m->dir_fd < 0 ? mk_run_dir_error(err, MKD_DIR, errno) : 0;
	close(run);
	if (r == 0)
		r = take_lock(m, err);
	if (r < 0)
		return r;
	copy = fcntl(m->dir_fd, F_DUPFD_CLOEXEC, 0);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		if (copy >= 0)
			close(copy);
		return mk_run_dir_error(err, MKD_DIR, errno);
	}
	read_records(m, dir);
	closedir(dir);
	return 0;
}

void mkd_records_close(struct mkd *m)
{
	for (size_t i = 0; i < m->nr_watched; i++)
		free(m->watched[i]);
	free(m->watched);
	m->watched = NULL;
	m->nr_watched = 0;
	if (m->dir_fd >= 0)
		close(m->dir_fd);
	if (m->lock_fd >= 0)
		close(m->lock_fd);
	m->dir_fd = m->lock_fd = -1;
}

struct mkd_watched *mkd_watched_find(struct mkd *m, const struct mk_get *get)
{
	const struct mkd_record *r;

	for (size_t i = 0; i < m->nr_watched; i++) {
		r = &m->watched[i]->record;
		if (r->id == get->id && r->created_ns == get->created_ns &&
		    !strcmp(r->name, get->name))
			return m->watched[i];
	}
	return NULL;
}

struct mkd_watched *mkd_watched_add(struct mkd *m, const struct mk_get *get)
{
	struct mkd_watched *w = add_watched(m);

	if (!w)
		return NULL;
	w->record.id = get->id;
	w->record.created_ns = get->created_ns;
	snprintf(w->record.name, sizeof(w->record.name), "%s", get->name);
	return w;
}

/* The file may be of a newer instance of that name already. */
static bool name_is_used(const struct mkd *m, size_t except)
{
	for (size_t i = 0; i < m->nr_watched; i++)
		if (i != except && m->watched[i]->saved &&
		    !strcmp(m->watched[i]->record.name,
			    m->watched[except]->record.name))
			return true;
	return false;
}

void mkd_watched_drop(struct mkd *m, size_t i)
{
	char file[MK_NAME_MAX + 8];

	file_name(m->watched[i]->record.name, file);
	if (m->watched[i]->saved && !name_is_used(m, i))
		unlinkat(m->dir_fd, file, 0);
	free(m->watched[i]);
	m->watched[i] = m->watched[--m->nr_watched];
}
