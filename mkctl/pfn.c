// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands of mkctl pfn share: a share that is mapped, a file that
 * goes into one, and how a share is told.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "pfn.h"

/* The part that --offset and --length mean lies in the share. */
static int choose_part(const struct options *opts, struct pfn_open *open,
		       const char *name, struct mk_error *err)
{
	uint64_t all = open->end.bytes;
	uint64_t offset = opts->offset.given ? opts->offset.bytes : 0;
	uint64_t length;

	if (offset > all)
		return usage_error(err, name,
				   "--offset %llu is behind its end, it has %llu bytes",
				   (unsigned long long)offset,
				   (unsigned long long)all);
	length = opts->length.given ? opts->length.bytes : all - offset;
	if (length > all - offset)
		return usage_error(err, name,
				   "--length %llu goes beyond its end, there are %llu bytes from there on",
				   (unsigned long long)length,
				   (unsigned long long)(all - offset));
	open->at = open->addr + offset;
	open->bytes = length;
	return 0;
}

int pfn_open(struct app *app, const char *name, uint64_t generation,
	     uint32_t rights, struct pfn_open *ret_open, struct mk_error *err)
{
	struct pfn_open open = PFN_OPEN_NONE;
	void *addr = NULL;
	int r;

	r = mk_share_attach(app->ctx, name, generation, rights, &open.end,
			    err);
	if (r < 0)
		return r;
	r = mk_share_map(&open.end, &addr, err);
	mk_error_object(r < 0 ? err : NULL, "%s", name);
	open.addr = addr;
	if (r == 0)
		r = choose_part(&app->opts, &open, name, err);
	if (r < 0) {
		pfn_close(&open);
		return r;
	}
	*ret_open = open;
	return 0;
}

void pfn_close(struct pfn_open *open)
{
	mk_share_unmap(&open->end, open->addr);
	mk_share_close(&open->end);
	*open = (struct pfn_open)PFN_OPEN_NONE;
}

static int file_error(const char *name, const char *what, int error,
		      struct mk_error *err)
{
	mk_error_set(err, MK_ERR_CONFIG, name, "%s: %s", what,
		     strerror(error));
	return -error;
}

int pfn_file_open(const char *name, struct pfn_file *ret_file,
		  struct mk_error *err)
{
	struct pfn_file file = { .name = name, .bytes = UINT64_MAX };
	struct stat st;

	file.fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) :
				      STDIN_FILENO;
	if (file.fd < 0)
		return file_error(name, "cannot open", errno, err);
	if (fstat(file.fd, &st) == 0 && S_ISREG(st.st_mode))
		file.bytes = (uint64_t)st.st_size;
	*ret_file = file;
	return 0;
}

void pfn_file_close(struct pfn_file *file)
{
	if (file->fd > STDERR_FILENO)
		close(file->fd);
	file->fd = -1;
}

static int too_large(const struct pfn_file *file, uint64_t room,
		     struct mk_error *err)
{
	char size[MK_SIZE_TEXT_MAX];

	mk_error_set(err, MK_ERR_CONFIG, file->name,
		     "has more than the %s that there is room for",
		     mk_size_format(room, size));
	return -EFBIG;
}

/*
 * read(2) straight into a share does not work everywhere: there are no struct
 * pages behind it. So by way of a buffer.
 */
int pfn_file_read(const struct pfn_file *file, char *to, uint64_t room,
		  uint64_t *ret_bytes, struct mk_error *err)
{
	char buf[65536];
	uint64_t done = 0;
	ssize_t n;

	for (;;) {
		n = read(file->fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR && !interrupted)
			continue;
		if (n < 0)
			return file_error(file->name, "cannot read", errno,
					  err);
		if (interrupted)
			return file_error(file->name, "interrupted", EINTR,
					  err);
		if (n == 0)
			break;
		if ((uint64_t)n > room - done)
			return too_large(file, room, err);
		memcpy(to + done, buf, (size_t)n);
		done += (uint64_t)n;
	}
	*ret_bytes = done;
	return 0;
}

/*
 * Telling
 */

static struct json_object *holder_to_json(const struct mk_share_holder *holder)
{
	struct json_object *obj = json_object_new_object();
	bool later = holder->id == MK_GET_NEXT;

	json_add_string(obj, "name", holder->name);
	json_object_object_add(obj, "id", later ? NULL :
			       json_object_new_uint64(holder->id));
	json_add_bool(obj, "owner", holder->flags & MK_HOLDER_OWNER);
	json_add_string(obj, "rights", mk_rights_name(holder->rights));
	json_add_u64(obj, "attached", holder->attached);
	json_add_bool(obj, "revoked", holder->flags & MK_HOLDER_REVOKED);
	return obj;
}

static struct json_object *extents_to_json(const struct mk_share *share)
{
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	uint32_t i, node;

	for (i = 0; i < share->get.nr_extents; i++) {
		node = share->extents[i].node;
		obj = json_object_new_object();
		json_add_u64(obj, "pfn", share->extents[i].addr / 4096);
		json_add_u64(obj, "pages", share->extents[i].bytes / 4096);
		json_object_object_add(obj, "node", node == MK_NODE_ANY ?
				       NULL : json_object_new_uint64(node));
		json_object_array_add(array, obj);
	}
	return array;
}

struct json_object *pfn_to_json(const struct mk_share *share, bool pfns)
{
	const struct mk_share_get *get = &share->get;
	struct json_object *obj = json_object_new_object();
	struct json_object *holders = json_object_new_array();
	uint32_t i;

	json_add_string(obj, "name", get->name);
	json_add_u64(obj, "id", get->id);
	json_add_u64(obj, "generation", get->generation);
	json_add_string(obj, "kind", mk_share_kind_name(get->kind));
	json_add_string(obj, "state", mk_share_state_name(get->state));
	json_add_u64(obj, "bytes", get->bytes);
	json_add_u64(obj, "charged_bytes", get->charged_bytes);
	json_add_string(obj, "owner",
			get->nr_holders ? share->holders[0].name : NULL);
	for (i = 0; i < get->nr_holders; i++)
		json_object_array_add(holders,
				      holder_to_json(&share->holders[i]));
	json_object_object_add(obj, "holders", holders);
	json_add_bool(obj, "held", get->kept);
	json_add_u64(obj, "attaches", get->attaches);
	json_add_u64(obj, "refused", get->refused);
	if (pfns)
		json_object_object_add(obj, "extents", extents_to_json(share));
	return obj;
}

char *pfn_holders_text(const struct mk_share *share)
{
	const struct mk_share_holder *holder;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint32_t i;

	if (!out)
		return NULL;
	for (i = 0; i < share->get.nr_holders; i++) {
		holder = &share->holders[i];
		fprintf(out, "%s%s:%s:%u%s", i ? " " : "", holder->name,
			mk_rights_name(holder->rights), holder->attached,
			holder->flags & MK_HOLDER_REVOKED ? ":revoked" : "");
	}
	fclose(out);
	return text;
}

int pfn_done(struct app *app, const char *name, struct mk_error *err)
{
	mk_autofree char *holders = NULL;
	char size[MK_SIZE_TEXT_MAX];
	struct json_object *doc;
	struct mk_share *share;
	int r;

	r = mk_share_find(app->ctx, name, &share, err);
	if (r < 0)
		return r;
	if (app->opts.json) {
		doc = json_document(app->verb);
		json_object_object_add(doc, "share",
				       pfn_to_json(share, false));
		json_print(doc);
	} else {
		holders = pfn_holders_text(share);
		printf("%s: %s, %s, generation %llu, %s%s\n", share->get.name,
		       mk_share_state_name(share->get.state),
		       mk_size_format(share->get.bytes, size),
		       (unsigned long long)share->get.generation,
		       holders ? holders : "?",
		       share->get.kept ? ", held" : "");
	}
	mk_share_free(share);
	return 0;
}
