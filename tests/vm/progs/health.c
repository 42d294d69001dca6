// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchdog, freeze, events, dumps and memory of instances at the level of the
 * ioctls, for tests. A refusal is printed as "ERRNO REASON A B OBJECT", and
 * exits with 1.
 *
 *	health watchdog NAME MS		MK_IOC_SET_WATCHDOG
 *	health freeze|thaw|stop NAME
 *	health kill NAME [CAUSE]	prints how many us until its CPUs were back
 *	health get NAME			STATE CAUSE WATCHDOG NR-STUCK STUCK-CPU
 *					LAST-STATE LAST-CAUSE
 *	health wait NAME STATE MS	until it is in that state: how many ms it took
 *	health dump NAME		"text VIRT PHYS BYTES", "offset VIRT",
 *					"vmcoreinfo PHYS BYTES", then of each CPU
 *					"cpu N ip IP sp SP pid PID" or "cpu N -"
 *	health memory NAME ADDR BYTES	reads there: as text, or the refusal
 *	health no-admin NAME		MK_OPEN_MEMORY without CAP_SYS_ADMIN
 *	health events NAME|- [MS]	all there are, then those of so long:
 *					"NAME STATE CAUSE EPOCH STUCK LOST"
 */
#include <linux/elf.h>
#include <linux/multikernel.h>
#include <linux/time_types.h>

static int dev;

static int refused(const struct mk_refusal *r)
{
	int err = errno;

	printf("%d %u %lu %lu %s\n", err, r->reason, (unsigned long)r->a,
	       (unsigned long)r->b, r->object);
	return 1;
}

static long now_us(void)
{
	struct timespec ts;

	syscall(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static int get(const char *name, struct mk_get *g)
{
	memset(g, 0, sizeof(*g));
	g->size = sizeof(*g);
	strlcpy(g->name, name, sizeof(g->name));
	return ioctl(dev, MK_IOC_GET, g);
}

static int by_id(unsigned long cmd, const char *name, __u32 cause)
{
	struct mk_by_id b = { .size = sizeof(b), .cause = cause };
	struct mk_get g;
	long start;

	if (get(name, &g))
		return refused(&g.refusal);
	b.id = g.id;
	start = now_us();
	if (ioctl(dev, cmd, &b))
		return refused(&b.refusal);
	printf("%ld\n", now_us() - start);
	return 0;
}

static int watchdog(const char *name, __u32 ms)
{
	struct mk_set_watchdog w = { .size = sizeof(w), .timeout_ms = ms };
	struct mk_get g;

	if (get(name, &g))
		return refused(&g.refusal);
	w.id = g.id;
	return ioctl(dev, MK_IOC_SET_WATCHDOG, &w) ? refused(&w.refusal) : 0;
}

static int show(const char *name)
{
	struct mk_get g;

	if (get(name, &g))
		return refused(&g.refusal);
	printf("%u %u %u %u %u %u %u\n", g.state, g.cause, g.watchdog_ms,
	       g.nr_stuck, g.stuck_cpu, g.last_state, g.last_cause);
	return 0;
}

static int open_fd(__u32 id, __u32 kind, struct mk_open *o)
{
	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->id = id;
	o->kind = kind;
	return ioctl(dev, MK_IOC_OPEN, o);
}

static int wait_state(const char *name, __u32 state, long ms)
{
	struct pollfd p = { .events = POLLIN };
	long start = now_us(), left = ms * 1000;
	struct mk_event e;
	struct mk_open o;
	struct mk_get g;

	if (get(name, &g))
		return refused(&g.refusal);
	if (open_fd(g.id, MK_OPEN_EVENTS, &o))
		return refused(&o.refusal);
	p.fd = o.fd;
	while (left > 0 && poll(&p, 1, left / 1000 + 1) > 0) {
		if (read(o.fd, &e, sizeof(e)) != sizeof(e))
			return 1;
		if (e.state == state) {
			printf("%ld\n", (now_us() - start) / 1000);
			return 0;
		}
		left = start + ms * 1000 - now_us();
	}
	printf("not within %ld ms\n", ms);
	return 1;
}

static int events(const char *name, long ms)
{
	struct pollfd p = { .events = POLLIN };
	long start = now_us(), left = 0;
	struct mk_event e;
	struct mk_open o;
	struct mk_get g = { .id = 0 };

	if (strcmp(name, "-") && get(name, &g))
		return refused(&g.refusal);
	if (open_fd(g.id, MK_OPEN_EVENTS, &o))
		return refused(&o.refusal);
	p.fd = o.fd;
	while (poll(&p, 1, left / 1000) > 0 &&
	       read(o.fd, &e, sizeof(e)) == sizeof(e)) {
		printf("%s %u %u %u %u %u\n", e.name, e.state, e.cause,
		       e.epoch, e.stuck_cpu, e.lost);
		left = start + ms * 1000 - now_us();
		if (left < 0)
			left = 0;
	}
	return 0;
}

/* Offsets of struct elf_prstatus on x86-64: pr_pid, and pr_reg[16], [19] */
#define NOTE_STATUS	20
#define STATUS_PID	32
#define STATUS_IP	(112 + 16 * 8)
#define STATUS_SP	(112 + 19 * 8)

static void note(unsigned int n, const char *raw)
{
	const char *status = raw + NOTE_STATUS;
	const Elf64_Nhdr *head = (const void *)raw;

	if (!head->n_type) {
		printf("cpu %u -\n", n);
		return;
	}
	printf("cpu %u ip %lx sp %lx pid %d\n", n,
	       *(unsigned long *)(status + STATUS_IP),
	       *(unsigned long *)(status + STATUS_SP),
	       *(int *)(status + STATUS_PID));
}

static int dump(const char *name)
{
	static char notes[256][MK_DUMP_NOTE_BYTES];
	struct mk_dump d = { .size = sizeof(d), .nr_notes = 256 };
	struct mk_get g;
	unsigned int i;

	if (get(name, &g))
		return refused(&g.refusal);
	d.id = g.id;
	d.notes = (unsigned long)notes;
	if (ioctl(dev, MK_IOC_DUMP, &d))
		return refused(&d.refusal);
	printf("text %lx %lx %lu\n", (unsigned long)d.text,
	       (unsigned long)d.text_phys, (unsigned long)d.text_bytes);
	printf("offset %lx\n", (unsigned long)d.page_offset);
	printf("vmcoreinfo %lx %lu\n", (unsigned long)d.vmcoreinfo,
	       (unsigned long)d.vmcoreinfo_bytes);
	printf("saved %u\n", d.nr_saved);
	for (i = 0; i < d.nr_notes; i++)
		note(i, notes[i]);
	return 0;
}

static int memory(const char *name, unsigned long addr, unsigned long bytes)
{
	static char buf[1 << 21];
	struct mk_open o;
	struct mk_get g;
	long got, i;

	if (get(name, &g))
		return refused(&g.refusal);
	if (open_fd(g.id, MK_OPEN_MEMORY, &o))
		return refused(&o.refusal);
	if (bytes > sizeof(buf))
		bytes = sizeof(buf);
	got = syscall(__NR_pread64, o.fd, buf, bytes, addr);
	if (got < 0) {
		printf("%d\n", errno);
		return 1;
	}
	printf("%ld ", got);
	for (i = 0; i < got && i < 200; i++)
		printf("%c", buf[i] >= ' ' && buf[i] < 127 ? buf[i] : '.');
	printf("\n");
	return 0;
}

static int no_admin(const char *name)
{
	struct { __u32 version; int pid; } head = { 0x20080522, 0 };
	struct { __u32 effective, permitted, inheritable; } caps[2];
	struct mk_open o;
	struct mk_get g;

	if (get(name, &g) || syscall(__NR_capget, &head, caps))
		return 2;
	caps[0].effective &= ~(1U << 21);
	if (syscall(__NR_capset, &head, caps))
		return 2;
	return open_fd(g.id, MK_OPEN_MEMORY, &o) ? refused(&o.refusal) : 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "", *name = argv[2];
	long a = argc > 3 ? strtol(argv[3], NULL, 0) : 0;
	long b = argc > 4 ? strtol(argv[4], NULL, 0) : 0;

	dev = open("/dev/multikernel", O_RDWR | O_CLOEXEC, 0);
	if (dev < 0)
		return 2;
	if (!strcmp(verb, "watchdog"))
		return watchdog(name, a);
	if (!strcmp(verb, "freeze"))
		return by_id(MK_IOC_FREEZE, name, 0);
	if (!strcmp(verb, "thaw"))
		return by_id(MK_IOC_THAW, name, 0);
	if (!strcmp(verb, "stop"))
		return by_id(MK_IOC_STOP, name, 0);
	if (!strcmp(verb, "kill"))
		return by_id(MK_IOC_KILL, name, a);
	if (!strcmp(verb, "get"))
		return show(name);
	if (!strcmp(verb, "wait"))
		return wait_state(name, a, b);
	if (!strcmp(verb, "dump"))
		return dump(name);
	if (!strcmp(verb, "memory"))
		return memory(name, a, b);
	if (!strcmp(verb, "no-admin"))
		return no_admin(name);
	if (!strcmp(verb, "events"))
		return events(name, a);
	return 2;
}
