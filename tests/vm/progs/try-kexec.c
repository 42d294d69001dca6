// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ask for every way in which kexec could load a kernel, with arguments that
 * load none: what counts is whether the kernel says EPERM before it looks at
 * them. Prints "try-kexec: WHAT: ERRNO" for each.
 */
#include <linux/kexec.h>
#include <linux/multikernel.h>

static void tell(const char *what, long ret)
{
	printf("try-kexec: %s: %d\n", what, ret < 0 ? errno : 0);
}

int main(void)
{
	tell("kexec_load", syscall(__NR_kexec_load, 0, 0, NULL, 0));
	tell("kexec_load crash",
	     syscall(__NR_kexec_load, 0, 0, NULL, KEXEC_ON_CRASH));
	tell("kexec_file_load",
	     syscall(__NR_kexec_file_load, -1, -1, 1, "",
		     KEXEC_FILE_NO_INITRAMFS));
	tell("kexec_file_load multikernel",
	     syscall(__NR_kexec_file_load, -1, -1, 1, "",
		     KEXEC_FILE_NO_INITRAMFS | KEXEC_FILE_MULTIKERNEL |
		     KEXEC_FILE_MULTIKERNEL_ID(1)));
	return 0;
}
