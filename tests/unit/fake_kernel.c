// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pretended kernel: see fake_kernel.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mk/util.h>

#include "fake_dump.h"

#define LOG_TEXT							\
	"6,0,1000,-;Linux version 6.12.0-fake\n"			\
	" SUBSYSTEM=fake\n"						\
	"4,1,2500000,-;tab\\x09 and esc \\x1b[31m and \\xc3\\xa9\n"	\
	"30,2,1234567890,-;last words\n"

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_ioctl(int fd, unsigned long request, void *arg);
long __wrap_syscall(long number, ...);

static struct fake_kernel own_state;
struct fake_kernel *fake = &own_state;
static struct mk_cpu fake_cpus[64];
static size_t fake_nr_cpus;

void fake_reset(void)
{
	*fake = (struct fake_kernel){
		.ready = 1,
		.role = MK_ROLE_HOST,
		.clock_ns = 1000000000,
	};
}

static enum fake_boot knob(const char *variable)
{
	const char *value = getenv(variable);

	if (value && !strcmp(value, "hang"))
		return FAKE_HANG;
	return value && !strcmp(value, "panic") ? FAKE_PANIC : FAKE_OK;
}

/* An APIC id is twice the number of the CPU. */
static uint32_t core_shift(void)
{
	return getenv("MKFAKE_SMT") ? 2 : 1;
}

/* "CPU:APICID:NODE:CORE ..." */
static void cpus_from_environment(void)
{
	const char *s = getenv("MKFAKE_CPUS");
	struct mk_cpu c;
	int used;

	while (s && fake_nr_cpus < MK_ARRAY_SIZE(fake_cpus) &&
	       sscanf(s, "%u:%u:%u:%u%n", &c.cpu, &c.apicid, &c.node, &c.core,
		      &used) == 4) {
		fake_cpus[fake_nr_cpus++] = c;
		s += used;
	}
}

static struct mk_cpu cpu_of(uint32_t cpu)
{
	size_t i;

	for (i = 0; i < fake_nr_cpus; i++)
		if (fake_cpus[i].cpu == cpu)
			return fake_cpus[i];
	return (struct mk_cpu){ .cpu = cpu, .apicid = cpu * 2,
				.core = cpu * 2 >> core_shift() };
}

static void knobs_from_environment(void)
{
	const char *role = getenv("MKFAKE_ROLE");
	const char *refuse = getenv("MKFAKE_REFUSE");

	if (role)
		fake->role = !strcmp(role, "host") ? MK_ROLE_HOST :
			     !strcmp(role, "instance") ? MK_ROLE_INSTANCE :
			     MK_ROLE_NONE;
	cpus_from_environment();
	fake->boot = knob("MKFAKE_BOOT");
	fake->stop = knob("MKFAKE_STOP");
	fake->refuse[0] = '\0';
	fake->lent = (uint32_t)atoi(getenv("MKFAKE_LENT") ?: "0");
	if (refuse)
		sscanf(refuse, "%23[^:]:%u", fake->refuse,
		       &fake->refuse_reason);
}

/* Before main(): mkctl-fake takes its state from a file. */
__attribute__((constructor)) static void fake_open(void)
{
	const char *path = getenv("MKFAKE_STATE");
	void *map;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*fake)) < 0)
		abort();
	map = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	if (map == MAP_FAILED)
		abort();
	close(fd);
	fake = map;
	if (!fake->ready)
		fake_reset();
	knobs_from_environment();
}

static uint64_t tick(void)
{
	fake->clock_ns += 1500000;
	return fake->clock_ns;
}

int fake_refuse(struct mk_refusal *r, int error, uint32_t reason, uint64_t a,
		  uint64_t b, const char *object)
{
	*r = (struct mk_refusal){ .reason = reason, .a = a, .b = b };
	snprintf(r->object, sizeof(r->object), "%s", object ? object : "");
	return -error;
}

static void note(const char *what)
{
	size_t used = strlen(fake->journal);

	snprintf(fake->journal + used, sizeof(fake->journal) - used, "%s%s",
		 used ? " " : "", what);
}

/* Every request that changes something passes here. */
int fake_enter(const char *what, struct mk_refusal *r)
{
	note(what);
	if (strcmp(fake->refuse, what))
		return 0;
	return fake_refuse(r, EIO, fake->refuse_reason, 1, 2, NULL);
}

static struct fake_instance *by_id(uint32_t id, struct mk_refusal *r)
{
	if (id && id <= FAKE_INSTANCES && fake->instances[id].used)
		return &fake->instances[id];
	fake_refuse(r, ENOENT, MK_REASON_NO_INSTANCE, id, 0, NULL);
	return NULL;
}

struct fake_instance *fake_by_name(const char *name)
{
	uint32_t id;

	for (id = 1; id <= FAKE_INSTANCES; id++)
		if (fake->instances[id].used &&
		    !strcmp(fake->instances[id].get.name, name))
			return &fake->instances[id];
	return NULL;
}

static bool is_end(uint32_t state)
{
	return state >= MK_STATE_STOPPED && state <= MK_STATE_FAILED;
}

static bool has_cpus(uint32_t state)
{
	return state >= MK_STATE_STARTING && state <= MK_STATE_STOPPING;
}

static void end(struct fake_instance *inst, uint32_t state, uint32_t cause)
{
	inst->get.state = state;
	inst->get.cause = cause;
	inst->get.change_seq++;
	inst->get.ended_ns = tick();
	inst->get.cpus_back_ns = tick();
	inst->get.ended_realtime_ns = 1700000000000000000ULL;
	inst->get.flags &= ~MK_GET_CPUS_LENT;
	inst->lent = fake->lent;
	fake_shares_orphan(inst->get.name);
}

uint64_t fake_pool_free(void)
{
	uint64_t bytes = FAKE_POOL;
	uint32_t id;

	for (id = 1; id <= FAKE_INSTANCES; id++)
		if (fake->instances[id].used)
			bytes -= fake->instances[id].get.memory_bytes;
	for (id = 1; id <= FAKE_SHARES; id++)
		if (fake->shares[id].used)
			bytes -= fake->shares[id].get.charged_bytes;
	return bytes;
}

static int op_info(struct mk_info *info)
{
	uint32_t id;

	info->role = fake->role;
	info->abi_version = MK_ABI_VERSION;
	info->tsc_khz = 2400000;
	info->core_shift = core_shift();
	info->realtime_ns = 1700000000000000000ULL;
	info->tsc = 123456789;
	if (fake->role == MK_ROLE_INSTANCE) {
		info->instance_id = FAKE_OWN_ID;
		strcpy(info->name, FAKE_OWN_NAME);
	}
	if (fake->role != MK_ROLE_HOST)
		return 0;
	info->pool_bytes = FAKE_POOL;
	info->pool_free_bytes = fake_pool_free();
	info->pool_largest_bytes = fake_pool_free();
	info->region_addr = 0x100000000ULL;
	info->region_bytes = 0x400000;
	info->start_page = 0x9f000;
	info->nr_pool_ranges = 2;
	for (id = 1; id <= FAKE_INSTANCES; id++)
		info->nr_instances += fake->instances[id].used;
	return 0;
}

static int op_create(struct mk_create *c)
{
	uint32_t id = 1;
	int r = fake_enter("create", &c->refusal);

	if (r < 0)
		return r;
	if (fake_by_name(c->name))
		return fake_refuse(&c->refusal, EEXIST, MK_REASON_NAME_TAKEN,
			      fake_by_name(c->name)->get.id, 0, c->name);
	while (id <= FAKE_INSTANCES && fake->instances[id].used)
		id++;
	if (id > FAKE_INSTANCES)
		return fake_refuse(&c->refusal, ENOSPC, MK_REASON_TOO_MANY,
			      FAKE_INSTANCES, 0, NULL);
	fake->instances[id] = (struct fake_instance){
		.used = true,
		.get = { .id = id, .created_ns = tick() },
	};
	snprintf(fake->instances[id].get.name, MK_NAME_MAX, "%s", c->name);
	c->id = id;
	return 0;
}

static int op_destroy(struct mk_by_id *b)
{
	struct fake_instance *inst = by_id(b->id, &b->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter("destroy", &b->refusal);
	if (r < 0)
		return r;
	if (has_cpus(inst->get.state))
		return fake_refuse(&b->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	inst->used = false;
	fake_shares_orphan(inst->get.name);
	return 0;
}

static int op_set_cpus(struct mk_set_cpus *s)
{
	struct fake_instance *inst = by_id(s->id, &s->refusal);
	const uint32_t *cpus = (const uint32_t *)(uintptr_t)s->cpus;
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter(s->nr_cpus ? "cpus" : "cpus-back", &s->refusal);
	if (r < 0)
		return r;
	if (has_cpus(inst->get.state))
		return fake_refuse(&s->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	if (s->nr_cpus > FAKE_LENT)
		return fake_refuse(&s->refusal, EINVAL, MK_REASON_CPU_TOO_MANY,
			      s->nr_cpus, FAKE_LENT, NULL);
	if (s->nr_cpus)
		memcpy(inst->cpus, cpus, s->nr_cpus * sizeof(*cpus));
	inst->get.nr_cpus = s->nr_cpus;
	inst->get.flags = s->nr_cpus ? MK_GET_CPUS_LENT : 0;
	return 0;
}

static int op_set_memory(struct mk_set_memory *s)
{
	struct fake_instance *inst = by_id(s->id, &s->refusal);
	const struct mk_memory_part *parts =
		(const struct mk_memory_part *)(uintptr_t)s->parts;
	uint64_t bytes = 0;
	int r;

	if (!inst)
		return -ENOENT;
	for (uint32_t i = 0; i < s->nr_parts; i++)
		bytes += parts[i].bytes;
	r = fake_enter(bytes ? "memory" : "memory-back", &s->refusal);
	if (r < 0)
		return r;
	if (inst->get.state != MK_STATE_CREATED && !is_end(inst->get.state))
		return fake_refuse(&s->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	if (bytes > fake_pool_free())
		return fake_refuse(&s->refusal, ENOMEM, MK_REASON_MEM_NO_SPACE,
			      fake_pool_free(), fake_pool_free(), NULL);
	inst->get.memory_bytes = bytes;
	inst->get.nr_ranges = bytes != 0;
	inst->lent = 0;	/* what others have is no part of it now */
	return 0;
}

static int op_start(struct mk_start *s)
{
	struct fake_instance *inst = by_id(s->id, &s->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter("start", &s->refusal);
	if (r < 0)
		return r;
	if (inst->get.state != MK_STATE_LOADED && !is_end(inst->get.state))
		return fake_refuse(&s->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	if (!(inst->get.flags & MK_GET_CPUS_LENT))
		return fake_refuse(&s->refusal, ENXIO, MK_REASON_CPU_NONE, 0, 0,
			      NULL);
	if (!inst->get.memory_bytes)
		return fake_refuse(&s->refusal, ENXIO, MK_REASON_MEM_NONE, 0, 0,
				   NULL);
	if (inst->lent)
		return fake_refuse(&s->refusal, EBUSY, MK_REASON_FRAMES_LENT,
				   inst->lent--, 0, NULL);
	inst->get.state = MK_STATE_STARTING;
	inst->get.cause = MK_CAUSE_NONE;
	inst->get.change_seq++;
	inst->get.ended_ns = inst->get.cpus_back_ns = inst->get.alive_ns = 0;
	inst->get.started_ns = tick();
	inst->get.sipi_ns = inst->get.started_ns;
	inst->get.log_zero_ns = inst->get.started_ns;
	memset(inst->get.boot_id, 0, MK_BOOT_ID_SIZE);
	s->epoch = ++inst->get.epoch;
	return 0;
}

static int op_stop(struct mk_by_id *b)
{
	struct fake_instance *inst = by_id(b->id, &b->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter("stop", &b->refusal);
	if (r < 0)
		return r;
	if (!has_cpus(inst->get.state))
		return fake_refuse(&b->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	inst->get.state = MK_STATE_STOPPING;
	inst->get.cause = MK_CAUSE_STOP;
	return 0;
}

static int op_kill(struct mk_by_id *b)
{
	struct fake_instance *inst = by_id(b->id, &b->refusal);
	bool timeout = b->cause == MK_CAUSE_BOOT_TIMEOUT;
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter(timeout ? "kill-timeout" : "kill", &b->refusal);
	if (r < 0 || is_end(inst->get.state))
		return r;
	if (!has_cpus(inst->get.state))
		return fake_refuse(&b->refusal, EBUSY, MK_REASON_BAD_STATE,
			      inst->get.state, 0, NULL);
	end(inst, timeout ? MK_STATE_FAILED : MK_STATE_KILLED, b->cause);
	return 0;
}

static struct fake_instance *get_target(const struct mk_get *g)
{
	uint32_t id;

	if (g->id & MK_GET_NEXT) {
		for (id = (g->id & ~MK_GET_NEXT) + 1; id <= FAKE_INSTANCES;
		     id++)
			if (fake->instances[id].used)
				return &fake->instances[id];
		return NULL;
	}
	if (g->id)
		return by_id(g->id, &(struct mk_refusal){ 0 });
	return fake_by_name(g->name);
}

static int op_get(struct mk_get *g)
{
	struct mk_cpu *cpus = (struct mk_cpu *)(uintptr_t)g->cpus;
	struct mk_range *ranges = (struct mk_range *)(uintptr_t)g->ranges;
	struct fake_instance *inst = get_target(g);
	uint32_t size = g->size;
	uint32_t i;

	if (!inst)
		return fake_refuse(&g->refusal, ENOENT, MK_REASON_NO_INSTANCE,
			      g->id & ~MK_GET_NEXT, 0, g->name);
	*g = inst->get;
	g->size = size;
	for (i = 0; cpus && i < g->nr_cpus; i++)
		cpus[i] = cpu_of(inst->cpus[i]);
	if (ranges && g->nr_ranges)
		*ranges = (struct mk_range){ .addr = FAKE_POOL_ADDR,
					     .bytes = g->memory_bytes };
	return 0;
}

static void send_event(int fd, const struct fake_instance *inst)
{
	struct mk_event event = {
		.change_seq = inst->get.change_seq,
		.id = inst->get.id,
		.state = inst->get.state,
		.cause = inst->get.cause,
		.epoch = inst->get.epoch,
	};

	if (write(fd, &event, sizeof(event)) != sizeof(event))
		abort();
}

/* What is under way is done while somebody watches. */
static void go_on(struct fake_instance *inst)
{
	if (inst->get.state == MK_STATE_STARTING && fake->boot == FAKE_OK) {
		inst->get.state = MK_STATE_RUNNING;
		inst->get.alive_ns = tick();
		inst->get.beats = 5;
		inst->get.features = MK_FEATURES;
		memset(inst->get.boot_id, 0x10 + (int)inst->get.epoch,
		       MK_BOOT_ID_SIZE);
	} else if (inst->get.state == MK_STATE_STARTING &&
		   fake->boot == FAKE_PANIC) {
		end(inst, MK_STATE_PANICKED, MK_CAUSE_PANIC);
	} else if (inst->get.state == MK_STATE_STOPPING &&
		   fake->stop == FAKE_OK) {
		end(inst, MK_STATE_STOPPED, MK_CAUSE_STOP);
	}
}

/* Which boot it is of, its last line says, but for the first. */
static void send_log(int fd, const struct fake_instance *inst)
{
	char text[sizeof(LOG_TEXT) + 64];
	int n;

	n = snprintf(text, sizeof(text), "%s", LOG_TEXT);
	if (inst->get.epoch > 1)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "5,3,1234567891,-;boot %u\n", inst->get.epoch);
	if (inst->get.epoch && write(fd, text, (size_t)n) != n)
		abort();
}

static int op_open(struct mk_open *o)
{
	struct fake_instance *inst = by_id(o->id, &o->refusal);
	int fds[2];

	if (!inst)
		return -ENOENT;
	if (o->kind == MK_OPEN_MEMORY) {
		o->fd = fake_memory();
		return 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	o->fd = fds[0];
	if (o->kind == MK_OPEN_LOG) {
		send_log(fds[1], inst);
		close(fds[1]);
		return 0;
	}
	send_event(fds[1], inst);
	go_on(inst);
	send_event(fds[1], inst);
	return 0;	/* the writing end stays open: no more events, no end */
}

static int op_notify(struct mk_notify *n)
{
	if (fake->role != MK_ROLE_INSTANCE)
		return fake_refuse(&n->refusal, EOPNOTSUPP, MK_REASON_NOT_HOST,
			      fake->role, 0, NULL);
	note("ready");
	return 0;
}

struct pieces {
	struct mk_range *ranges;
	uint32_t room;
	uint32_t nr;
};

static void add_piece(struct pieces *to, uint64_t addr, uint64_t end,
		      uint32_t node)
{
	if (addr >= end)
		return;
	if (to->nr < to->room)
		to->ranges[to->nr] = (struct mk_range){
			.addr = addr,
			.bytes = end - addr,
			.node = node,
		};
	to->nr++;
}

/* From @addr to the end of the pool, node by node */
static void add_pool(struct pieces *to, uint64_t addr)
{
	uint64_t end = FAKE_POOL_ADDR + FAKE_POOL;

	add_piece(to, addr, FAKE_NODE1_ADDR, 0);
	add_piece(to, addr > FAKE_NODE1_ADDR ? addr : FAKE_NODE1_ADDR, end, 1);
}

/* Memory is given out from the front. */
static int op_pool(struct mk_pool *p)
{
	struct pieces all = { (void *)(uintptr_t)p->ranges, p->nr_ranges, 0 };
	struct pieces left = { (void *)(uintptr_t)p->free, p->nr_free, 0 };
	uint64_t addr = FAKE_POOL_ADDR;
	uint32_t i;

	add_pool(&all, FAKE_POOL_ADDR);
	for (i = 0; i < fake->crumbs; i++, addr += 4 << 20)
		add_piece(&left, addr, addr + (2 << 20), i % 2);
	if (!fake->crumbs)
		add_pool(&left, FAKE_POOL_ADDR + FAKE_POOL - fake_pool_free());
	p->nr_ranges = all.nr;
	p->nr_free = left.nr;
	return 0;
}

static int dispatch(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case MK_IOC_INFO:
		return op_info(arg);
	case MK_IOC_CREATE:
		return op_create(arg);
	case MK_IOC_DESTROY:
		return op_destroy(arg);
	case MK_IOC_SET_CPUS:
		return op_set_cpus(arg);
	case MK_IOC_SET_MEMORY:
		return op_set_memory(arg);
	case MK_IOC_START:
		return op_start(arg);
	case MK_IOC_STOP:
		return op_stop(arg);
	case MK_IOC_KILL:
		return op_kill(arg);
	case MK_IOC_GET:
		return op_get(arg);
	case MK_IOC_OPEN:
		return op_open(arg);
	case MK_IOC_FREEZE:
	case MK_IOC_THAW:
	case MK_IOC_DUMP:
		return fake_dump_ioctl(request, arg);
	case MK_IOC_POOL:
		return op_pool(arg);
	case MK_IOC_NOTIFY:
		return op_notify(arg);
	default:
		return fake_peers_ioctl(fd, request, arg);
	}
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	if (_IOC_TYPE(request) != MK_IOC_MAGIC)
		return __real_ioctl(fd, request, arg);
	if (*(uint32_t *)arg != _IOC_SIZE(request))
		r = -EINVAL;	/* every wrapper must say its size */
	else
		r = dispatch(fd, request, arg);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static int load(int initrd, const char *cmdline, size_t len,
		unsigned long flags)
{
	struct mk_refusal refusal = { 0 };
	struct fake_instance *inst = by_id((uint32_t)(flags >> 16), &refusal);
	bool no_initrd = flags & 4;
	int r;

	if (!inst || !(flags & KEXEC_FILE_MULTIKERNEL) ||
	    cmdline[len - 1] != '\0' || no_initrd != (initrd < 0))
		return -EINVAL;
	r = fake_enter("load", &inst->get.load_refusal);
	if (r < 0)
		return r;
	snprintf(inst->cmdline, sizeof(inst->cmdline), "%s", cmdline);
	inst->get.state = MK_STATE_LOADED;
	inst->get.loaded_ns = tick();
	inst->get.image_bytes = 10 << 20;
	inst->get.handoff_addr = FAKE_POOL_ADDR;
	inst->get.handoff_bytes = FAKE_HANDOFF;
	return 0;
}

/* Only kexec_file_load(2) has no wrapper in libc. */
long __wrap_syscall(long number, ...)
{
	const char *cmdline;
	unsigned long len;
	int initrd;
	va_list ap;
	int r;

	if (number != SYS_kexec_file_load)
		abort();
	va_start(ap, number);
	(void)va_arg(ap, int);
	initrd = va_arg(ap, int);
	len = va_arg(ap, unsigned long);
	cmdline = va_arg(ap, const char *);
	r = load(initrd, cmdline, len, va_arg(ap, unsigned long));
	va_end(ap);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}
