// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what a kernel does with a message about a lent page, which may lie,
 * and of pages that come back though they were never lent. A share of one page
 * in the pool stands for the page of another kernel.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mk_share.h>

#include "../internal.h"
#include "../share.h"

#define NAME	"kunit-frame"

struct fixture {
	struct mk_wire_pfn wire;	/* the truth about it */
	struct mk_ipi_data message;
};

static int frame_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct mk_wire_share_op op = { .name = NAME };
	struct mk_answer answer;
	struct mk_refusal r;

	KUNIT_ASSERT_NOT_NULL(test, f);
	if (!multikernel_is_host())
		kunit_skip(test, "there is a pool only on a host");
	KUNIT_ASSERT_EQ(test, mk_share_create(NAME, PAGE_SIZE, NUMA_NO_NODE),
			0);
	test->priv = f;
	KUNIT_ASSERT_EQ(test, mk_share_call(MK_MSG_SHARE_GET, &op, sizeof(op),
					    &answer, &r), 0);
	f->wire = (struct mk_wire_pfn){
		.pfn = MK_EXTENT_PFN(answer.share.extents[0]),
		.generation = answer.share.generation,
		.share = answer.share.id,
	};
	return 0;
}

static void frame_exit(struct kunit *test)
{
	if (test->priv)
		KUNIT_EXPECT_EQ(test, mk_share_revoke(NAME, NULL, 1000), 0);
}

static struct mk_ipi_data *message(struct kunit *test, u64 pfn, u32 share,
				   u64 generation)
{
	struct fixture *f = test->priv;
	struct mk_wire_pfn wire = { .pfn = pfn, .share = share,
				    .generation = generation };

	f->message.type = MK_PFN_IPI_TYPE;
	f->message.data_size = sizeof(wire);
	memcpy(f->message.buffer, &wire, sizeof(wire));
	return &f->message;
}

/* Such a message is not believed, and nothing stays attached. */
static void refused(struct kunit *test, struct mk_ipi_data *data)
{
	void *p = mk_receive_map_page(data);

	KUNIT_EXPECT_NULL(test, p);
	mk_receive_unmap_page(p);
}

static void frame_message(struct kunit *test)
{
	struct mk_ipi_data *m = message(test, 5, 6, 7);
	unsigned long pfn = 0;

	KUNIT_EXPECT_EQ(test, mk_receive_pfn(m, &pfn), 0);
	KUNIT_EXPECT_EQ(test, pfn, 5UL);
	m->type++;
	KUNIT_EXPECT_EQ(test, mk_receive_pfn(m, &pfn), -EINVAL);
	refused(test, m);
	m->type--;
	m->data_size--;
	KUNIT_EXPECT_EQ(test, mk_receive_pfn(m, &pfn), -EINVAL);
	refused(test, m);
	KUNIT_EXPECT_EQ(test, mk_receive_pfn(NULL, &pfn), -EINVAL);
	refused(test, NULL);
}

static void frame_maps(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_ipi_data *m = message(test, f->wire.pfn, f->wire.share,
					f->wire.generation);
	u64 *p = mk_receive_map_page(m);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, PAGE_SIZE));
	p[511] = 42;
	mk_receive_unmap_page(p);
	p = mk_receive_map_page(m);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[511], 42ULL);
	mk_receive_unmap_page(p);
}

/* What is attached has to be the page that the message names. */
static void frame_other_page(struct kunit *test)
{
	struct mk_wire_pfn *w = &((struct fixture *)test->priv)->wire;

	refused(test, message(test, w->pfn + 1, w->share, w->generation));
	refused(test, message(test, w->pfn - 1, w->share, w->generation));
	refused(test, message(test, w->pfn | 1ULL << MK_EXTENT_PFN_BITS,
			      w->share, w->generation));
}

/* A reference that is over, and one that never was */
static void frame_stale(struct kunit *test)
{
	struct mk_wire_pfn *w = &((struct fixture *)test->priv)->wire;

	refused(test, message(test, w->pfn, w->share, w->generation - 1));
	refused(test, message(test, w->pfn, w->share, w->generation + 1));
	refused(test, message(test, w->pfn, w->share, 0));
	refused(test, message(test, w->pfn, w->share + 1, w->generation));
	refused(test, message(test, w->pfn, 0, w->generation));
	refused(test, message(test, w->pfn, MK_GET_NEXT, w->generation));
}

/* A page that comes back and was not lent stays its owner's. */
static void frame_not_lent(struct kunit *test)
{
	struct mk_wire_pfn *w = &((struct fixture *)test->priv)->wire;
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page);
	mk_frame_unpin(page_to_pfn(page));
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	refused(test, message(test, page_to_pfn(page), w->share,
			      w->generation));
	KUNIT_EXPECT_EQ(test, mk_send_pfn(-1, page_to_pfn(page)), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_send_pfn(mk_arch_apicid(0),
					  page_to_pfn(page)), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_send_pfn(0x7fffffff, page_to_pfn(page)),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	/* One that somebody took away is not given back twice. */
	if (page_count(page) == 2)
		put_page(page);
	put_page(page);
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(frame_message),
	KUNIT_CASE(frame_maps),
	KUNIT_CASE(frame_other_page),
	KUNIT_CASE(frame_stale),
	KUNIT_CASE(frame_not_lent),
	{}
};

static struct kunit_suite frame_suite = {
	.name = "multikernel_frame",
	.init = frame_init,
	.exit = frame_exit,
	.test_cases = frame_cases,
};
kunit_test_suites(&frame_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of lent pages");
