/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small JSON scanner for what json-c cannot say: where a value stands, and
 * whether an object has a key twice.
 *
 * It makes no values; json-c does. It holds to RFC 8259 more strictly than
 * json-c's strict mode, which lets pass keys in single quotes, NaN, bare
 * control characters, and a \u0000 that cuts a key short.
 */
#ifndef MK_SPAWN_JSON_SCAN_H
#define MK_SPAWN_JSON_SCAN_H

#include <stddef.h>

#define MK_JSON_DEPTH_MAX	16	/* nested objects and arrays */

/** struct mk_json_pos - a place in the text; both count from 1 */
struct mk_json_pos {
	size_t line;
	size_t column;		/* in characters */
};

/** enum mk_json_kind - what is wrong with a text */
enum mk_json_kind {
	MK_JSON_SYNTAX,
	MK_JSON_TOO_DEEP,	/* more than MK_JSON_DEPTH_MAX */
	MK_JSON_DUPLICATE,	/* an object has a key twice */
	MK_JSON_NUL,		/* \u0000 in a string */
};

/**
 * struct mk_json_fault - the first thing that is wrong
 * @kind: enum mk_json_kind
 * @pos: where; of the second key for MK_JSON_DUPLICATE
 * @first: of the first key, for MK_JSON_DUPLICATE
 * @expected: for MK_JSON_SYNTAX, in words; a constant
 * @found: what is there instead: "'x'" or "the end of the file"
 * @pointer: JSON pointer of the value it is in or is about; the caller frees
 */
struct mk_json_fault {
	enum mk_json_kind kind;
	struct mk_json_pos pos;
	struct mk_json_pos first;
	const char *expected;
	char found[24];
	char *pointer;
};

/**
 * mk_json_check() - find the first fault of a text
 * @text: UTF-8; see mk_json_utf8_end()
 * @bytes: its size
 * @ret_fault: written only with -EINVAL
 *
 * Returns: 0, -EINVAL for a fault, -ENOMEM.
 */
int mk_json_check(const char *text, size_t bytes,
		  struct mk_json_fault *ret_fault)
	__attribute__((warn_unused_result));

/**
 * mk_json_find() - where the value at a JSON pointer begins
 * @text: as for mk_json_check(); what follows the value is not looked at
 * @bytes: its size
 * @pointer: RFC 6901; "" is the whole document
 * @ret_pos: written only on success
 *
 * Returns: 0, -ENOENT, -EINVAL for a fault on the way, -ENOMEM.
 */
int mk_json_find(const char *text, size_t bytes, const char *pointer,
		 struct mk_json_pos *ret_pos)
	__attribute__((warn_unused_result));

/** mk_json_pos_at() - line and column of the byte at an offset */
struct mk_json_pos mk_json_pos_at(const char *text, size_t offset);

/**
 * mk_json_utf8_end() - how much of a text is UTF-8
 *
 * Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Returns: the offset of the first byte that is not, or @bytes.
 */
size_t mk_json_utf8_end(const char *text, size_t bytes);

/**
 * mk_json_pointer_key() - a key as one step of a JSON pointer
 *
 * Returns: "/" and the key with ~ and / escaped; the caller frees. NULL when
 * memory is out.
 */
char *mk_json_pointer_key(const char *key);

#endif /* MK_SPAWN_JSON_SCAN_H */
