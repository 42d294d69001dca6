/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * APIC ids of the online CPUs, from /proc/cpuinfo.
 */
#ifndef MK_SPAWN_CPUINFO_H
#define MK_SPAWN_CPUINFO_H

#include <mk/libmk.h>

/** mk_cpuinfo_read() - the text, for mk_cpuinfo_apicid(); the caller frees */
int mk_cpuinfo_read(struct mk_ctx *ctx, char **ret_text) MK_MUST_CHECK;

/** mk_cpuinfo_apicid() - -ENOENT when the text does not tell */
int mk_cpuinfo_apicid(const char *text, unsigned int cpu,
		      uint32_t *ret_apicid) MK_MUST_CHECK;

#endif /* MK_SPAWN_CPUINFO_H */
