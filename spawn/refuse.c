// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusals in the kernel's words.
 */
#include <stdio.h>

#include "refuse.h"

int mk_refuse(struct mk_error *err, const struct mk_refused *refused,
	      const char *object)
{
	struct mk_refusal refusal = {
		.reason = refused->reason,
		.a = refused->a,
		.b = refused->b,
	};

	if (refused->who)
		snprintf(refusal.object, sizeof(refusal.object), "%s",
			 refused->who);
	mk_refusal_error(err, &refusal, refused->error, object);
	return -refused->error;
}
