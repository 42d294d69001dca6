/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A JSON file, its values, and errors that name the place in it.
 *
 * json-c makes the values; json_scan finds the places.
 */
#ifndef MK_SPAWN_JSON_FILE_H
#define MK_SPAWN_JSON_FILE_H

#include <stddef.h>

#include <json-c/json.h>
#include <mk/error.h>

/**
 * struct mk_json_file - a file that was read
 * @path: borrowed from the caller
 * @text: its text, with a NUL behind it
 * @bytes: its size
 * @root: its value; NULL is JSON's null
 */
struct mk_json_file {
	const char *path;
	char *text;
	size_t bytes;
	struct json_object *root;
};

/**
 * mk_json_file_read() - read and parse a file
 * @path: the file; must outlive @ret
 * @max_bytes: what a file may have
 * @ret: for mk_json_file_clear(); written only on success
 * @err: filled on a refusal, or NULL; its code is MK_ERR_CONFIG
 *
 * Returns: 0, -EINVAL for a file that is not JSON, is nested too deep, has a
 * key twice or has \u0000 in a string, -EFBIG, -ENOMEM, or -errno of reading.
 */
int mk_json_file_read(const char *path, size_t max_bytes,
		      struct mk_json_file *ret, struct mk_error *err)
	__attribute__((warn_unused_result));

/** mk_json_file_clear() - free what is in it */
void mk_json_file_clear(struct mk_json_file *f);

/**
 * mk_json_file_refuse() - say that a value is wrong
 * @f: the file
 * @pointer: JSON pointer of the value; "" is the whole document
 * @err: filled, or NULL
 * @fmt: message, as for printf
 *
 * The object becomes "FILE:LINE: POINTER", or "FILE:LINE" for "". Control
 * characters become \xNN, in the object and in the message.
 *
 * Returns: -EINVAL, or -ENOMEM.
 */
int mk_json_file_refuse(const struct mk_json_file *f, const char *pointer,
			struct mk_error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* MK_SPAWN_JSON_FILE_H */
