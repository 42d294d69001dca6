// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sum over physical memory, read through /dev/mem: does somebody write there?
 * By mmap(2), since read(2) ends where the kernel's own RAM does.
 *
 * usage: peek ADDRESS BYTES
 */
#include <linux/mman.h>

int main(int argc, char **argv)
{
	uint64_t sum = 0, *p, *end;
	unsigned long addr, bytes;
	int fd;

	if (argc != 3)
		return 2;
	addr = strtoul(argv[1], NULL, 0);
	bytes = strtoul(argv[2], NULL, 0);
	fd = open("/dev/mem", O_RDONLY, 0);
	p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, addr);
	if (fd < 0 || p == MAP_FAILED) {
		perror("peek");
		return 1;
	}
	for (end = p + bytes / sizeof(*p); p < end; p++)
		sum = sum * 31 + *p;
	printf("%lx%08lx\n", (unsigned long)(sum >> 32),
	       (unsigned long)(sum & 0xffffffff));
	return 0;
}
