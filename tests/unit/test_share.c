// SPDX-License-Identifier: GPL-2.0-only
/*
 * libmk's shares on the pretended kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mk/libmk.h>

#include "fake_kernel.h"

#define RW	(MK_RIGHT_READ | MK_RIGHT_WRITE)

static struct mk_ctx *ctx;
static struct mk_error err;

static int setup(void **state)
{
	int r = fake_setup(state);

	err = (struct mk_error)MK_ERROR_INIT;
	ctx = *state;
	return r;
}

static uint64_t create(const char *name)
{
	uint64_t generation = 0;

	assert_int_equal(mk_share_create(ctx, name, 8192, NULL, MK_NODE_ANY,
					 &generation, &err), 0);
	assert_int_not_equal(generation, 0);
	return generation;
}

static void test_map(void **state)
{
	struct mk_share_end end = MK_SHARE_END_NONE;
	struct mk_share_end ro = MK_SHARE_END_NONE;
	uint64_t generation = create("a");
	void *addr, *ro_addr;

	(void)state;
	assert_int_equal(mk_share_attach(ctx, "a", generation, RW, &end, &err),
			 0);
	assert_true(fcntl(end.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(end.bytes, 8192);
	assert_int_equal(end.generation, generation);
	assert_int_equal(mk_share_map(&end, &addr, &err), 0);
	assert_int_equal(mk_share_attach(ctx, "a", 0, MK_RIGHT_READ, &ro,
					 &err), 0);
	assert_int_equal(mk_share_map(&ro, &ro_addr, &err), 0);
	strcpy((char *)addr + 8000, "seen");
	assert_string_equal((char *)ro_addr + 8000, "seen");
	mk_share_unmap(&end, addr);
	mk_share_unmap(&ro, ro_addr);
	mk_share_unmap(&ro, NULL);
	mk_share_close(&end);
	mk_share_close(&ro);
	assert_int_equal(ro.fd, -1);
	/* What may only be read is not mapped for writing. */
	assert_int_equal(mk_share_attach(ctx, "a", 0, MK_RIGHT_READ, &ro,
					 &err), 0);
	ro.rights = RW;
	assert_int_equal(mk_share_map(&ro, &ro_addr, &err), -EACCES);
	assert_string_equal(err.message, "cannot map it: Permission denied");
	mk_share_close(&ro);
}

static void test_grant_give_revoke(void **state)
{
	uint64_t generation = create("a");
	struct mk_share *share;

	(void)state;
	fake->instances[1] = (struct fake_instance){
		.used = true, .get = { .id = 1, .name = "web" },
	};
	assert_int_equal(mk_share_grant(ctx, "a", generation, "web",
					MK_RIGHT_READ, 0, &err), 0);
	assert_int_equal(mk_share_grant(ctx, "a", 0, "web", RW, 0, &err),
			 -EEXIST);
	assert_int_equal(err.reason, MK_REASON_SHARE_GRANTED);
	assert_int_equal(mk_share_grant(ctx, "a", 0, "db", RW, 0, &err),
			 -ENOENT);
	assert_int_equal(mk_share_grant(ctx, "a", 0, "db", RW, MK_SHARE_LATER,
					&err), 0);
	assert_int_equal(mk_share_give(ctx, "a", generation, "web", &err), 0);
	assert_int_equal(mk_share_give(ctx, "a", generation, "web", &err),
			 -ESTALE);
	assert_int_equal(err.reason, MK_REASON_SHARE_STALE);
	assert_int_equal(mk_share_find(ctx, "a", &share, &err), 0);
	assert_int_not_equal(share->get.generation, generation);
	assert_int_equal(share->get.nr_holders, 2);
	assert_string_equal(share->holders[0].name, "web");
	assert_int_equal(share->holders[0].rights, RW);
	mk_share_free(share);
	assert_int_equal(mk_share_revoke(ctx, "a", 0, "db", 0, &err), 0);
	assert_int_equal(mk_share_revoke(ctx, "a", 0, NULL, 0, &err), 0);
	assert_int_equal(mk_share_find(ctx, "a", &share, &err), -ENOENT);
	assert_int_equal(err.code, MK_ERR_NOT_FOUND);
	assert_string_equal(err.object, "a");
}

static void test_hold(void **state)
{
	struct mk_share *share;

	(void)state;
	create("a");
	assert_int_equal(mk_share_hold(ctx, "a", 0, RW, &err), 0);
	assert_int_equal(mk_share_hold(ctx, "a", 0, RW, &err), -EEXIST);
	assert_int_equal(err.reason, MK_REASON_SHARE_HELD);
	assert_int_equal(mk_share_find(ctx, "a", &share, &err), 0);
	assert_int_equal(share->get.kept, 1);
	mk_share_free(share);
	assert_int_equal(mk_share_revoke(ctx, "a", 0, NULL, 1, &err),
			 -ETIMEDOUT);
	assert_int_equal(err.code, MK_ERR_TIMEOUT);
	assert_int_equal(mk_share_hold(ctx, "a", 0, RW, &err), -EKEYREVOKED);
	assert_int_equal(mk_share_detach(ctx, "a", 0, &err), 0);
	assert_int_equal(mk_share_detach(ctx, "a", 0, &err), -ENOENT);
	create("b");
	assert_int_equal(mk_share_detach(ctx, "b", 0, &err), -ENOTCONN);
	assert_int_equal(err.reason, MK_REASON_SHARE_NOT_HELD);
}

static void test_refused(void **state)
{
	const char *const longest = "a-name-that-is-longer-than-any-is";
	struct mk_share_end end = MK_SHARE_END_NONE;
	struct mk_share *share;

	(void)state;
	assert_int_equal(mk_share_create(ctx, "a", 0, NULL, MK_NODE_ANY, NULL,
					 &err), -EINVAL);
	assert_int_equal(err.reason, MK_REASON_SHARE_SIZE);
	assert_int_equal(mk_share_create(ctx, longest, 4096, NULL, MK_NODE_ANY,
					 NULL, &err), -EINVAL);
	assert_int_equal(err.reason, MK_REASON_SHARE_NAME_BAD);
	assert_int_equal(mk_share_create(ctx, "a", 4096, longest, MK_NODE_ANY,
					 NULL, &err), -ENOENT);
	assert_int_equal(err.reason, MK_REASON_PEER_UNKNOWN);
	assert_int_equal(mk_share_create(ctx, "a", FAKE_POOL + 4096, NULL,
					 MK_NODE_ANY, NULL, &err), -ENOMEM);
	assert_string_equal(err.message,
			    "the pool has 1G free, the share needs 1.0G");
	assert_int_equal(mk_share_find(ctx, longest, &share, &err), -ENOENT);
	assert_int_equal(mk_share_attach(ctx, longest, 0, RW, &end, &err),
			 -ENOENT);
	assert_int_equal(mk_share_detach(ctx, longest, 0, &err), -ENOENT);
	assert_int_equal(end.fd, -1);
	create("a");
	assert_int_equal(mk_share_create(ctx, "a", 4096, NULL, MK_NODE_ANY,
					 NULL, &err), -EEXIST);
	assert_int_equal(err.code, MK_ERR_BUSY);
	fake->role = MK_ROLE_INSTANCE;
	assert_int_equal(mk_share_attach(ctx, "a", 0, RW, &end, &err),
			 -EACCES);
	assert_string_equal(err.message, "rw is wanted, - is granted");
	assert_int_equal(mk_share_give(ctx, "a", 0, "host", &err), -EPERM);
	assert_int_equal(err.code, MK_ERR_NOT_PERMITTED);
}

static void test_list(void **state)
{
	struct mk_share_list list;

	(void)state;
	assert_int_equal(mk_share_list_get(ctx, &list, &err), 0);
	assert_int_equal(list.nr_items, 0);
	create("a");
	create("b");
	create("c");
	assert_int_equal(mk_share_revoke(ctx, "b", 0, NULL, 0, &err), 0);
	assert_int_equal(mk_share_list_get(ctx, &list, &err), 0);
	assert_int_equal(list.nr_items, 2);
	assert_string_equal(list.items[1]->get.name, "c");
	assert_int_equal(list.items[1]->get.nr_extents, 1);
	assert_int_equal(err.code, MK_ERR_NONE);
	mk_share_list_clear(&list);
	assert_int_equal(list.nr_items, 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(mk_rights_name(0), "-");
	assert_string_equal(mk_rights_name(MK_RIGHT_READ), "ro");
	assert_string_equal(mk_rights_name(RW), "rw");
	assert_string_equal(mk_rights_name(8), "unknown");
	assert_string_equal(mk_share_state_name(MK_SHARE_ORPHANED),
			    "orphaned");
	assert_string_equal(mk_share_kind_name(MK_SHARE_REFERENCE),
			    "reference");
	assert_string_equal(mk_channel_state_name(MK_CHANNEL_DEAD), "dead");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_grant_give_revoke, setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_hold, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, fake_teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
