/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refusals of checks that come before the kernel's own, in the kernel's words.
 */
#ifndef MK_SPAWN_REFUSE_H
#define MK_SPAWN_REFUSE_H

#include <mk/libmk.h>

/**
 * struct mk_refused - what a check refuses
 * @error: positive errno
 * @reason: enum mk_reason, and its numbers @a and @b
 * @who: the refusal's object, or NULL
 */
struct mk_refused {
	int error;
	uint32_t reason;
	uint64_t a;
	uint64_t b;
	const char *who;
};

/** mk_refuse() - fill @err; @object is what the check was about, or NULL */
int mk_refuse(struct mk_error *err, const struct mk_refused *refused,
	      const char *object);

#endif /* MK_SPAWN_REFUSE_H */
