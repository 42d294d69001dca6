/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI table that says which memory belongs to which NUMA node, read before
 * Linux reads it.
 */
#ifndef _MK_SRAT_H
#define _MK_SRAT_H

#include <linux/acpi.h>

#include "../../../kernel/multikernel/internal.h"

#ifdef CONFIG_ACPI_NUMA
/**
 * struct mk_srat - a SRAT, and what is known while it is read
 * @nodes: what came out
 * @max_apicid: of the APIC driver that Linux has when it reads the table;
 *	x2APIC entries above it do not count
 * @nr_nodes: met so far
 * @revision: of the table
 * @node_of: proximity domain to node
 */
struct mk_srat {
	struct mk_early_nodes nodes;
	u32 max_apicid;
	u32 nr_nodes;
	u8 revision;
	u16 node_of[MAX_PXM_DOMAINS];
};

const char *mk_srat_parse(struct mk_srat *s, const void *table, u32 bytes,
			  u32 max_apicid);
#endif

#endif /* _MK_SRAT_H */
