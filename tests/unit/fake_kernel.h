/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pretended kernel behind ioctl(2) and kexec_file_load(2), linked in by
 * --wrap: it keeps the rules of the uapi header on a small machine, so that
 * plans, their undo and mkctl's output can be tested without a real one.
 *
 * Its state is a plain struct. A test looks at it directly; mkctl-fake keeps
 * it in the file that MKFAKE_STATE names, so that it lasts from one call to
 * the next, and takes the knobs from MKFAKE_ROLE (none, host, instance),
 * MKFAKE_BOOT (ok, hang, panic), MKFAKE_STOP (ok, hang), MKFAKE_REFUSE
 * ("REQUEST:REASON": "load:68" refuses that request for that reason),
 * MKFAKE_SMT (CPUs 2n and 2n + 1 are siblings), MKFAKE_CPUS
 * ("CPU:APICID:NODE:CORE ...": where CPUs are that differ from the usual ones),
 * MKFAKE_LENT (an instance that ends leaves so many frames with others, and
 * each refused start is followed by one detach), MKFAKE_LATER (panic, hang:
 * what happens to those that run once events of all are opened).
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/multikernel.h>

#define FAKE_INSTANCES	8
#define FAKE_LENT	64	/* to one instance, at most */
#define FAKE_POOL	(1ULL << 30)
#define FAKE_POOL_ADDR	0x140000000ULL
#define FAKE_NODE1_ADDR	0x170000000ULL	/* below is node 0 */
#define FAKE_HANDOFF	0x40000	/* MK_HANDOFF_BYTES of the kernel */

enum fake_boot { FAKE_OK, FAKE_HANG, FAKE_PANIC };

struct fake_instance {
	bool used;
	struct mk_get get;
	uint32_t cpus[FAKE_LENT];
	char cmdline[512];
	uint32_t lent;	/* frames of the boot before that others have */
};

/*
 * Shares: their pages are a file beside that of MKFAKE_STATE, or a memfd. Only
 * MK_SHARE_KEEP counts as attached.
 */
#define FAKE_SHARES	8
#define FAKE_HOLDERS	8

#define FAKE_EVENTS	64	/* that are kept */

struct fake_share {
	bool used;
	struct mk_share_get get;
	struct mk_share_holder holders[FAKE_HOLDERS];	/* the owner first */
};

/* This kernel, when it is an instance; the host is its peer, and "web". */
#define FAKE_OWN_ID	5
#define FAKE_OWN_NAME	"self"

struct fake_kernel {
	uint32_t ready;
	uint32_t role;
	uint32_t crumbs;	/* free pieces of 2 MiB, in the place of all others */
	uint64_t clock_ns;
	enum fake_boot boot;
	enum fake_boot stop;
	char refuse[24];	/* name of the request, as in the journal */
	uint32_t refuse_reason;
	uint32_t lent;	/* frames, by an instance that ends */
	struct fake_instance instances[FAKE_INSTANCES + 1];
	struct fake_share shares[FAKE_SHARES + 1];
	uint64_t generation;
	struct mk_event events[FAKE_EVENTS];	/* event n at (n - 1) % FAKE_EVENTS */
	uint64_t nr_events;
	char allowed[4][MK_NAME_MAX];	/* of the last SET_CHANNELS */
	uint32_t nr_allowed;
	/* "create cpus memory load ..."; the end of the file, to the byte */
	char journal[4096] __attribute__((aligned(8)));
};

extern struct fake_kernel *fake;

/** fake_reset() - a host with 8 CPUs, 1 GiB of pool and no instance */
void fake_reset(void);

/**
 * fake_setup() - for cmocka: a struct mk_ctx on it as the state
 *
 * fake_teardown() for what it made.
 */
int fake_setup(void **state);
int fake_teardown(void **state);

/* Between the files of the pretended kernel */
int fake_refuse(struct mk_refusal *r, int error, uint32_t reason, uint64_t a,
		uint64_t b, const char *object);
/* Every request that changes something passes here. */
int fake_enter(const char *what, struct mk_refusal *r);
struct fake_instance *fake_by_name(const char *name);
struct fake_instance *fake_by_id(uint32_t id, struct mk_refusal *r);
bool fake_has_cpus(uint32_t state);
uint64_t fake_tick(void);
void fake_end(struct fake_instance *inst, uint32_t state, uint32_t cause);
/* Every change of a state passes here; an event of it is kept. */
void fake_state(struct fake_instance *inst, uint32_t state, uint32_t cause);
void fake_event(const struct fake_instance *inst, uint32_t state);
/* NULL: of all */
int fake_events_open(struct fake_instance *inst, int *ret_fd);
int fake_health_ioctl(unsigned long request, void *arg);
uint64_t fake_pool_free(void);
int fake_peers_ioctl(int fd, unsigned long request, void *arg);
int fake_shares_ioctl(unsigned long request, void *arg);
/* The kernel of this name has ended: its shares go, and its attachments. */
void fake_shares_orphan(const char *name);

#endif /* FAKE_KERNEL_H */
