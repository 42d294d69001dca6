// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for at most so long, over several calls of poll(2).
 */
#include "internal.h"

struct mk_deadline mk_deadline_in(int timeout_ms)
{
	return (struct mk_deadline){
		.timeout_ms = timeout_ms,
		.end_ns = timeout_ms < 0 ? UINT64_MAX :
			  mk_now_ns() + (uint64_t)timeout_ms * 1000000,
	};
}

int mk_deadline_left(const struct mk_deadline *deadline)
{
	uint64_t now_ns;

	if (deadline->timeout_ms <= 0)
		return deadline->timeout_ms;
	now_ns = mk_now_ns();
	if (now_ns >= deadline->end_ns)
		return 0;
	return (int)((deadline->end_ns - now_ns) / 1000000) + 1;
}
