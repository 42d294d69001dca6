/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending IPIs by APIC id. */
#ifndef _MK_ICR_H
#define _MK_ICR_H

#include <linux/types.h>

int mk_icr_encode(bool x2apic, u32 apicid, u32 command, u64 *ret_icr);
int mk_icr_send(u32 apicid, u32 command);

#endif /* _MK_ICR_H */
