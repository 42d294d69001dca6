// SPDX-License-Identifier: GPL-2.0-only
/*
 * The version that the build was told.
 */
#include <mk/spawn.h>

#ifndef MK_VERSION
#error "userland.mk sets MK_VERSION"
#endif

const char *mk_version(void)
{
	return MK_VERSION;
}
