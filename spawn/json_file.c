// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a JSON file: the bytes, then our scanner for what json-c passes over,
 * then json-c for the values.
 *
 * A place is found by scanning the text again when there is something to say
 * about it, so nothing is remembered while all is well.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mk/libmk.h>

#include "json_file.h"
#include "json_scan.h"

#define OBJECT_SIZE	sizeof(((struct mk_error *)NULL)->object)
#define MESSAGE_SIZE	sizeof(((struct mk_error *)NULL)->message)

static void cleanup_file(struct mk_json_file *f)
{
	mk_json_file_clear(f);
}

static int out_of_memory(const struct mk_json_file *f, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, f->path, "out of memory");
	return -ENOMEM;
}

/* Of a path that is too long the end matters, of the rest the beginning. */
static void write_object(char *dst, const char *path, const char *where)
{
	char shown[OBJECT_SIZE / 2];
	size_t path_len = strlen(path);
	size_t room;

	mk_text_visible(shown, sizeof(shown), where, strlen(where));
	room = OBJECT_SIZE - 1 - strlen(shown);
	if (path_len <= room)
		snprintf(dst, OBJECT_SIZE, "%s%s", path, shown);
	else
		snprintf(dst, OBJECT_SIZE, "...%s%s",
			 path + path_len - (room - 3), shown);
}

/* @where goes behind the path in the object. */
static int refuse_args(const struct mk_json_file *f, const char *where,
		       struct mk_error *err, const char *fmt, va_list args)
{
	char message[MESSAGE_SIZE], visible[MESSAGE_SIZE];
	char object[OBJECT_SIZE];

	write_object(object, f->path, where);
	vsnprintf(message, sizeof(message), fmt, args);
	mk_text_visible(visible, sizeof(visible), message, strlen(message));
	mk_error_set(err, MK_ERR_CONFIG, object, "%s", visible);
	return -EINVAL;
}

__attribute__((format(printf, 4, 5)))
static int refuse(const struct mk_json_file *f, const char *where,
		  struct mk_error *err, const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = refuse_args(f, where, err, fmt, args);
	va_end(args);
	return rc;
}

/* ":LINE: POINTER"; the caller frees. NULL when memory is out. */
static char *make_where(struct mk_json_pos pos, const char *pointer)
{
	char *where;

	if (asprintf(&where, ":%zu%s%s", pos.line, *pointer ? ": " : "",
		     pointer) < 0)
		return NULL;
	return where;
}

int mk_json_file_refuse(const struct mk_json_file *f, const char *pointer,
			struct mk_error *err, const char *fmt, ...)
{
	mk_autofree char *where = NULL;
	struct mk_json_pos pos;
	va_list args;
	int rc;

	/* What json-c has read the scanner finds, unless memory is out. */
	if (!mk_json_find(f->text, f->bytes, pointer, &pos))
		where = make_where(pos, pointer);
	if (!where)
		return out_of_memory(f, err);
	va_start(args, fmt);
	rc = refuse_args(f, where, err, fmt, args);
	va_end(args);
	return rc;
}

static int refuse_syntax(const struct mk_json_file *f, struct mk_json_pos pos,
			 struct mk_error *err, const char *what)
{
	char where[64];

	snprintf(where, sizeof(where), ":%zu:%zu", pos.line, pos.column);
	return refuse(f, where, err, "not JSON: %s", what);
}

static int refuse_byte(const struct mk_json_file *f, size_t at,
		       struct mk_error *err, const char *what)
{
	return refuse_syntax(f, mk_json_pos_at(f->text, at), err, what);
}

static int unreadable(const struct mk_json_file *f, int errnum,
		      struct mk_error *err)
{
	refuse(f, "", err, "cannot read the file: %s", strerror(errnum));
	return -errnum;
}

static int too_large(const struct mk_json_file *f, size_t max_bytes,
		     struct mk_error *err)
{
	refuse(f, "", err, "the file is larger than %zu KiB", max_bytes >> 10);
	return -EFBIG;
}

/* Reads one byte beyond the limit, to see whether there is one. */
static int read_fd(struct mk_json_file *f, int fd, size_t max_bytes,
		   struct mk_error *err)
{
	ssize_t n;

	do {
		n = read(fd, f->text + f->bytes, max_bytes + 1 - f->bytes);
		if (n < 0 && errno != EINTR)
			return unreadable(f, errno, err);
		if (n > 0)
			f->bytes += (size_t)n;
	} while (n && f->bytes <= max_bytes);
	if (f->bytes > max_bytes)
		return too_large(f, max_bytes, err);
	f->text[f->bytes] = '\0';
	return 0;
}

static int read_text(struct mk_json_file *f, size_t max_bytes,
		     struct mk_error *err)
{
	mk_autoclose int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return unreadable(f, errno, err);
	f->text = malloc(max_bytes + 2);
	if (!f->text)
		return out_of_memory(f, err);
	return read_fd(f, fd, max_bytes, err);
}

static int check_bytes(const struct mk_json_file *f, struct mk_error *err)
{
	size_t end = mk_json_utf8_end(f->text, f->bytes);
	const char *nul = memchr(f->text, '\0', end);
	int rc;

	if (nul)
		return refuse_byte(f, (size_t)(nul - f->text), err,
				   "a NUL byte");
	if (end < f->bytes)
		return refuse_byte(f, end, err, "a byte that is not UTF-8");
	if (strncmp(f->text, "\xef\xbb\xbf", 3))
		return 0;
	rc = refuse_byte(f, 0, err, "a byte order mark");
	mk_error_hint(err, "save the file as UTF-8 without it");
	return rc;
}

static int refuse_fault(const struct mk_json_file *f,
			const struct mk_json_fault *fault,
			struct mk_error *err)
{
	mk_autofree char *where = make_where(fault->pos, fault->pointer);
	char what[128];

	if (!where)
		return out_of_memory(f, err);
	switch (fault->kind) {
	case MK_JSON_DUPLICATE:
		return refuse(f, where, err,
			      "the key is there twice, first on line %zu",
			      fault->first.line);
	case MK_JSON_NUL:
		return refuse(f, where, err, "\\u0000 in a string");
	case MK_JSON_TOO_DEEP:
		return refuse(f, where, err, "nested more than %d deep",
			      MK_JSON_DEPTH_MAX);
	case MK_JSON_SYNTAX:
		break;
	}
	snprintf(what, sizeof(what), "expected %s, found %s", fault->expected,
		 fault->found);
	return refuse_syntax(f, fault->pos, err, what);
}

static int check_text(const struct mk_json_file *f, struct mk_error *err)
{
	struct mk_json_fault fault = { 0 };
	int rc = mk_json_check(f->text, f->bytes, &fault);

	if (rc == -ENOMEM)
		return out_of_memory(f, err);
	if (rc)
		rc = refuse_fault(f, &fault, err);
	free(fault.pointer);
	return rc;
}

/* The NUL behind the text tells json-c that there is no more. */
static int parse_text(struct mk_json_file *f, struct mk_error *err)
{
	/* json-c counts the level of the scalars, too. */
	struct json_tokener *tok = json_tokener_new_ex(MK_JSON_DEPTH_MAX + 1);
	enum json_tokener_error error;
	size_t end;

	if (!tok)
		return out_of_memory(f, err);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	f->root = json_tokener_parse_ex(tok, f->text, (int)f->bytes + 1);
	error = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (error == json_tokener_success)
		return 0;
	return refuse_byte(f, end, err, json_tokener_error_desc(error));
}

int mk_json_file_read(const char *path, size_t max_bytes,
		      struct mk_json_file *ret, struct mk_error *err)
{
	__attribute__((cleanup(cleanup_file)))
	struct mk_json_file f = { .path = path };
	int rc = read_text(&f, max_bytes, err);

	if (!rc)
		rc = check_bytes(&f, err);
	if (!rc)
		rc = check_text(&f, err);
	if (!rc)
		rc = parse_text(&f, err);
	if (rc)
		return rc;
	*ret = f;
	f = (struct mk_json_file){ 0 };
	return 0;
}

void mk_json_file_clear(struct mk_json_file *f)
{
	json_object_put(f->root);
	free(f->text);
	f->root = NULL;
	f->text = NULL;
}
