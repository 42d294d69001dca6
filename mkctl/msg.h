/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of mkctl msg share.
 */
#ifndef MKCTL_MSG_H
#define MKCTL_MSG_H

#include "cmd.h"

/** msg_port() - parse a port that programs may have */
int msg_port(const char *text, unsigned int *ret_port,
	     struct mk_error *err) MK_MUST_CHECK;

/** msg_timeout_ms() - of --timeout for libmk; @s 0: for ever */
static inline int msg_timeout_ms(unsigned int s)
{
	return s ? (int)(s * 1000) : -1;
}

#endif /* MKCTL_MSG_H */
