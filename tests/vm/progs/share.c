// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares at the level of the ioctls, for tests: on the host and in instances.
 * A refusal is printed as "ERRNO REASON A B OBJECT", and exits with 1.
 *
 *	share create NAME BYTES [OWNER]
 *	share grant NAME PEER ro|rw [later]
 *	share give NAME PEER
 *	share revoke NAME PEER|- MS
 *	share keep NAME ro|rw		hold it in the kernel
 *	share detach NAME
 *	share fill NAME SEED		a pattern over all of it
 *	share sum NAME [ro|rw]		prints a checksum
 *	share segv NAME			write through a read-only mapping
 *	share hold NAME ro|rw stay|leave   until killed; prints events with a
 *					checksum, and leaves at REVOKED if it is to
 *	share get NAME			generation state attaches refused extents,
 *					then "HOLDER RIGHTS ATTACHED FLAGS" lines
 *	share map NAME			mmap(2) as it must not be done
 *	share edge NAME			faults at the edge of a large page
 *	share large NAME ro|rw [small]	touches all of it: is it in large pages?
 *	share raw WHAT			ioctls as nobody makes them
 *	share speed NAME		reads, against own memory: percent
 *	share rounds N NAME		create, grant, attach, detach, revoke
 *	share memory NAME BYTES		MK_IOC_SET_MEMORY of an instance
 *	share allow NAME PEER		MK_IOC_SET_CHANNELS of an instance
 *	share agent			in instance X: runs what is told in share
 *					ctl-X, which the host has made
 *	share tell X COMMAND		on the host: and prints what it printed
 */
#include <linux/mman.h>
#include <linux/multikernel.h>
#include <linux/resource.h>
#include <linux/sched.h>

#define PAGE	4096UL
#define OUT_MAX	2000

static int dev;

static int refused(const char *what, const struct mk_refusal *r)
{
	int err = errno;

	printf("%s: %d %u %lu %lu %s\n", what, err, r->reason,
	       (unsigned long)r->a, (unsigned long)r->b, r->object);
	return 1;
}

static __u32 rights(const char *s)
{
	return s && !strcmp(s, "rw") ? MK_RIGHT_READ | MK_RIGHT_WRITE :
	       s && !strcmp(s, "wo") ? MK_RIGHT_WRITE : MK_RIGHT_READ;
}

static int create(char **arg)
{
	struct mk_share_create c = {
		.size = sizeof(c),
		.bytes = strtoul(arg[1], NULL, 0),
		.node = MK_NODE_ANY,
	};

	strlcpy(c.name, arg[0], sizeof(c.name));
	if (arg[2])
		strlcpy(c.owner, arg[2], sizeof(c.owner));
	if (ioctl(dev, MK_IOC_SHARE_CREATE, &c))
		return refused("create", &c.refusal);
	return 0;
}

/* grant, give, revoke, detach */
static int op(unsigned long ioc, const char *what, const char *name,
	      const char *peer, __u32 want, __u32 flags, __u32 ms)
{
	struct mk_share_op o = {
		.size = sizeof(o),
		.rights = want,
		.flags = flags,
		.timeout_ms = ms,
	};

	strlcpy(o.name, name, sizeof(o.name));
	if (peer && strcmp(peer, "-"))
		strlcpy(o.peer, peer, sizeof(o.peer));
	return ioctl(dev, ioc, &o) ? refused(what, &o.refusal) : 0;
}

static int attach(const char *name, __u32 want, __u32 flags,
		  struct mk_share_attach *a)
{
	memset(a, 0, sizeof(*a));
	a->size = sizeof(*a);
	a->rights = want;
	a->flags = flags;
	strlcpy(a->name, name, sizeof(a->name));
	return ioctl(dev, MK_IOC_SHARE_ATTACH, a) ?
	       refused("attach", &a->refusal) : 0;
}

static void *map(const char *name, __u32 want, struct mk_share_attach *a)
{
	int prot = PROT_READ | (want & MK_RIGHT_WRITE ? PROT_WRITE : 0);
	void *p;

	if (attach(name, want, 0, a))
		return NULL;
	p = mmap(NULL, a->bytes, prot, MAP_SHARED, a->fd, 0);
	if (p == MAP_FAILED) {
		printf("mmap: %d\n", errno);
		return NULL;
	}
	return p;
}

static int fill(char **arg)
{
	unsigned long i, seed = strtoul(arg[1], NULL, 0);
	struct mk_share_attach a;
	unsigned long *p = map(arg[0], rights("rw"), &a);

	if (!p)
		return 1;
	for (i = 0; i < a.bytes / sizeof(*p); i++)
		p[i] = (i + seed) * 0x9e3779b97f4a7c15UL;
	return 0;
}

static unsigned long sum_of(const unsigned long *p, unsigned long bytes)
{
	unsigned long i, sum = 0;

	for (i = 0; i < bytes / sizeof(*p); i++)
		sum = sum * 31 + p[i];
	return sum;
}

static int sum(char **arg)
{
	struct mk_share_attach a;
	unsigned long *p = map(arg[0], rights(arg[1]), &a);
	unsigned long s;

	if (!p)
		return 1;
	s = sum_of(p, a.bytes);
	printf("%x.%x\n", (unsigned int)(s >> 32), (unsigned int)s);
	return 0;
}

/* In a child: 0 when writing there killed it by SIGSEGV */
static int writes(volatile char *p)
{
	int status, pid = fork();

	if (!pid) {
		*p = 'x';
		exit(0);
	}
	waitpid(pid, &status, 0);
	return (status & 0x7f) == SIGSEGV ? 0 : 1;
}

static int segv(char **arg)
{
	struct mk_share_attach a;
	char *p = map(arg[0], rights("ro"), &a);

	if (!p)
		return 1;
	if (writes(p) || writes(p + a.bytes - 1)) {
		printf("written\n");
		return 1;
	}
	if (my_syscall3(__NR_mprotect, p, a.bytes, PROT_READ | PROT_WRITE) !=
	    -EACCES) {
		printf("mprotect\n");
		return 1;
	}
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a.fd, 0);
	if (p != MAP_FAILED || errno != EACCES) {
		printf("mmap\n");
		return 1;
	}
	return 0;
}

static int hold(char **arg)
{
	struct mk_share_attach a;
	struct mk_share_event e;
	unsigned long s, *p = map(arg[0], rights(arg[1]), &a);

	if (!p)
		return 1;
	printf("held %lu\n", sum_of(p, PAGE) & 1);	/* one page is mapped */
	while (read(a.fd, &e, sizeof(e)) == sizeof(e)) {
		s = sum_of(p, a.bytes);
		printf("event %u %u %x.%x\n", e.what, e.timeout_ms,
		       (unsigned int)(s >> 32), (unsigned int)s);
		if (e.what == MK_SHARE_EVENT_REVOKED && !strcmp(arg[2], "leave"))
			return 0;
	}
	return 1;
}

static int get(char **arg)
{
	struct mk_share_holder holders[MK_SHARE_HOLDERS_MAX];
	struct mk_range extents[MK_SHARE_EXTENTS];
	struct mk_share_get g = {
		.size = sizeof(g),
		.nr_extents = MK_SHARE_EXTENTS,
		.nr_holders = MK_SHARE_HOLDERS_MAX,
		.extents = (unsigned long)extents,
		.holders = (unsigned long)holders,
	};
	__u32 i;

	strlcpy(g.name, arg[0], sizeof(g.name));
	if (ioctl(dev, MK_IOC_SHARE_GET, &g))
		return refused("get", &g.refusal);
	printf("%lu %u %lu %lu %u %lu %lu\n", (unsigned long)g.generation,
	       g.state, (unsigned long)g.attaches, (unsigned long)g.refused,
	       g.nr_extents, (unsigned long)g.bytes,
	       (unsigned long)g.charged_bytes);
	for (i = 0; i < g.nr_extents; i++)
		printf("0x%lx 0x%lx\n", (unsigned long)extents[i].addr,
		       (unsigned long)(extents[i].addr + extents[i].bytes));
	for (i = 0; i < g.nr_holders; i++)
		printf("%s %u %u %u\n", holders[i].name, holders[i].rights,
		       holders[i].attached, holders[i].flags);
	return 0;
}

static int must_fail(const char *what, void *p, int want)
{
	if (p == MAP_FAILED && errno == want)
		return 0;
	printf("%s: %d\n", what, p == MAP_FAILED ? errno : 0);
	return 1;
}

static int bad_maps(char **arg)
{
	struct mk_share_attach a;
	char *p = map(arg[0], rights("rw"), &a);
	int rw = PROT_READ | PROT_WRITE;

	if (!p)
		return 1;
	return must_fail("private", mmap(NULL, PAGE, rw, MAP_PRIVATE, a.fd, 0),
			 EINVAL) ||
	       must_fail("exec", mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
				      MAP_SHARED, a.fd, 0), EPERM) ||
	       must_fail("behind", mmap(NULL, PAGE, rw, MAP_SHARED, a.fd,
					a.bytes), EINVAL) ||
	       must_fail("longer", mmap(NULL, a.bytes + PAGE, rw, MAP_SHARED,
					a.fd, 0), EINVAL) ||
	       must_fail("wrapping", mmap(NULL, PAGE, rw, MAP_SHARED, a.fd,
					  -PAGE), EOVERFLOW) ||
	       must_fail("mremap", (void *)my_syscall4(__NR_mremap, p, a.bytes,
				a.bytes + PAGE, 1) == (void *)-EFAULT ?
			 (errno = EFAULT, MAP_FAILED) : p, EFAULT);
}

static long faults(void)
{
	struct rusage usage = { };

	my_syscall2(__NR_getrusage, RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/*
 * A mapping from the last page of the first 2 MiB on. That page is touched
 * first, or after the rest; the rest is one large page, and one fault, anyway.
 */
static int edge(char **arg)
{
	struct mk_share_attach a;
	int last, before, n;
	volatile char *p;
	long i, large = 2UL << 20;

	if (attach(arg[0], rights("rw"), 0, &a))
		return 1;
	for (last = 0; last < 2; last++) {
		p = mmap(NULL, large + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 a.fd, large - PAGE);
		if (p == MAP_FAILED) {
			printf("mmap: %d\n", errno);
			return 1;
		}
		if (!last)
			p[0] = 1;
		before = faults();
		for (i = 0; i < large; i += PAGE)
			p[PAGE + i] = 1;
		n = faults() - before;
		if (last)
			p[0] = 1;
		munmap((void *)p, large + PAGE);
		if (n > 8) {
			printf("%d faults for a large page\n", n);
			return 1;
		}
	}
	return 0;
}

/* What the page tables of this process take, in KiB */
static long tables_kib(void)
{
	char text[4096], *at;
	int n, fd = open("/proc/self/status", O_RDONLY, 0);

	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	for (at = text; *at; at++)
		if (!strncmp(at, "VmPTE:", 6))
			return strtol(at + 6, NULL, 10);
	return -1;
}

/*
 * Large pages need no table of small ones, 4 KiB for each 2 MiB, only the few
 * above those; and a fault each, not one for each 64 KiB.
 */
static int large(char **arg)
{
	struct mk_share_attach a;
	volatile char *p = map(arg[0], rights(arg[1]), &a);
	int write = rights(arg[1]) & MK_RIGHT_WRITE;
	unsigned long i, mib = p ? a.bytes >> 20 : 0;
	long n, kib;
	char c;

	if (!p || (arg[2] && my_syscall3(__NR_madvise, p, a.bytes,
					 MADV_NOHUGEPAGE)))
		return 2;
	n = faults();
	kib = tables_kib();
	for (i = 0; i < a.bytes; i += PAGE) {
		c = p[i];
		if (write)
			p[i] = c;
	}
	n = faults() - n;
	kib = tables_kib() - kib;
	printf("%ld KiB of page tables, %ld faults\n", kib, n);
	return kib < 0 || kib > 32 || n < 1 || n > (long)mib + 8;
}

/* Structs that libmk never fills in: one refusal a line */
static int raw(char **arg)
{
	struct mk_share_create c = { .size = sizeof(c), .bytes = PAGE,
				     .node = MK_NODE_ANY, .name = "raw" };
	struct mk_share_op o = { .size = sizeof(o), .name = "raw" };
	struct mk_share_attach a = { .size = sizeof(a), .name = "raw",
				     .rights = MK_RIGHT_READ };
	struct mk_share_get g = { .size = sizeof(g), .name = "raw" };

	if (!strcmp(arg[0], "create-flags"))
		c.flags = 1;
	else if (!strcmp(arg[0], "create-name"))
		memset(c.name, 'x', sizeof(c.name));
	else if (!strcmp(arg[0], "create-owner"))
		memset(c.owner, 'x', sizeof(c.owner));
	else if (!strcmp(arg[0], "create-node"))
		c.node = 1000;
	else if (!strcmp(arg[0], "grant-flags"))
		o.flags = 0x80;
	else if (!strcmp(arg[0], "grant-reserved"))
		o.reserved = 1;
	else if (!strcmp(arg[0], "grant-peer"))
		memset(o.peer, 'x', sizeof(o.peer));
	else if (!strcmp(arg[0], "attach-flags"))
		a.flags = 0x80;
	else if (!strcmp(arg[0], "attach-reserved"))
		a.reserved = 1;
	else if (!strcmp(arg[0], "attach-id"))
		a.id = 77777;
	else if (!strcmp(arg[0], "attach-stale"))
		a.generation = ~0UL;
	else if (!strcmp(arg[0], "revoke-stale") ||
		 !strcmp(arg[0], "detach-stale"))
		o.generation = ~0UL;
	else if (!strcmp(arg[0], "get-reserved"))
		g.reserved = 1;
	else
		return 2;
	if (arg[0][0] == 'c')
		return ioctl(dev, MK_IOC_SHARE_CREATE, &c) ?
		       refused(arg[0], &c.refusal) : 0;
	if (arg[0][0] == 'a')
		return ioctl(dev, MK_IOC_SHARE_ATTACH, &a) ?
		       refused(arg[0], &a.refusal) : 0;
	if (arg[0][0] == 'r')
		return ioctl(dev, MK_IOC_SHARE_REVOKE, &o) ?
		       refused(arg[0], &o.refusal) : 0;
	if (arg[0][0] == 'd')
		return ioctl(dev, MK_IOC_SHARE_DETACH, &o) ?
		       refused(arg[0], &o.refusal) : 0;
	if (arg[0][1] == 'r')
		return ioctl(dev, MK_IOC_SHARE_GRANT, &o) ?
		       refused(arg[0], &o.refusal) : 0;
	return ioctl(dev, MK_IOC_SHARE_GET, &g) ?
	       refused(arg[0], &g.refusal) : 0;
}

static __u32 id_of(const char *name)
{
	struct mk_get g = { .size = sizeof(g) };

	strlcpy(g.name, name, sizeof(g.name));
	if (ioctl(dev, MK_IOC_GET, &g))
		refused("get", &g.refusal);
	return g.id;
}

static int allow(char **arg)
{
	char peer[MK_NAME_MAX] = "";
	struct mk_set_channels c = {
		.size = sizeof(c),
		.id = id_of(arg[0]),
		.nr_peers = 1,
		.peers = (unsigned long)peer,
	};

	strlcpy(peer, arg[1], sizeof(peer));
	return ioctl(dev, MK_IOC_SET_CHANNELS, &c) ?
	       refused("allow", &c.refusal) : 0;
}

static int memory(char **arg)
{
	struct mk_memory_part part = {
		.bytes = strtoul(arg[1], NULL, 0),
		.node = MK_NODE_ANY,
	};
	struct mk_set_memory m = {
		.size = sizeof(m),
		.id = id_of(arg[0]),
		.nr_parts = part.bytes ? 1 : 0,
		.parts = (unsigned long)&part,
	};

	return ioctl(dev, MK_IOC_SET_MEMORY, &m) ?
	       refused("memory", &m.refusal) : 0;
}

static unsigned long tsc(void)
{
	unsigned int lo, hi;

	asm volatile("lfence; rdtsc" : "=a" (lo), "=d" (hi) :: "memory");
	return (unsigned long)hi << 32 | lo;
}

static unsigned long read_once(const unsigned long *p, unsigned long bytes,
			       unsigned long best)
{
	unsigned long t = tsc();
	volatile unsigned long s = sum_of(p, bytes);

	t = tsc() - t;
	(void)s;
	return t < best ? t : best;
}

/* The best of many reads of either, in turns: until 1.1 or the end */
static int speed(char **arg)
{
	unsigned long best = ~0UL, own_best = ~0UL, bytes;
	struct mk_share_attach a;
	unsigned long *p = map(arg[0], rights("ro"), &a), *own;
	int i;

	if (!p)
		return 1;
	bytes = a.bytes > 0x400000 ? 0x400000 : a.bytes;
	own = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(own, 1, bytes);
	for (i = 0; i < 200 && (i < 4 || best * 10 > own_best * 11); i++) {
		own_best = read_once(own, bytes, own_best);
		best = read_once(p, bytes, best);
	}
	printf("%lu percent after %d\n", best * 100 / own_best, i);
	return best * 10 > own_best * 11;
}

static int rounds(char **arg)
{
	unsigned long i, n = strtoul(arg[0], NULL, 0);
	char *new[] = { arg[1], "0x201000", NULL };
	struct mk_info info = { .size = sizeof(info) };
	struct mk_share_attach a;
	const char *peer;
	volatile char *p;
	int ret = ioctl(dev, MK_IOC_INFO, &info);

	/* An instance can only grant to who is there. */
	peer = info.role == MK_ROLE_HOST ? "rounds" : MK_PEER_HOST;
	for (i = 0; i < n && !ret; i++) {
		ret = create(new) ||
		      op(MK_IOC_SHARE_GRANT, "grant", arg[1], peer,
			 MK_RIGHT_READ, peer[0] == 'r' ? MK_SHARE_LATER : 0,
			 0);
		p = ret ? NULL : map(arg[1], rights("rw"), &a);
		if (!p)
			return 1;
		if (p[0] || p[a.bytes - 1]) {
			printf("not zero in round %lu\n", i);
			return 1;
		}
		p[0] = 1;
		p[a.bytes - 1] = 1;
		munmap((void *)p, a.bytes);
		close(a.fd);
		ret = op(MK_IOC_SHARE_REVOKE, "revoke", arg[1],
			 i % 2 ? peer : "-", 0, 0, 0) ||
		      (i % 2 && op(MK_IOC_SHARE_REVOKE, "revoke all", arg[1],
				   "-", 0, 0, 1000));
	}
	return ret;
}

/* Share ctl-X: a command for X, and what it printed */
struct ctl {
	volatile unsigned int asked, answered;
	int status;
	char command[1024];
	char out[OUT_MAX + 1];
};

static void run(struct ctl *ctl)
{
	char *argv[] = { "sh", "-c", ctl->command, NULL };
	char *envp[] = { "PATH=/bin:/sbin:/usr/bin:/usr/sbin", NULL };
	int status, n, fd, pid = fork();

	if (!pid) {
		fd = open("/agent.out", O_RDWR | O_CREAT | O_TRUNC, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		execve("/bin/sh", argv, envp);
		exit(127);
	}
	waitpid(pid, &status, 0);
	fd = open("/agent.out", O_RDONLY, 0);
	n = read(fd, ctl->out, OUT_MAX);
	close(fd);
	ctl->out[n > 0 ? n : 0] = 0;
	ctl->status = status & 0x7f ? 128 : (status >> 8) & 0xff;
	ctl->answered = ctl->asked;
}

static struct ctl *ctl_of(const char *name)
{
	struct mk_share_attach a;
	char share[MK_SHARE_NAME_MAX] = "ctl-";

	strlcat(share, name, sizeof(share));
	return map(share, rights("rw"), &a);
}

static int agent(void)
{
	struct mk_info info = { .size = sizeof(info) };
	struct ctl *ctl;

	if (ioctl(dev, MK_IOC_INFO, &info))
		return 1;
	ctl = ctl_of(info.name);
	if (!ctl)
		return 1;
	printf("agent of %s\n", info.name);
	ctl->answered = ctl->asked;
	for (;;) {
		if (ctl->asked != ctl->answered)
			run(ctl);
		usleep(2000);
	}
}

static int tell(char **arg)
{
	struct ctl *ctl = ctl_of(arg[0]);
	int i;

	if (!ctl || !arg[1])
		return 2;
	strlcpy(ctl->command, arg[1], sizeof(ctl->command));
	asm volatile("" ::: "memory");
	ctl->asked++;
	for (i = 0; i < 30000 && ctl->asked != ctl->answered; i++)
		usleep(2000);
	if (ctl->asked != ctl->answered) {
		printf("tell: no answer from %s\n", arg[0]);
		return 2;
	}
	printf("%s", ctl->out);
	return ctl->status;
}

static int verb(const char *v, char **arg)
{
	struct mk_share_attach a;

	if (!strcmp(v, "create"))
		return create(arg);
	if (!strcmp(v, "grant"))
		return op(MK_IOC_SHARE_GRANT, v, arg[0], arg[1],
			  rights(arg[2]), arg[2] && arg[3] ? MK_SHARE_LATER : 0,
			  0);
	if (!strcmp(v, "give"))
		return op(MK_IOC_SHARE_GIVE, v, arg[0], arg[1], 0, 0, 0);
	if (!strcmp(v, "revoke"))
		return op(MK_IOC_SHARE_REVOKE, v, arg[0], arg[1], 0, 0,
			  strtoul(arg[2], NULL, 0));
	if (!strcmp(v, "keep"))
		return attach(arg[0], rights(arg[1]), MK_SHARE_KEEP, &a);
	if (!strcmp(v, "detach"))
		return op(MK_IOC_SHARE_DETACH, v, arg[0], NULL, 0, 0, 0);
	if (!strcmp(v, "fill"))
		return fill(arg);
	if (!strcmp(v, "sum"))
		return sum(arg);
	if (!strcmp(v, "segv"))
		return segv(arg);
	if (!strcmp(v, "hold"))
		return hold(arg);
	if (!strcmp(v, "get"))
		return get(arg);
	if (!strcmp(v, "map"))
		return bad_maps(arg);
	if (!strcmp(v, "edge"))
		return edge(arg);
	if (!strcmp(v, "large"))
		return large(arg);
	if (!strcmp(v, "raw"))
		return raw(arg);
	if (!strcmp(v, "allow"))
		return allow(arg);
	if (!strcmp(v, "memory"))
		return memory(arg);
	if (!strcmp(v, "speed"))
		return speed(arg);
	if (!strcmp(v, "rounds"))
		return rounds(arg);
	if (!strcmp(v, "agent"))
		return agent();
	if (!strcmp(v, "tell"))
		return tell(arg);
	return 2;
}

int main(int argc, char **argv)
{
	dev = open("/dev/multikernel", O_RDWR, 0);
	if (dev < 0 || argc < 2)
		return 2;
	return verb(argv[1], argv + 2);
}
