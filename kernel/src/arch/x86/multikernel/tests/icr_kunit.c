// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the interrupt command register's encoding, in both modes of the
 * local APIC: the values are written down as the SDM draws them (vol. 3,
 * "Interrupt Command Register" and "x2APIC ICR"). What would reach more than
 * one CPU is refused.
 */
#include <kunit/test.h>
#include <asm/apic.h>

#include "../icr.h"

#define XAPIC	false
#define X2APIC	true
#define UNTOUCHED	0x5a5a5a5a5a5a5a5aULL

/* The commands that we send, as the kernel composes them */
#define INIT_ASSERT	(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT)
#define INIT_DEASSERT	(APIC_INT_LEVELTRIG | APIC_DM_INIT)
#define SIPI		(APIC_DM_STARTUP | 0x9a)
#define FIXED		(APIC_DM_FIXED | APIC_INT_ASSERT | 0xf5)

struct good_case {
	bool x2apic;
	u32 apicid;
	u32 command;
	u64 icr;
};

static const struct good_case good_cases[] = {
	/* delivery mode: bits 10:8, level: 14, trigger: 15 */
	{ XAPIC,  0,		INIT_ASSERT,	0x000000000000c500 },
	{ XAPIC,  0,		INIT_DEASSERT,	0x0000000000008500 },
	{ XAPIC,  0,		SIPI,		0x000000000000069a },
	{ XAPIC,  0,		FIXED,		0x00000000000040f5 },
	{ X2APIC, 0,		INIT_ASSERT,	0x000000000000c500 },
	{ X2APIC, 0,		INIT_DEASSERT,	0x0000000000008500 },
	{ X2APIC, 0,		SIPI,		0x000000000000069a },
	{ X2APIC, 0,		FIXED,		0x00000000000040f5 },
	/* destination: bits 63:56 */
	{ XAPIC,  1,		INIT_ASSERT,	0x010000000000c500 },
	{ XAPIC,  0x12,		SIPI,		0x120000000000069a },
	{ XAPIC,  127,		FIXED,		0x7f000000000040f5 },
	{ XAPIC,  128,		FIXED,		0x80000000000040f5 },
	{ XAPIC,  254,		INIT_DEASSERT,	0xfe00000000008500 },
	/* destination: bits 63:32 */
	{ X2APIC, 1,		INIT_ASSERT,	0x000000010000c500 },
	{ X2APIC, 254,		SIPI,		0x000000fe0000069a },
	{ X2APIC, 255,		FIXED,		0x000000ff000040f5 },
	{ X2APIC, 256,		FIXED,		0x00000100000040f5 },
	{ X2APIC, 0x12345678,	SIPI,		0x123456780000069a },
	{ X2APIC, 0x80000000,	INIT_ASSERT,	0x800000000000c500 },
	{ X2APIC, 0xfffffffe,	FIXED,		0xfffffffe000040f5 },
};

static void icr_good(struct kunit *test)
{
	const struct good_case *c;
	u64 icr;

	for (c = good_cases; c < good_cases + ARRAY_SIZE(good_cases); c++) {
		icr = UNTOUCHED;
		KUNIT_EXPECT_EQ_MSG(test, mk_icr_encode(c->x2apic, c->apicid,
							c->command, &icr),
				    0, "x2apic %d, id %#x", c->x2apic,
				    c->apicid);
		KUNIT_EXPECT_EQ_MSG(test, icr, c->icr,
				    "x2apic %d, id %#x, command %#x",
				    c->x2apic, c->apicid, c->command);
	}
}

/* Every id that fits into xAPIC's 8 bits, but the broadcast */
static void icr_xapic_ids(struct kunit *test)
{
	u32 apicid;
	u64 icr;

	for (apicid = 0; apicid < 0xff; apicid++) {
		KUNIT_EXPECT_EQ(test, mk_icr_encode(XAPIC, apicid, FIXED, &icr),
				0);
		KUNIT_EXPECT_EQ(test, icr >> 56, (u64)apicid);
		KUNIT_EXPECT_EQ(test, icr & GENMASK_ULL(55, 0), 0x40f5ULL);
	}
}

struct bad_case {
	bool x2apic;
	u32 apicid;
	u32 command;
	const char *what;
};

static const struct bad_case bad_cases[] = {
	{ XAPIC,  0xff,		FIXED, "broadcast" },
	{ XAPIC,  0xff,		INIT_ASSERT, "broadcast" },
	{ XAPIC,  256,		FIXED, "id of 9 bits, would be 0" },
	{ XAPIC,  257,		SIPI, "id of 9 bits, would be 1" },
	{ XAPIC,  0x12345678,	INIT_ASSERT, "id of 29 bits" },
	{ XAPIC,  0xff000000,	FIXED, "id of 32 bits" },
	{ XAPIC,  0xffffffff,	FIXED, "broadcast of the other mode" },
	{ X2APIC, 0xffffffff,	FIXED, "broadcast" },
	{ X2APIC, 0xffffffff,	INIT_ASSERT, "broadcast" },
	{ XAPIC,  1, FIXED | APIC_DEST_SELF, "self" },
	{ XAPIC,  1, FIXED | APIC_DEST_ALLINC, "all including self" },
	{ XAPIC,  1, FIXED | APIC_DEST_ALLBUT, "all but self" },
	{ XAPIC,  1, INIT_ASSERT | APIC_DEST_ALLBUT, "all but self" },
	{ X2APIC, 1, FIXED | APIC_DEST_SELF, "self" },
	{ X2APIC, 1, FIXED | APIC_DEST_ALLINC, "all including self" },
	{ X2APIC, 1, FIXED | APIC_DEST_ALLBUT, "all but self" },
	{ X2APIC, 1, SIPI | APIC_DEST_ALLBUT, "all but self" },
};

static void icr_bad(struct kunit *test)
{
	const struct bad_case *c;
	u64 icr;

	for (c = bad_cases; c < bad_cases + ARRAY_SIZE(bad_cases); c++) {
		icr = UNTOUCHED;
		KUNIT_EXPECT_EQ_MSG(test, mk_icr_encode(c->x2apic, c->apicid,
							c->command, &icr),
				    -EINVAL, "x2apic %d, id %#x: %s",
				    c->x2apic, c->apicid, c->what);
		KUNIT_EXPECT_EQ(test, icr, UNTOUCHED);
	}
}

/* In the mode of this machine, whichever it is: nothing is sent. */
static void icr_send_refuses(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mk_icr_send(U32_MAX, FIXED), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_icr_send(0, FIXED | APIC_DEST_ALLINC),
			-EINVAL);
	if (!x2apic_enabled())
		KUNIT_EXPECT_EQ(test, mk_icr_send(0xff, FIXED), -EINVAL);
}

static struct kunit_case icr_cases[] = {
	KUNIT_CASE(icr_good),
	KUNIT_CASE(icr_xapic_ids),
	KUNIT_CASE(icr_bad),
	KUNIT_CASE(icr_send_refuses),
	{}
};

static struct kunit_suite icr_suite = {
	.name = "multikernel_icr",
	.test_cases = icr_cases,
};

kunit_test_suites(&icr_suite);

MODULE_DESCRIPTION("Tests of the multikernel's IPIs by APIC id");
MODULE_LICENSE("GPL");
