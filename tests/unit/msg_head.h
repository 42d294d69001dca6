/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of rings put at the head of a message. */
#ifndef TEST_MSG_HEAD_H
#define TEST_MSG_HEAD_H

#include <linux/mk_ring.h>

#define HEAD(t, i)	(&(struct mk_msg_head){ .type = (t), .id = (i) })

#endif /* TEST_MSG_HEAD_H */
