// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pretended kernel's shares: see fake_kernel.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mk/util.h>

#include "fake_kernel.h"

static int memfds[FAKE_SHARES + 1];

static uint32_t id_of(const struct fake_share *share)
{
	return (uint32_t)(share - fake->shares);
}

static const char *own_name(void)
{
	return fake->role == MK_ROLE_HOST ? MK_PEER_HOST : FAKE_OWN_NAME;
}


static void path_of(char buf[256], uint32_t id)
{
	const char *state = getenv("MKFAKE_STATE");

	if (state) {
		snprintf(buf, 256, "%s.share%u", state, id);
		return;
	}
	if (memfds[id] <= 0)
		memfds[id] = memfd_create("share", MFD_CLOEXEC);
	snprintf(buf, 256, "/proc/self/fd/%d", memfds[id]);
}

/* Only one that is live has its name for itself. */
static struct fake_share *find_live(const char *name)
{
	for (uint32_t id = 1; id <= FAKE_SHARES; id++)
		if (fake->shares[id].used &&
		    fake->shares[id].get.state == MK_SHARE_LIVE &&
		    !strcmp(fake->shares[id].get.name, name))
			return &fake->shares[id];
	return NULL;
}

static struct fake_share *find(const char *name, uint64_t generation,
			       struct mk_refusal *r, int *ret_error)
{
	struct fake_share *live = find_live(name);
	uint32_t id;

	for (id = 1; id <= FAKE_SHARES; id++) {
		struct fake_share *share = live ? live : &fake->shares[id];

		if (!share->used || strcmp(share->get.name, name))
			continue;
		if (!generation || generation == share->get.generation)
			return share;
		*ret_error = fake_refuse(r, ESTALE, MK_REASON_SHARE_STALE,
					 generation, share->get.generation,
					 NULL);
		return NULL;
	}
	*ret_error = fake_refuse(r, ENOENT, MK_REASON_SHARE_UNKNOWN, 0, 0,
				 name);
	return NULL;
}

static struct mk_share_holder *holder_of(struct fake_share *share,
					 const char *name)
{
	uint32_t i;

	for (i = 0; i < share->get.nr_holders; i++)
		if (!strcmp(share->holders[i].name, name))
			return &share->holders[i];
	return NULL;
}

static void set_holder(struct mk_share_holder *holder, const char *name,
		       uint32_t rights, uint32_t flags)
{
	const struct fake_instance *inst = fake_by_name(name);

	*holder = (struct mk_share_holder){ .rights = rights, .flags = flags };
	snprintf(holder->name, sizeof(holder->name), "%s", name);
	holder->id = !strcmp(name, MK_PEER_HOST) ? 0 :
		     !strcmp(name, FAKE_OWN_NAME) ? FAKE_OWN_ID :
		     inst ? inst->get.id : MK_GET_NEXT;
}

static bool peer_exists(const char *name)
{
	return !strcmp(name, MK_PEER_HOST) || fake_by_name(name) ||
	       fake->role == MK_ROLE_INSTANCE;
}

static int op_create(struct mk_share_create *c)
{
	const char *owner = c->owner[0] ? c->owner : own_name();
	struct fake_share *share;
	char path[256];
	uint32_t id = 1;
	int fd;
	int r = fake_enter("share", &c->refusal);

	if (r < 0)
		return r;
	share = find_live(c->name);
	if (share)
		return fake_refuse(&c->refusal, EEXIST,
				   MK_REASON_SHARE_NAME_TAKEN, id_of(share), 0,
				   c->name);
	if (!c->bytes || c->bytes % 4096)
		return fake_refuse(&c->refusal, EINVAL, MK_REASON_SHARE_SIZE,
				   c->bytes, 0, NULL);
	if (c->bytes > fake_pool_free())
		return fake_refuse(&c->refusal, ENOMEM,
				   MK_REASON_SHARE_NO_SPACE, c->bytes,
				   fake_pool_free(), NULL);
	if (!peer_exists(owner))
		return fake_refuse(&c->refusal, ENOENT, MK_REASON_PEER_UNKNOWN,
				   0, 0, owner);
	while (id <= FAKE_SHARES && fake->shares[id].used)
		id++;
	if (id > FAKE_SHARES)
		return fake_refuse(&c->refusal, ENOSPC,
				   MK_REASON_SHARE_TOO_MANY, FAKE_SHARES, 0,
				   NULL);
	path_of(path, id);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)c->bytes) < 0)
		abort();
	close(fd);
	share = &fake->shares[id];
	*share = (struct fake_share){
		.used = true,
		.get = {
			.id = id,
			.generation = ++fake->generation,
			.bytes = c->bytes,
			.charged_bytes = (c->bytes + (2 << 20) - 1) &
					 ~((2ULL << 20) - 1),
			.nr_extents = 1,
			.nr_holders = 1,
		},
	};
	memcpy(share->get.name, c->name, sizeof(c->name));
	set_holder(&share->holders[0], owner,
		   MK_RIGHT_READ | MK_RIGHT_WRITE, MK_HOLDER_OWNER);
	c->id = id;
	c->generation = share->get.generation;
	return 0;
}

static int check_owner(const struct fake_share *share, struct mk_refusal *r)
{
	if (fake->role == MK_ROLE_HOST ||
	    !strcmp(share->holders[0].name, own_name()))
		return 0;
	return fake_refuse(r, EPERM, MK_REASON_SHARE_NOT_OWNER, 0, 0,
			   share->get.name);
}

static int grant(struct fake_share *share, struct mk_share_op *op)
{
	if (holder_of(share, op->peer))
		return fake_refuse(&op->refusal, EEXIST,
				   MK_REASON_SHARE_GRANTED, 0, 0, op->peer);
	if (!peer_exists(op->peer) && !(op->flags & MK_SHARE_LATER))
		return fake_refuse(&op->refusal, ENOENT,
				   MK_REASON_PEER_UNKNOWN, 0, 0, op->peer);
	if (share->get.nr_holders == FAKE_HOLDERS)
		return fake_refuse(&op->refusal, ENOSPC,
				   MK_REASON_SHARE_TOO_MANY, FAKE_HOLDERS, 0,
				   NULL);
	set_holder(&share->holders[share->get.nr_holders++], op->peer,
		   op->rights, 0);
	return 0;
}

static int give(struct fake_share *share, struct mk_share_op *op)
{
	struct mk_share_holder *holder = holder_of(share, op->peer);

	if (!peer_exists(op->peer))
		return fake_refuse(&op->refusal, ENOENT,
				   MK_REASON_PEER_UNKNOWN, 0, 0, op->peer);
	if (holder)
		*holder = share->holders[--share->get.nr_holders];
	set_holder(&share->holders[0], op->peer,
		   MK_RIGHT_READ | MK_RIGHT_WRITE, MK_HOLDER_OWNER);
	share->get.generation = ++fake->generation;
	return 0;
}

static int end_share(struct fake_share *share, struct mk_share_op *op)
{
	char path[256];
	uint32_t i;

	if (share->get.state == MK_SHARE_LIVE)
		share->get.state = MK_SHARE_REVOKED;
	for (i = 0; i < share->get.nr_holders; i++)
		if (share->holders[i].attached)
			return fake_refuse(&op->refusal, ETIMEDOUT,
					   MK_REASON_SHARE_STILL_HELD,
					   share->holders[i].attached, 0,
					   share->holders[i].name);
	path_of(path, id_of(share));
	unlink(path);
	share->used = false;
	return 0;
}

void fake_shares_orphan(const char *name)
{
	struct mk_share_op none = { 0 };
	struct mk_share_holder *holder;

	for (uint32_t id = 1; id <= FAKE_SHARES; id++) {
		struct fake_share *share = &fake->shares[id];
		bool owner = !strcmp(share->holders[0].name, name);

		holder = share->used ? holder_of(share, name) : NULL;
		if (!holder)
			continue;
		holder->attached = 0;
		if (owner)
			share->get.state = MK_SHARE_ORPHANED;
		if (share->get.state != MK_SHARE_LIVE)
			(void)end_share(share, &none);
	}
}

static int revoke_it(struct fake_share *share, struct mk_share_op *op)
{
	struct mk_share_holder *holder;

	if (!op->peer[0])
		return end_share(share, op);
	holder = holder_of(share, op->peer);
	if (!holder || holder == &share->holders[0])
		return fake_refuse(&op->refusal, ENOENT,
				   MK_REASON_PEER_UNKNOWN, 0, 0, op->peer);
	holder->flags |= MK_HOLDER_REVOKED;
	if (holder->attached)
		return fake_refuse(&op->refusal, ETIMEDOUT,
				   MK_REASON_SHARE_STILL_HELD,
				   holder->attached, 0, holder->name);
	*holder = share->holders[--share->get.nr_holders];
	return 0;
}

static int detach(struct fake_share *share, struct mk_share_op *op)
{
	struct mk_share_holder *holder = holder_of(share, own_name());

	if (!holder || !holder->attached)
		return fake_refuse(&op->refusal, ENOTCONN,
				   MK_REASON_SHARE_NOT_HELD, 0, 0, NULL);
	holder->attached--;
	if (share->get.state != MK_SHARE_LIVE)
		return end_share(share, op);
	return 0;
}

static int op_op(const char *what, struct mk_share_op *op, bool owners,
		 int (*fn)(struct fake_share *share, struct mk_share_op *op))
{
	struct fake_share *share;
	int r = fake_enter(what, &op->refusal);

	if (r < 0)
		return r;
	share = find(op->name, op->generation, &op->refusal, &r);
	if (!share)
		return r;
	r = owners ? check_owner(share, &op->refusal) : 0;
	return r < 0 ? r : fn(share, op);
}

static int op_attach(struct mk_share_attach *a)
{
	struct mk_share_holder *holder;
	struct fake_share *share;
	char path[256];
	int r = fake_enter("attach", &a->refusal);

	if (r < 0)
		return r;
	share = find(a->name, a->generation, &a->refusal, &r);
	if (!share)
		return r;
	holder = holder_of(share, own_name());
	if (share->get.state == MK_SHARE_REVOKED)
		return fake_refuse(&a->refusal, EKEYREVOKED,
				   MK_REASON_SHARE_REVOKED, 0, 0, NULL);
	if (!holder || a->rights & ~holder->rights)
		return fake_refuse(&a->refusal, EACCES, MK_REASON_SHARE_RIGHTS,
				   a->rights, holder ? holder->rights : 0,
				   NULL);
	if (a->flags & MK_SHARE_KEEP && holder->attached)
		return fake_refuse(&a->refusal, EEXIST, MK_REASON_SHARE_HELD,
				   0, 0, NULL);
	share->get.attaches++;
	a->id = id_of(share);
	a->generation = share->get.generation;
	a->bytes = share->get.bytes;
	if (a->flags & MK_SHARE_KEEP) {
		holder->attached++;
		return 0;
	}
	path_of(path, id_of(share));
	a->fd = open(path, (a->rights & MK_RIGHT_WRITE ? O_RDWR : O_RDONLY) |
		     O_CLOEXEC);
	return a->fd < 0 ? -errno : 0;
}

static struct fake_share *get_target(struct mk_share_get *g)
{
	uint32_t id;
	int none;

	if (!g->id)
		return find(g->name, 0, &g->refusal, &none);
	for (id = (g->id & ~MK_GET_NEXT) + 1; id <= FAKE_SHARES; id++)
		if (fake->shares[id].used)
			return &fake->shares[id];
	return NULL;
}

static int op_get(struct mk_share_get *g)
{
	struct mk_share_holder *holders = (void *)(uintptr_t)g->holders;
	struct mk_range *extents = (void *)(uintptr_t)g->extents;
	struct fake_share *share = get_target(g);
	struct mk_share_holder *own;
	uint32_t size = g->size;

	own = share ? holder_of(share, own_name()) : NULL;
	if (!share || (fake->role == MK_ROLE_INSTANCE && !own))
		return fake_refuse(&g->refusal, ENOENT,
				   MK_REASON_SHARE_UNKNOWN, 0, 0, g->name);
	if (g->nr_holders < share->get.nr_holders || !g->nr_extents)
		return -EINVAL;	/* libmk always brings the room */
	*g = share->get;
	g->size = size;
	g->kept = own && own->attached;
	memcpy(holders, share->holders, g->nr_holders * sizeof(*holders));
	*extents = (struct mk_range){
		.addr = FAKE_POOL_ADDR,
		.bytes = g->charged_bytes,
	};
	return 0;
}

int fake_shares_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case MK_IOC_SHARE_CREATE:
		return op_create(arg);
	case MK_IOC_SHARE_GRANT:
		return op_op("grant", arg, true, grant);
	case MK_IOC_SHARE_GIVE:
		return op_op("give", arg, true, give);
	case MK_IOC_SHARE_REVOKE:
		return op_op("revoke", arg, true, revoke_it);
	case MK_IOC_SHARE_DETACH:
		return op_op("detach", arg, false, detach);
	case MK_IOC_SHARE_ATTACH:
		return op_attach(arg);
	case MK_IOC_SHARE_GET:
		return op_get(arg);
	default:
		return -ENOTTY;
	}
}
