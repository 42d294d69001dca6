/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * START of an instance that ran before, of whose memory others may still have
 * frames.
 */
#ifndef MK_SPAWN_AGAIN_H
#define MK_SPAWN_AGAIN_H

#include <mk/spawn.h>

#include "boot.h"

/**
 * mk_boot_start_again() - mk_boot_start() for an instance that has ended
 * @facts: of it, or NULL: what its config says of memory and references
 *
 * While other kernels have frames of the boot before attached, it is started
 * in other memory, or waits for them up to boot->options->timeout_ms and gives
 * -ETIMEDOUT, as the config says.
 */
int mk_boot_start_again(struct mk_boot *boot, const struct mk_facts *facts,
			struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_AGAIN_H */
