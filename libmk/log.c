// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel log of an instance, in the form of /dev/kmsg
 * (Documentation/ABI/testing/dev-kmsg): "PRIO,SEQ,USEC,FLAGS[,...];TEXT\n",
 * then dictionary lines that begin with a space.
 *
 * The text comes from another kernel and ends on somebody's terminal, so
 * nothing of it may act there: see mk_text_visible().
 */
#include <string.h>

#include "internal.h"

#define LOG_BUFFER_BYTES	65536

int mk_log_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		struct mk_error *err)
{
	return mk_ctx_open_kind(ctx, id, MK_OPEN_LOG, ret_fd, err);
}

int mk_log_wait(int fd, int timeout_ms)
{
	return mk_fd_poll(fd, timeout_ms);
}

uint64_t mk_log_zero_ns(const struct mk_get *get)
{
	return get->log_zero_ns ? get->log_zero_ns : get->sipi_ns;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of the text, escaped or not. Returns how many characters it took. */
static size_t next_byte(const char *s, size_t len, unsigned char *ret_byte)
{
	int high, low;

	if (len >= 4 && s[0] == '\\' && s[1] == 'x') {
		high = hex_digit(s[2]);
		low = hex_digit(s[3]);
		if (high >= 0 && low >= 0) {
			*ret_byte = (unsigned char)(high << 4 | low);
			return 4;
		}
	}
	*ret_byte = (unsigned char)s[0];
	return 1;
}

static void copy_text(char *to, size_t size, const char *from, size_t len)
{
	unsigned char raw[2048];
	size_t nr_raw = 0;
	size_t i;

	for (i = 0; i < len && nr_raw < sizeof(raw); nr_raw++)
		i += next_byte(from + i, len - i, &raw[nr_raw]);
	mk_text_visible(to, size, (const char *)raw, nr_raw);
}

static int parse_number(const char **s, const char *end, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (*s == end || **s < '0' || **s > '9')
		return -EINVAL;
	for (; *s < end && **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(**s - '0'),
					   &number))
			return -EINVAL;
	*ret_number = number;
	return 0;
}

int mk_log_parse(const char *line, size_t len, struct mk_log_line *ret_line)
{
	const char *end = line + len;
	const char *s = line;
	uint64_t numbers[3];
	size_t i;

	for (i = 0; i < MK_ARRAY_SIZE(numbers); i++) {
		if (i && (s == end || *s++ != ','))
			return -EINVAL;
		if (parse_number(&s, end, &numbers[i]) < 0)
			return -EINVAL;
	}
	if (s == end || (*s != ',' && *s != ';'))
		return -EINVAL;
	s = memchr(s, ';', (size_t)(end - s));
	if (!s)
		return -EINVAL;
	s++;
	ret_line->level = (unsigned int)(numbers[0] & 7);
	ret_line->facility = (unsigned int)(numbers[0] >> 3);
	ret_line->seq = numbers[1];
	ret_line->time_us = numbers[2];
	copy_text(ret_line->text, sizeof(ret_line->text), s,
		  (size_t)(end - s));
	return 0;
}

int mk_log_each(const char *buf, size_t len,
		int (*fn)(void *arg, const struct mk_log_line *line),
		void *arg)
{
	const char *end = buf + len;
	const char *newline;
	struct mk_log_line line;
	int r;

	for (; buf < end; buf = newline + 1) {
		newline = memchr(buf, '\n', (size_t)(end - buf));
		if (!newline)
			newline = end;
		if (mk_log_parse(buf, (size_t)(newline - buf), &line) < 0)
			continue;
		r = fn(arg, &line);
		if (r)
			return r;
	}
	return 0;
}

/* read(2) gives whole lines, so no line is ever split between two calls. */
int mk_log_read(int fd, int (*fn)(void *arg, const struct mk_log_line *line),
		void *arg)
{
	mk_autofree char *buf = malloc(LOG_BUFFER_BYTES);
	ssize_t n;
	int r;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		n = read(fd, buf, LOG_BUFFER_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == EAGAIN))
			return 0;
		if (n < 0)
			return -errno;
		r = mk_log_each(buf, (size_t)n, fn, arg);
		if (r)
			return r;
	}
}

int mk_log_read_text(int fd, size_t limit, char **ret_text, size_t *ret_bytes)
{
	mk_autofree char *text = malloc(limit);
	size_t used = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	while (used < limit) {
		n = read(fd, text + used, limit - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == EAGAIN))
			break;
		if (n < 0)
			return -errno;
		used += (size_t)n;
	}
	*ret_text = TAKE_PTR(text);
	*ret_bytes = used;
	return 0;
}
