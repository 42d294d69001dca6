/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error object: what went wrong, on what, and what to do about it.
 *
 * Libraries never print and never exit. A function that can fail returns 0 or
 * -errno and fills a struct mk_error; each level on the way up may add what it
 * knows (mk_error_object(), mk_error_hint()). main() alone prints it and turns
 * its code into an exit status.
 */
#ifndef MK_ERROR_H
#define MK_ERROR_H

#include <stdarg.h>

/** enum mk_error_code - class of an error; the value is mkctl's exit status */
enum mk_error_code {
	MK_ERR_NONE		= 0,
	MK_ERR_FAILED		= 1,
	MK_ERR_USAGE		= 2,
	MK_ERR_CONFIG		= 3,
	MK_ERR_NOT_FOUND	= 4,
	MK_ERR_BUSY		= 5,
	MK_ERR_NOT_PERMITTED	= 6,	/* or not supported */
	MK_ERR_TIMEOUT		= 7,
	MK_ERR_UNDO		= 8,	/* failed and undo incomplete */
};

/**
 * struct mk_error - one error
 * @code: enum mk_error_code
 * @reason: enum mk_reason of the kernel, or 0
 * @object: what it was about: "web", "configs/web.json:4: /cpus"
 * @message: which check failed and why, no trailing newline or period
 * @hint: what to do, or empty
 */
struct mk_error {
	int code;
	unsigned int reason;
	char object[256];
	char message[512];
	char hint[512];
};

#define MK_ERROR_INIT { 0 }

/**
 * mk_error_set() - fill an error
 * @err: the error, or NULL
 * @code: enum mk_error_code
 * @object: what it is about; NULL leaves it empty
 * @fmt: message, as for printf
 *
 * Replaces what was there.
 */
void mk_error_set(struct mk_error *err, int code, const char *object,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** mk_error_object() - name the object, if no deeper level has */
void mk_error_object(struct mk_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** mk_error_hint() - say what to do, if no deeper level has */
void mk_error_hint(struct mk_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* MK_ERROR_H */
