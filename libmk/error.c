// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The error object. A message that does not fit is cut, never refused: a long
 * path must not hide which check failed.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void format_into(char *buf, size_t size, const char *fmt, va_list ap)
{
	if (vsnprintf(buf, size, fmt, ap) < 0)
		buf[0] = '\0';
}

void mk_error_set(struct mk_error *err, int code, const char *object,
		  const char *fmt, ...)
{
	struct mk_error new = { .code = code };
	va_list ap;

	if (!err)
		return;
	/* Arguments may point into *err, so it is written last. */
	if (object)
		snprintf(new.object, sizeof(new.object), "%s", object);
	va_start(ap, fmt);
	format_into(new.message, sizeof(new.message), fmt, ap);
	va_end(ap);
	*err = new;
}

void mk_error_object(struct mk_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->object[0])
		return;
	va_start(ap, fmt);
	format_into(err->object, sizeof(err->object), fmt, ap);
	va_end(ap);
}

void mk_error_hint(struct mk_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->hint[0])
		return;
	va_start(ap, fmt);
	format_into(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

int mk_no_memory(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}
