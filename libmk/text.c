// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text from elsewhere (another kernel, a config file, a command line) on its
 * way to a terminal or into JSON: what is UTF-8, and what may act.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mk/libmk.h>

/* How long the first byte says that its character is; 0: it begins none. */
static size_t announced_bytes(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Unicode 15, table 3-7. */
size_t mk_utf8_char(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t need = announced_bytes(u[0]);
	size_t i;

	if (need <= 1)
		return need;
	if (u[0] == 0xe0)
		low = 0xa0;	/* no overlong form */
	else if (u[0] == 0xed)
		high = 0x9f;	/* no surrogates */
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (need > len || u[1] < low || u[1] > high)
		return 0;
	for (i = 2; i < need; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

/* As mk_utf8_char(), and 0 for a control character (C0, DEL, C1) but tab. */
static size_t printable_char(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = mk_utf8_char(s, len);

	if (n == 1 && (u[0] < ' ' || u[0] == 0x7f) && u[0] != '\t')
		return 0;
	if (n == 2 && u[0] == 0xc2 && u[1] < 0xa0)
		return 0;
	return n;
}

void mk_text_visible(char *dst, size_t size, const char *src, size_t len)
{
	size_t used = 0;
	size_t n;

	while (len) {
		n = printable_char(src, len);
		if (used + (n ? n : 4) >= size)
			break;
		if (n) {
			memcpy(dst + used, src, n);
			used += n;
		} else {
			n = 1;
			used += (size_t)snprintf(dst + used, 5, "\\x%02x",
						 (unsigned char)*src);
		}
		src += n;
		len -= n;
	}
	dst[used] = '\0';
}

int mk_number_parse(const char *s, unsigned int least, unsigned int most,
		    unsigned int *ret_number)
{
	unsigned int number = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (unsigned int)(*s - '0'),
					   &number))
			return -ERANGE;
	}
	if (number < least || number > most)
		return -ERANGE;
	*ret_number = number;
	return 0;
}
