// SPDX-License-Identifier: GPL-2.0-only
/*
 * libmk's channels on the pretended kernel: time limits, ends of a channel,
 * what is refused and what is said about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mk/libmk.h>

#include "fake_kernel.h"

static struct mk_ctx *ctx;
static struct mk_error err;

/* An instance: its peers are "host" and "web". */
static int setup(void **state)
{
	int r = fake_setup(state);

	fake->role = MK_ROLE_INSTANCE;
	err = (struct mk_error)MK_ERROR_INIT;
	ctx = *state;
	return r;
}

static void test_echo(void **state)
{
	char buf[MK_MESSAGE_MAX];
	struct mk_channel_get get;
	int fd;

	(void)state;
	assert_int_equal(mk_channel_open(ctx, "host", MK_PORT_ECHO, 0, &fd,
					 &err), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), 0, &err),
			 -EAGAIN);
	assert_int_equal(err.code, MK_ERR_BUSY);
	assert_string_equal(err.object, "host:0");
	assert_int_equal(mk_channel_send(fd, "one", 3, 1000, &err), 0);
	assert_int_equal(mk_channel_send(fd, "three", 5, 1000, &err), 0);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), 1000, &err), 3);
	assert_memory_equal(buf, "one", 3);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), -1, &err), 5);
	assert_memory_equal(buf, "three", 5);
	assert_int_equal(mk_channel_get(fd, &get, &err), 0);
	assert_string_equal(get.peer, "host");
	assert_int_equal(get.state, MK_CHANNEL_CONNECTED);
	mk_channel_close(fd);
}

static void test_nothing_comes(void **state)
{
	uint64_t begin_ns = mk_now_ns();
	char buf[MK_MESSAGE_MAX];
	short events;
	int fd;

	(void)state;
	assert_int_equal(mk_channel_open(ctx, "web", 0, 0, &fd, &err), 0);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), 30, &err),
			 -ETIMEDOUT);
	assert_true(mk_now_ns() - begin_ns >= 30000000);
	assert_int_equal(err.code, MK_ERR_TIMEOUT);
	assert_string_equal(err.message, "no message in 30 ms");
	assert_int_equal(mk_channel_poll(fd, POLLIN, 0, &events), -ETIMEDOUT);
	assert_int_equal(mk_channel_poll(fd, POLLOUT, 0, &events), 0);
	assert_true(events & POLLOUT);
	mk_channel_close(fd);
}

static void test_listen(void **state)
{
	char buf[MK_MESSAGE_MAX];
	int fd, caller;

	(void)state;
	assert_int_equal(mk_channel_listen(ctx, NULL, 7, &fd, &err), 0);
	assert_int_equal(mk_channel_wait(fd, 0, &err), -EAGAIN);
	assert_int_equal(mk_channel_open(ctx, "web", 7, 0, &caller, &err), 0);
	assert_int_equal(mk_channel_send(caller, "hi", 2, 0, &err), 0);
	assert_int_equal(mk_channel_wait(fd, 1000, &err), 0);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), 1000, &err), 2);
	mk_channel_close(caller);
	assert_int_equal(mk_channel_recv(fd, buf, sizeof(buf), 1000, &err), 0);
	assert_int_equal(mk_channel_send(fd, "hi", 2, 0, &err), -EPIPE);
	assert_int_equal(err.reason, MK_REASON_CHANNEL_CLOSED);
	assert_int_equal(err.code, MK_ERR_FAILED);
	assert_string_equal(err.object, "anybody:7");
	mk_channel_close(fd);
}

static void test_refused(void **state)
{
	const char *const longest = "a-name-that-is-longer-than-any-is";
	int fd = -1;

	(void)state;
	assert_int_equal(mk_channel_open(ctx, "nobody", 1, 0, &fd, &err),
			 -ENOENT);
	assert_int_equal(err.reason, MK_REASON_PEER_UNKNOWN);
	assert_string_equal(err.object, "nobody:1");
	assert_int_equal(mk_channel_open(ctx, longest, 1, 0, &fd, &err),
			 -ENOENT);
	assert_int_equal(err.reason, MK_REASON_PEER_UNKNOWN);
	assert_int_equal(mk_channel_open(ctx, "web", 9, 0, &fd, &err),
			 -ECONNREFUSED);
	assert_int_equal(err.reason, MK_REASON_PORT_NOBODY);
	assert_int_equal(err.code, MK_ERR_NOT_FOUND);
	assert_int_equal(mk_channel_open(ctx, "web", MK_PORT_MAX + 1, 0, &fd,
					 &err), -EINVAL);
	assert_int_equal(err.reason, MK_REASON_PORT_BAD);
	assert_int_equal(mk_channel_listen(ctx, NULL, 0, &fd, &err), -EINVAL);
	assert_int_equal(fd, -1);
	fake->role = MK_ROLE_HOST;
	assert_int_equal(mk_channel_open(ctx, "host", 1, 0, &fd, &err),
			 -EINVAL);
	assert_int_equal(err.reason, MK_REASON_PEER_SELF);
}

static void test_empty_message(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mk_channel_open(ctx, "web", 0, 0, &fd, &err), 0);
	assert_int_equal(mk_channel_send(fd, "", 0, 0, &err), -EINVAL);
	assert_int_equal(err.reason, MK_REASON_MSG_EMPTY);
	mk_channel_close(fd);
	mk_channel_close(-1);
}

static void test_set_channels(void **state)
{
	static const char *const peers[] = { "web", "db" };
	static const char *const bad[] = { "web",
		"a-name-that-is-longer-than-any-is" };

	(void)state;
	fake->role = MK_ROLE_HOST;
	assert_int_equal(mk_instance_set_channels(ctx, 1, peers, 2, &err), 0);
	assert_int_equal(fake->nr_allowed, 2);
	assert_string_equal(fake->allowed[1], "db");
	assert_int_equal(mk_instance_set_channels(ctx, 1, bad, 2, &err),
			 -EINVAL);
	assert_int_equal(err.reason, MK_REASON_BAD_NAME);
	assert_int_equal(fake->nr_allowed, 2);
	assert_int_equal(mk_instance_set_channels(ctx, 1, NULL, 0, &err), 0);
	assert_int_equal(fake->nr_allowed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_echo, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_comes, setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_listen, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_empty_message, setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_set_channels, setup,
						fake_teardown),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
