// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON scanner: recursive descent over the text, with the JSON pointer of
 * the present value kept beside it.
 *
 * A key is unescaped straight into the pointer, as a step of it. Two keys are
 * the same exactly when their steps are, so duplicates are found there too.
 *
 * Inside, functions return 0, -errno, or STOP when the wanted value is found.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <mk/libmk.h>

#include "json_scan.h"

#define STOP		1
#define REPLACEMENT	0xfffd	/* for half a pair, as json-c has it */

struct scan {
	const char *text;
	size_t bytes;
	size_t at;
	unsigned int depth;

	char *path;		/* JSON pointer of the present value */
	size_t path_len;
	size_t path_size;

	const char *want;	/* pointer looked for, or NULL to check */
	size_t found;		/* its offset, with STOP */
	struct mk_json_fault *fault;	/* NULL when looking for a value */
};

static int value(struct scan *s);

struct mk_json_pos mk_json_pos_at(const char *text, size_t offset)
{
	struct mk_json_pos pos = { .line = 1, .column = 1 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			pos.line++;
			pos.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			pos.column++;
		}
	}
	return pos;
}

static int fault(struct scan *s, enum mk_json_kind kind, size_t at)
{
	if (!s->fault)
		return -EINVAL;

	s->fault->pointer = strdup(s->path);
	if (!s->fault->pointer)
		return -ENOMEM;
	s->fault->kind = kind;
	s->fault->pos = mk_json_pos_at(s->text, at);
	return -EINVAL;
}

static void describe(const struct scan *s, char *buf, size_t size)
{
	size_t n = 1;

	if (s->at == s->bytes) {
		snprintf(buf, size, "the end of the file");
		return;
	}
	while (s->at + n < s->bytes && (s->text[s->at + n] & 0xc0) == 0x80 &&
	       n < 4)
		n++;
	snprintf(buf, size, "'%.*s'", (int)n, s->text + s->at);
}

static int syntax(struct scan *s, const char *expected)
{
	if (s->fault) {
		s->fault->expected = expected;
		describe(s, s->fault->found, sizeof(s->fault->found));
	}
	return fault(s, MK_JSON_SYNTAX, s->at);
}

/* The present character; -1 at the end. */
static int peek(const struct scan *s)
{
	return s->at < s->bytes ? (unsigned char)s->text[s->at] : -1;
}

static bool accept(struct scan *s, int c)
{
	if (peek(s) != c)
		return false;
	s->at++;
	return true;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->bytes && s->text[s->at] &&
	       strchr(" \t\r\n", s->text[s->at]))
		s->at++;
}

static int path_reserve(struct scan *s, size_t more)
{
	size_t need = s->path_len + more + 1;
	size_t size = s->path_size ? s->path_size : 64;
	char *path;

	if (need <= s->path_size)
		return 0;
	while (size < need)
		size *= 2;
	path = realloc(s->path, size);
	if (!path)
		return -ENOMEM;
	s->path = path;
	s->path_size = size;
	return 0;
}

static int path_add(struct scan *s, const char *bytes, size_t n)
{
	int rc = path_reserve(s, n);

	if (rc)
		return rc;
	memcpy(s->path + s->path_len, bytes, n);
	s->path_len += n;
	s->path[s->path_len] = '\0';
	return 0;
}

static void path_cut(struct scan *s, size_t len)
{
	s->path_len = len;
	s->path[len] = '\0';
}

static int path_add_escaped(struct scan *s, char c)
{
	if (c == '~')
		return path_add(s, "~0", 2);
	if (c == '/')
		return path_add(s, "~1", 2);
	return path_add(s, &c, 1);
}

static int path_add_codepoint(struct scan *s, uint32_t cp)
{
	char u[4];

	if (cp < 0x80)
		return path_add_escaped(s, (char)cp);
	if (cp < 0x800) {
		u[0] = (char)(0xc0 | cp >> 6);
		u[1] = (char)(0x80 | (cp & 0x3f));
		return path_add(s, u, 2);
	}
	if (cp < 0x10000) {
		u[0] = (char)(0xe0 | cp >> 12);
		u[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		u[2] = (char)(0x80 | (cp & 0x3f));
		return path_add(s, u, 3);
	}
	u[0] = (char)(0xf0 | cp >> 18);
	u[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	u[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	u[3] = (char)(0x80 | (cp & 0x3f));
	return path_add(s, u, 4);
}

/* Reads the XXXX of \uXXXX at an offset; -1 when it is not one. */
static int32_t hex4(const struct scan *s, size_t at)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int32_t v = 0;

	if (s->bytes - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		const char *d = s->text[i] ? strchr(digits, s->text[i]) : NULL;

		if (!d)
			return -1;
		v = v << 4 | (int32_t)((d - digits) & 15);
	}
	return v;
}

/* Takes the second half of a surrogate pair, if that is what follows. */
static uint32_t surrogate(struct scan *s, uint32_t high)
{
	int32_t low;

	if (high >= 0xdc00 || s->bytes - s->at < 6 ||
	    s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
		return REPLACEMENT;
	low = hex4(s, s->at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	s->at += 6;
	return 0x10000 + ((high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
}

/* A key that is not finished is no step: the fault is its object's. */
static int nul_escape(struct scan *s, bool key)
{
	if (key)
		path_cut(s, (size_t)(strrchr(s->path, '/') - s->path));
	return fault(s, MK_JSON_NUL, s->at - 2);
}

/* At the character after "\u". */
static int unicode_escape(struct scan *s, bool key)
{
	int32_t unit = hex4(s, s->at);
	uint32_t cp = (uint32_t)unit;

	if (unit < 0)
		return syntax(s, "four hex digits after \\u");
	if (!cp)
		return nul_escape(s, key);
	s->at += 4;
	if (cp >= 0xd800 && cp <= 0xdfff)
		cp = surrogate(s, cp);
	return key ? path_add_codepoint(s, cp) : 0;
}

/* At the character after the backslash. */
static int escape(struct scan *s, bool key)
{
	static const char names[] = "\"\\/bfnrt";
	static const char means[] = "\"\\/\b\f\n\r\t";
	int c = peek(s);
	const char *name = c > 0 ? strchr(names, c) : NULL;

	if (accept(s, 'u'))
		return unicode_escape(s, key);
	if (!name)
		return syntax(s, "one of \" \\ / b f n r t u after \\");
	s->at++;
	return key ? path_add_escaped(s, means[name - names]) : 0;
}

/* A string; @key: append what it says to the path. */
static int string(struct scan *s, bool key)
{
	int c, rc = 0;

	if (!accept(s, '"'))
		return syntax(s, key ? "a key in double quotes" : "a string");
	while (!rc) {
		c = peek(s);
		if (c < 0)
			return syntax(s, "a \" at the end of the string");
		if (c < 0x20)
			return syntax(s, "an escape (\\n, \\u001b) instead of a control character");
		s->at++;
		if (c == '"')
			return 0;
		if (c == '\\')
			rc = escape(s, key);
		else if (key)
			rc = path_add_escaped(s, (char)c);
	}
	return rc;
}

static int literal(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->bytes - s->at < n || memcmp(s->text + s->at, word, n))
		return syntax(s, "a value");
	s->at += n;
	return 0;
}

static int digits(struct scan *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > from ? 0 : syntax(s, "a digit");
}

static int number(struct scan *s)
{
	int rc = 0;

	accept(s, '-');
	if (!accept(s, '0'))
		rc = digits(s);
	if (!rc && accept(s, '.'))
		rc = digits(s);
	if (!rc && (accept(s, 'e') || accept(s, 'E'))) {
		if (!accept(s, '+'))
			accept(s, '-');
		rc = digits(s);
	}
	return rc;
}

/*
 * Remembers the key whose step begins at path[from]; @at is its offset in the
 * text. json-c's own object serves as the set, so that an object with very
 * many keys stays cheap.
 */
static int note_key(struct scan *s, struct json_object *seen, size_t from,
		    size_t at)
{
	const char *step = s->path + from;
	struct json_object *first;
	int rc;

	if (!seen)
		return 0;
	if (json_object_object_get_ex(seen, step, &first)) {
		rc = fault(s, MK_JSON_DUPLICATE, at);
		if (rc == -EINVAL && s->fault)
			s->fault->first = mk_json_pos_at(s->text,
				(size_t)json_object_get_int64(first));
		return rc;
	}
	first = json_object_new_int64((int64_t)at);
	if (!first)
		return -ENOMEM;
	if (json_object_object_add(seen, step, first)) {
		json_object_put(first);
		return -ENOMEM;
	}
	return 0;
}

/* One key and its value; the path is as before afterwards. */
static int member(struct scan *s, struct json_object *seen)
{
	size_t from = s->path_len;
	size_t at;
	int rc;

	skip_space(s);
	at = s->at;
	rc = path_add(s, "/", 1);
	if (!rc)
		rc = string(s, true);
	if (!rc)
		rc = note_key(s, seen, from, at);
	if (rc)
		return rc;
	skip_space(s);
	if (!accept(s, ':'))
		return syntax(s, "':' after the key");
	rc = value(s);
	path_cut(s, from);
	return rc;
}

static int members(struct scan *s, struct json_object *seen)
{
	int rc;

	skip_space(s);
	if (accept(s, '}'))
		return 0;
	do {
		rc = member(s, seen);
		if (rc)
			return rc;
		skip_space(s);
	} while (accept(s, ','));
	return accept(s, '}') ? 0 : syntax(s, "',' or '}'");
}

static int object(struct scan *s)
{
	struct json_object *seen = NULL;
	int rc;

	s->at++;
	if (!s->want) {
		seen = json_object_new_object();
		if (!seen)
			return -ENOMEM;
	}
	rc = members(s, seen);
	json_object_put(seen);
	return rc;
}

static int element(struct scan *s, size_t index)
{
	size_t from = s->path_len;
	char step[24];
	int rc;

	snprintf(step, sizeof(step), "/%zu", index);
	rc = path_add(s, step, strlen(step));
	if (!rc)
		rc = value(s);
	path_cut(s, from);
	return rc;
}

static int array(struct scan *s)
{
	size_t index = 0;
	int rc;

	s->at++;
	skip_space(s);
	if (accept(s, ']'))
		return 0;
	do {
		rc = element(s, index++);
		if (rc)
			return rc;
		skip_space(s);
	} while (accept(s, ','));
	return accept(s, ']') ? 0 : syntax(s, "',' or ']'");
}

static int nested(struct scan *s)
{
	int rc;

	if (s->depth == MK_JSON_DEPTH_MAX)
		return fault(s, MK_JSON_TOO_DEEP, s->at);
	s->depth++;
	rc = peek(s) == '{' ? object(s) : array(s);
	s->depth--;
	return rc;
}

static int value(struct scan *s)
{
	skip_space(s);
	if (s->want && !strcmp(s->want, s->path)) {
		s->found = s->at;
		return STOP;
	}
	switch (peek(s)) {
	case '{':
	case '[':
		return nested(s);
	case '"':
		return string(s, false);
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	case '-':
	case '0' ... '9':
		return number(s);
	default:
		return syntax(s, "a value");
	}
}

static int document(struct scan *s)
{
	int rc = path_add(s, "", 0);

	if (!rc)
		rc = value(s);
	if (rc)
		return rc;
	skip_space(s);
	return s->at == s->bytes ? 0 : syntax(s, "the end of the file");
}

int mk_json_check(const char *text, size_t bytes,
		  struct mk_json_fault *ret_fault)
{
	struct mk_json_fault found = { 0 };
	struct scan s = { .text = text, .bytes = bytes, .fault = &found };
	int rc = document(&s);

	free(s.path);
	if (rc == -EINVAL)
		*ret_fault = found;
	else
		free(found.pointer);
	return rc;
}

int mk_json_find(const char *text, size_t bytes, const char *pointer,
		 struct mk_json_pos *ret_pos)
{
	struct scan s = { .text = text, .bytes = bytes, .want = pointer };
	int rc = document(&s);

	free(s.path);
	if (rc != STOP)
		return rc ? rc : -ENOENT;
	*ret_pos = mk_json_pos_at(text, s.found);
	return 0;
}

size_t mk_json_utf8_end(const char *text, size_t bytes)
{
	size_t at = 0, n;

	while (at < bytes) {
		n = mk_utf8_char(text + at, bytes - at);
		if (!n)
			break;
		at += n;
	}
	return at;
}

char *mk_json_pointer_key(const char *key)
{
	struct scan s = { 0 };
	int rc = path_add(&s, "/", 1);

	for (; !rc && *key; key++)
		rc = path_add_escaped(&s, *key);
	if (rc) {
		free(s.path);
		return NULL;
	}
	return s.path;
}
