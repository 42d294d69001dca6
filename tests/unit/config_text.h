/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the config loader share: loading a text, and what a
 * refusal must look like. Texts go through a memfd, files of tests/unit/config
 * are read in place.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <mk/util.h>

#include "../../spawn/config.h"

/* The tests run from the top of the repository. */
#define FIXTURES	"tests/unit/config/"

#define REST	"\"kernel\":\"k\",\"cpus\":\"2\",\"memory\":\"64M\""
#define GOOD	"{\"name\":\"web\"," REST "}"

static inline void cleanup_config(struct mk_config_file **file)
{
	mk_config_file_free(*file);
}

#define autoconfig __attribute__((cleanup(cleanup_config)))

/* Loads a text by way of a memfd; @ret_path gets the path that it had. */
static inline int load_text(const char *text, size_t bytes, char *ret_path,
			    struct mk_config_file **ret, struct mk_error *err)
{
	mk_autoclose int fd = memfd_create("config", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, bytes), bytes);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	sprintf(ret_path, "/proc/self/fd/%d", fd);
	return mk_config_load(ret_path, ret, err);
}

static inline void check_refused(const char *name, int rc, const char *path,
				 const struct mk_error *err, const char *where,
				 const char *fragment)
{
	char object[256];

	snprintf(object, sizeof(object), "%s%s", path, where);
	if (rc >= 0 || err->code != MK_ERR_CONFIG ||
	    strcmp(err->object, object) || !strstr(err->message, fragment))
		fail_msg("%s: %d, %d, \"%s\", \"%s\" instead of \"%s\", \"%s\"",
			 name, rc, err->code, err->object, err->message, object,
			 fragment);
}

/* Loads a text that must be refused. */
static inline void refused_bytes(const char *text, size_t bytes,
				 const char *where, const char *fragment,
				 const char *hint)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char path[64];
	int rc = load_text(text, bytes, path, &file, &err);

	assert_null(file);
	check_refused(text, rc, path, &err, where, fragment);
	assert_int_equal(rc, -EINVAL);
	if (hint && !strstr(err.hint, hint))
		fail_msg("%s: hint \"%s\" lacks \"%s\"", text, err.hint, hint);
	/* An error object is optional. */
	assert_int_equal(load_text(text, bytes, path, &file, NULL), -EINVAL);
}

#endif /* CONFIG_TEXT_H */
