// SPDX-License-Identifier: GPL-2.0-only
/*
 * MK_IOC_SET_CPUS as mkctl never calls it: of an instance that need not be
 * started, for CPUs that it has in part. Prints "ERRNO REASON A B OBJECT".
 *
 * usage: lend-cpus NAME [split] [CPU...]    makes NAME unless it is there
 */
#include <linux/multikernel.h>

#define MAX_CPUS	16

/* The id of the instance, 0 for none. */
static int instance(int fd, const char *name)
{
	struct mk_get get = { .size = sizeof(get) };
	struct mk_create create = { .size = sizeof(create) };

	strlcpy(get.name, name, sizeof(get.name));
	if (!ioctl(fd, MK_IOC_GET, &get))
		return get.id;
	strlcpy(create.name, name, sizeof(create.name));
	return ioctl(fd, MK_IOC_CREATE, &create) ? 0 : create.id;
}

int main(int argc, char **argv)
{
	struct mk_set_cpus set = { .size = sizeof(set) };
	__u32 cpus[MAX_CPUS];
	int i = 2, err, fd = open("/dev/multikernel", O_RDWR, 0);

	if (fd < 0 || argc < 2 || argc > MAX_CPUS)
		return 2;
	set.id = instance(fd, argv[1]);
	set.cpus = (unsigned long)cpus;
	if (i < argc && !strcmp(argv[i], "split")) {
		set.flags = MK_CPUS_SPLIT_CORES;
		i++;
	}
	while (i < argc)
		cpus[set.nr_cpus++] = atoi(argv[i++]);
	err = ioctl(fd, MK_IOC_SET_CPUS, &set) ? errno : 0;
	printf("%d %u %lu %lu %s\n", err, set.refusal.reason,
	       (unsigned long)set.refusal.a, (unsigned long)set.refusal.b,
	       set.refusal.object);
	return err ? 1 : 0;
}
