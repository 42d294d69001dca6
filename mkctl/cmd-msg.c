// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl msg: messages between kernels; and what its commands share.
 */
#include "msg.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

int msg_port(const char *text, unsigned int *ret_port, struct mk_error *err)
{
	if (mk_number_parse(text, 1, MK_PORT_MAX, ret_port) == 0)
		return 0;
	usage_error(err, NULL, "a port is a whole number from 1 to %u, not '%s'",
		    MK_PORT_MAX, text);
	return -EINVAL;
}

static const struct command *const subs[] = {
	&cmd_msg_ping,
	&cmd_msg_send,
	&cmd_msg_recv,
	NULL
};

const struct command cmd_msg = {
	.name = "msg",
	.args = "ping|send|recv",
	.summary = "Send messages to other kernels, and receive them",
	.details =
		"On the host and inside an instance. The host's kernel is called 'host'.\n"
		"'mkctl msg COMMAND --help' tells more about one.\n",
	.subs = subs,
	.options = options,
	.min_args = 1,
	.max_args = -1,
};
