/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A first look at a kernel file, before anything is changed for it.
 */
#ifndef MK_SPAWN_IMAGE_H
#define MK_SPAWN_IMAGE_H

#include <mk/libmk.h>

/**
 * mk_image_check() - can this be the kernel of an instance
 * @fd: of a regular file
 * @bytes: its size
 * @path: for errors
 * @ret_span: memory that it needs from its base to the end of its bss, in
 *	bytes; 0 for a bzImage, which does not say
 *
 * An ELF vmlinux: machine, tables and segments within the file, entry, and the
 * note that makes it an instance. A bzImage: its header; what is compressed in
 * it only the kernel unpacks, when it is loaded. The kernel repeats all this
 * and more.
 *
 * Refusals: MK_REASON_IMAGE_*.
 */
int mk_image_check(int fd, uint64_t bytes, const char *path,
		   uint64_t *ret_span, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_IMAGE_H */
