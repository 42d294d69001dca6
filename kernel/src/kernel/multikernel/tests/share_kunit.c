// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the books of shares: the steps of the life cycle one by one, what is
 * refused, then many random steps, after each of which the books are checked
 * against what must hold in any state.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/prandom.h>

#include "../internal.h"
#include "../share.h"

#define ROUNDS	20000
#define KERNELS	4
#define NAMES	6

struct fixture {
	struct mk_books books;
	struct mk_refusal r;
	u32 number;
};

static int share_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	INIT_LIST_HEAD(&f->books.shares);
	INIT_LIST_HEAD(&f->books.over);
	test->priv = f;
	return 0;
}

static u32 reap(struct fixture *f)
{
	struct mk_share *share, *next;
	u32 nr = 0;

	list_for_each_entry_safe(share, next, &f->books.over, node) {
		list_del(&share->node);
		mk_share_free(share);
		nr++;
	}
	return nr;
}

static void share_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	list_splice_init(&f->books.shares, &f->books.over);
	reap(f);
}

static struct mk_share *make(struct kunit *test, const char *name,
			     const char *owner, enum mk_share_kind kind)
{
	struct fixture *f = test->priv;
	struct mk_share_spec spec = {
		.name = name,
		.owner = owner,
		.bytes = 4096,
		.kind = kind,
	};
	struct mk_share *share;

	KUNIT_ASSERT_EQ(test, mk_share_add(&f->books, &spec, &share, &f->r), 0);
	mk_share_made(&f->books, share);
	return share;
}

static int attach(struct fixture *f, struct mk_share *share, const char *name,
		  u32 rights, u32 *ret_number)
{
	struct mk_att att = { .number = ++f->number, .rights = rights };

	*ret_number = att.number;
	return mk_share_add_att(share, name, &att, &f->r);
}

static void names(struct kunit *test)
{
	static const char *const good[] = { "a", "0", "a.b_c-d", "frames2" };
	static const char *const bad[] = { "", "A", "-a", ".a", "a b", "a/b",
		"abcdefghijklmnopqrstuvwxyzabcdef" };
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_TRUE_MSG(test, mk_share_name_valid(good[i]), "%s",
				      good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_FALSE_MSG(test, mk_share_name_valid(bad[i]), "%s",
				       bad[i]);
}

static void rights(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u32 n;

	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHT_READ, &n),
			-EACCES);
	KUNIT_EXPECT_EQ(test, f->r.reason, MK_REASON_SHARE_RIGHTS);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", 0, &f->r),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", 4, &f->r),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHT_READ,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS, &f->r),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), -EACCES);
	KUNIT_EXPECT_EQ(test, f->r.a, MK_RIGHTS);
	KUNIT_EXPECT_EQ(test, f->r.b, MK_RIGHT_READ);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", 0, &n), -EACCES);
	KUNIT_EXPECT_EQ(test, share->attached, 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHT_READ, &n), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, share->attached, 2);
}

static void generations(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u64 first = share->generation;
	u32 id = share->id;

	KUNIT_EXPECT_EQ(test, mk_share_check_generation(share, first, &f->r),
			0);
	KUNIT_EXPECT_EQ(test, mk_share_check_generation(share, 0, &f->r), 0);
	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "b", 2,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, mk_share_check_generation(share, first, &f->r),
			-ESTALE);
	mk_share_revoke_all(&f->books, share, 0);
	KUNIT_EXPECT_TRUE(test, mk_share_settle(&f->books, share));
	share = make(test, "x", "a", MK_SHARE_POOL);
	KUNIT_EXPECT_EQ(test, share->id, id);
	KUNIT_EXPECT_GT(test, share->generation, first + 1);
}

/* Revoked and attached: not over. Its name is free. */
static void revoking(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u32 n, left;

	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, mk_share_revoke_party(&f->books, share, "b", 9,
						    &left, &f->r), 0);
	KUNIT_EXPECT_EQ(test, left, 1);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHT_READ, &left),
			-EKEYREVOKED);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), -EBUSY);
	mk_share_revoke_all(&f->books, share, 9);
	KUNIT_EXPECT_FALSE(test, mk_share_settle(&f->books, share));
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHT_READ, &left),
			-EKEYREVOKED);
	KUNIT_EXPECT_PTR_NE(test, make(test, "x", "a", MK_SHARE_POOL), share);
	KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "a", n, &f->r),
			-ENOTCONN);
	KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "b", n, &f->r), 0);
	KUNIT_EXPECT_EQ(test, reap(f), 1);
}

static void owner_dies(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u32 n, m;

	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
	mk_share_kernel_gone(&f->books, "a");
	KUNIT_EXPECT_EQ(test, share->state, MK_SHARE_ORPHANED);
	KUNIT_EXPECT_EQ(test, share->attached, 1);
	KUNIT_EXPECT_EQ(test, reap(f), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHT_READ, &m),
			-EOWNERDEAD);
	KUNIT_EXPECT_EQ(test, mk_share_check_live(share, &f->r), -EOWNERDEAD);
	KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "b", n, &f->r), 0);
	KUNIT_EXPECT_EQ(test, reap(f), 1);
	/* With nobody attached at once */
	make(test, "y", "a", MK_SHARE_POOL);
	mk_share_kernel_gone(&f->books, "a");
	KUNIT_EXPECT_EQ(test, reap(f), 1);
}

static void grantee_dies(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u32 n;

	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
	mk_share_kernel_gone(&f->books, "b");
	KUNIT_EXPECT_EQ(test, share->state, MK_SHARE_LIVE);
	KUNIT_EXPECT_EQ(test, share->attached, 0);
	/* Its grant has stayed for its next start. */
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, reap(f), 0);
}

static void giving(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	u32 n, m;

	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "a", 1,
						 &f->r), -EEXIST);
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "b", 2,
						 &f->r), 0);
	KUNIT_EXPECT_STREQ(test, mk_share_owner(share)->name, "b");
	KUNIT_EXPECT_EQ(test, share->owner_id, 2);
	/* The donor keeps what it has, and gets no more; its death is no end. */
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHT_READ, &m),
			-EKEYREVOKED);
	mk_share_kernel_gone(&f->books, "a");
	KUNIT_EXPECT_EQ(test, share->state, MK_SHARE_LIVE);
	KUNIT_EXPECT_NULL(test, mk_share_party(share, "a"));
	/* And back */
	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "a", 1,
						 &f->r), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHTS, &m), 0);
	KUNIT_EXPECT_NULL(test, mk_share_party(share, "b"));
}

static void references(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "frame", "a", MK_SHARE_REFERENCE);
	u32 n;

	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), 0);
	KUNIT_EXPECT_NULL(test, mk_share_find_name(&f->books, "frame"));
	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "b", 2,
						 &f->r), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->r.reason, MK_REASON_SHARE_KIND);
	KUNIT_EXPECT_EQ(test, mk_share_frames_of(&f->books, "a"), 1);
	/* The owner itself cannot map it, but may try. */
	KUNIT_EXPECT_EQ(test, attach(f, share, "a", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "a", n, &f->r), 0);
	KUNIT_EXPECT_EQ(test, reap(f), 0);
	KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
	KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "b", n, &f->r), 0);
	KUNIT_EXPECT_EQ(test, reap(f), 1);
	/* Lent to a start of a kernel, not to its name */
	share = make(test, "frame", "a", MK_SHARE_REFERENCE);
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
						 &f->r), 0);
	mk_share_kernel_gone(&f->books, "b");
	KUNIT_EXPECT_EQ(test, reap(f), 1);
}

/* Nobody is told that a frame is free for a kernel that has ended. */
static void lender_dies(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share_spec spec = {
		.name = "frame",
		.owner = "a",
		.owner_id = 1,
		.owner_epoch = 1,
		.bytes = 4096,
		.kind = MK_SHARE_REFERENCE,
	};
	struct mk_share *share;
	u32 n, revoked;

	for (revoked = 0; revoked < 2; revoked++) {
		KUNIT_ASSERT_EQ(test, mk_share_add(&f->books, &spec, &share,
						   &f->r), 0);
		mk_share_made(&f->books, share);
		KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "b", MK_RIGHTS,
							 &f->r), 0);
		KUNIT_EXPECT_EQ(test, attach(f, share, "b", MK_RIGHTS, &n), 0);
		if (revoked)
			mk_share_revoke_all(&f->books, share, 0);
		KUNIT_EXPECT_EQ(test, share->owner_epoch, 1);
		mk_share_kernel_gone(&f->books, "a");
		KUNIT_EXPECT_EQ(test, share->owner_epoch, 0);
		KUNIT_EXPECT_EQ(test, mk_share_drop_att(&f->books, "b", n,
							&f->r), 0);
		KUNIT_EXPECT_EQ(test, reap(f), 1);
	}
}

/* Its owner dies before its memory is there. */
static void dies_in_making(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share_spec spec = { .name = "x", .owner = "a", .bytes = 1 };
	struct mk_share *share;

	KUNIT_ASSERT_EQ(test, mk_share_add(&f->books, &spec, &share, &f->r),
			0);
	KUNIT_EXPECT_EQ(test, mk_share_add(&f->books, &spec, &share, &f->r),
			-EEXIST);
	mk_share_kernel_gone(&f->books, "a");
	KUNIT_EXPECT_EQ(test, reap(f), 0);
	mk_share_made(&f->books, share);
	KUNIT_EXPECT_EQ(test, reap(f), 1);
	KUNIT_EXPECT_EQ(test, f->books.nr, 0);
}

static void limits(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_share *share = make(test, "x", "a", MK_SHARE_POOL);
	struct mk_att att = { .number = 1, .rights = MK_RIGHT_READ };
	char name[8];
	int i;

	for (i = 1; i < MK_SHARE_HOLDERS_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		KUNIT_ASSERT_EQ(test, mk_share_add_grant(share, name,
				MK_RIGHT_READ, &f->r), 0);
	}
	KUNIT_EXPECT_EQ(test, mk_share_add_grant(share, "more", MK_RIGHT_READ,
						 &f->r), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mk_share_set_owner(&f->books, share, "more", 9,
						 &f->r), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mk_share_add_att(share, "a", &att, &f->r), 0);
	KUNIT_EXPECT_EQ(test, mk_share_add_att(share, "a", &att, &f->r),
			-EEXIST);
	for (i = 1; i < MK_ATTACHED_MAX; i++) {
		att.number++;
		KUNIT_ASSERT_EQ(test, mk_share_add_att(share, "a", &att,
						       &f->r), 0);
	}
	att.number++;
	KUNIT_EXPECT_EQ(test, mk_share_add_att(share, "a", &att, &f->r),
			-ENOSPC);
}

/* What holds after every step */
static void expect_consistent(struct kunit *test, struct fixture *f)
{
	struct mk_share *share, *other;
	struct mk_party *party;
	u32 nr = 0, last = 0;

	list_for_each_entry(share, &f->books.shares, node) {
		u32 attached = 0, parties = 0;

		KUNIT_EXPECT_GT(test, share->id, last);
		last = share->id;
		nr++;
		list_for_each_entry(party, &share->parties, node) {
			KUNIT_EXPECT_EQ(test, party->attached,
					list_count_nodes(&party->atts));
			if (party->revoked && party != mk_share_owner(share))
				KUNIT_EXPECT_GT(test, party->attached, 0);
			attached += party->attached;
			parties++;
		}
		KUNIT_EXPECT_EQ(test, share->attached, attached);
		KUNIT_EXPECT_EQ(test, share->nr_parties, parties);
		if (share->state != MK_SHARE_LIVE)
			KUNIT_EXPECT_GT(test, attached, 0);
		other = mk_share_find_name(&f->books, share->name);
		if (share->state == MK_SHARE_LIVE &&
		    share->kind == MK_SHARE_POOL)
			KUNIT_EXPECT_PTR_EQ(test, share, other);
	}
	KUNIT_EXPECT_EQ(test, f->books.nr, nr);
	/* Nothing is given back that anybody has attached. */
	list_for_each_entry(share, &f->books.over, node)
		KUNIT_EXPECT_EQ(test, share->attached, 0);
}

static struct mk_share *any(struct fixture *f, struct rnd_state *rnd)
{
	struct mk_share *share;
	u32 n;

	if (!f->books.nr)
		return NULL;
	n = prandom_u32_state(rnd) % f->books.nr;
	list_for_each_entry(share, &f->books.shares, node)
		if (!n--)
			return share;
	return NULL;
}

static void step(struct fixture *f, struct rnd_state *rnd)
{
	static const char *const kernel[KERNELS] = { "host", "a", "b", "c" };
	static const char *const name[NAMES] = { "u", "v", "w", "x", "y", "z" };
	u32 dice = prandom_u32_state(rnd), who = dice >> 8 & 3, n;
	struct mk_share *share = any(f, rnd);
	struct mk_share_spec spec = {
		.name = name[(dice >> 12) % NAMES],
		.owner = kernel[who],
		.owner_id = who,
		.bytes = 4096,
		.kind = dice >> 20 & 3 ? MK_SHARE_POOL : MK_SHARE_REFERENCE,
	};

	switch (share ? dice % 16 : 0) {
	case 0:
		if (!mk_share_add(&f->books, &spec, &share, &f->r))
			mk_share_made(&f->books, share);
		break;
	case 1 ... 3:
		mk_share_add_grant(share, kernel[who], MK_RIGHT_READ, &f->r);
		break;
	case 4 ... 8:
		attach(f, share, kernel[who], MK_RIGHT_READ, &n);
		break;
	case 9 ... 11:
		if (f->number)
			mk_share_drop_att(&f->books, kernel[who], f->number -
					  (dice >> 12) % min(f->number, 16U),
					  &f->r);
		break;
	case 12:
		mk_share_revoke_party(&f->books, share, kernel[who], 0, &n,
				      &f->r);
		break;
	case 13:
		mk_share_revoke_all(&f->books, share, 0);
		mk_share_settle(&f->books, share);
		break;
	case 14:
		if (!mk_share_check_live(share, &f->r))
			mk_share_set_owner(&f->books, share, kernel[who], who,
					   &f->r);
		break;
	default:
		if (dice >> 28 == 0)
			mk_share_kernel_gone(&f->books, kernel[who]);
	}
}

static void random_steps(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 4);
	for (i = 0; i < ROUNDS; i++) {
		step(f, &rnd);
		expect_consistent(test, f);
		if (i % 7 == 0)
			reap(f);
	}
	/* With the end of all kernels all shares end. */
	mk_share_kernel_gone(&f->books, "host");
	mk_share_kernel_gone(&f->books, "a");
	mk_share_kernel_gone(&f->books, "b");
	mk_share_kernel_gone(&f->books, "c");
	KUNIT_EXPECT_EQ(test, f->books.nr, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->books.shares));
}

/* What a host may tell of a share, and what not */
static void pages(struct kunit *test)
{
	struct mk_wire_share share = {
		.name = "x",
		.bytes = 3 << 12,
		.nr_extents = 2,
		.extents = { MK_EXTENT(0x3000000000ULL, 1),
			     MK_EXTENT(0x3000000200ULL, 2) },
	};
	struct mk_pages p;
	struct mk_refusal r;
	u64 addr, left;

	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), 0);
	KUNIT_EXPECT_TRUE(test, mk_pages_at(&p, 4096, &addr, &left));
	KUNIT_EXPECT_EQ(test, addr, 0x3000000200ULL << 12);
	KUNIT_EXPECT_EQ(test, left, 8192);
	KUNIT_EXPECT_FALSE(test, mk_pages_at(&p, 3 << 12, &addr, &left));
	share.bytes = 2 << 12;
	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), -EPROTO);
	share.bytes = 3 << 12;
	share.extents[1] = MK_EXTENT(0x3000000200ULL, 0);
	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), -EPROTO);
	share.extents[1] = MK_EXTENT(virt_to_phys(test->priv) >> 12, 2);
	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), -EPERM);
	KUNIT_EXPECT_EQ(test, r.reason, MK_REASON_FRAME_OWN_RAM);
	share.nr_extents = MK_SHARE_EXTENTS + 1;
	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), -EPROTO);
	share.nr_extents = 0;
	share.bytes = 0;
	KUNIT_EXPECT_EQ(test, mk_pages_parse(&share, &p, &r), -EPROTO);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(names),
	KUNIT_CASE(rights),
	KUNIT_CASE(generations),
	KUNIT_CASE(revoking),
	KUNIT_CASE(owner_dies),
	KUNIT_CASE(grantee_dies),
	KUNIT_CASE(giving),
	KUNIT_CASE(references),
	KUNIT_CASE(lender_dies),
	KUNIT_CASE(dies_in_making),
	KUNIT_CASE(limits),
	KUNIT_CASE(random_steps),
	KUNIT_CASE(pages),
	{}
};

static struct kunit_suite share_suite = {
	.name = "multikernel_share",
	.init = share_test_init,
	.exit = share_test_exit,
	.test_cases = share_cases,
};

kunit_test_suites(&share_suite);

MODULE_DESCRIPTION("Tests of the books of shares");
MODULE_LICENSE("GPL");
