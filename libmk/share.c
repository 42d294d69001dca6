// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Shares: one wrapper per request. Who may do what decides the kernel of the
 * host; nothing is checked twice here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

static int copy_share(char dst[MK_SHARE_NAME_MAX], const char *name,
		      struct mk_error *err)
{
	return mk_name_copy(dst, MK_SHARE_NAME_MAX, name,
			    MK_REASON_SHARE_UNKNOWN, ENOENT, err);
}

static int copy_peer(char dst[MK_NAME_MAX], const char *name,
		     struct mk_error *err)
{
	return mk_name_copy(dst, MK_NAME_MAX, name ? name : "",
			    MK_REASON_PEER_UNKNOWN, ENOENT, err);
}

int mk_share_create(struct mk_ctx *ctx, const char *name, uint64_t bytes,
		    const char *owner, uint32_t node, uint64_t *ret_generation,
		    struct mk_error *err)
{
	struct mk_share_create req = {
		.size = sizeof(req),
		.bytes = bytes,
		.node = node,
	};
	int r;

	r = mk_name_copy(req.name, sizeof(req.name), name,
			 MK_REASON_SHARE_NAME_BAD, EINVAL, err);
	if (r == 0)
		r = copy_peer(req.owner, owner, err);
	if (r < 0)
		return r;
	r = mk_ctx_ioctl(ctx, MK_IOC_SHARE_CREATE, &req, &req.refusal, name,
			 err);
	if (r == 0 && ret_generation)
		*ret_generation = req.generation;
	return r;
}

/* @req has all but the names. */
static int share_op(struct mk_ctx *ctx, unsigned long request,
		    struct mk_share_op *req, const char *name,
		    const char *peer, struct mk_error *err)
{
	int r;

	req->size = sizeof(*req);
	r = copy_share(req->name, name, err);
	if (r == 0)
		r = copy_peer(req->peer, peer, err);
	if (r < 0)
		return r;
	return mk_ctx_ioctl(ctx, request, req, &req->refusal, name, err);
}

int mk_share_grant(struct mk_ctx *ctx, const char *name, uint64_t generation,
		   const char *peer, uint32_t rights, uint32_t flags,
		   struct mk_error *err)
{
	struct mk_share_op req = {
		.generation = generation,
		.rights = rights,
		.flags = flags,
	};

	return share_op(ctx, MK_IOC_SHARE_GRANT, &req, name, peer, err);
}

int mk_share_give(struct mk_ctx *ctx, const char *name, uint64_t generation,
		  const char *peer, struct mk_error *err)
{
	struct mk_share_op req = { .generation = generation };

	return share_op(ctx, MK_IOC_SHARE_GIVE, &req, name, peer, err);
}

int mk_share_revoke(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    const char *peer, unsigned int timeout_ms,
		    struct mk_error *err)
{
	struct mk_share_op req = {
		.generation = generation,
		.timeout_ms = timeout_ms,
	};

	return share_op(ctx, MK_IOC_SHARE_REVOKE, &req, name, peer, err);
}

int mk_share_detach(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    struct mk_error *err)
{
	struct mk_share_op req = { .generation = generation };

	return share_op(ctx, MK_IOC_SHARE_DETACH, &req, name, NULL, err);
}

static int attach(struct mk_ctx *ctx, const char *name,
		  struct mk_share_attach *req, struct mk_error *err)
{
	int r;

	req->size = sizeof(*req);
	req->fd = -1;
	r = copy_share(req->name, name, err);
	if (r < 0)
		return r;
	return mk_ctx_ioctl(ctx, MK_IOC_SHARE_ATTACH, req, &req->refusal, name,
			    err);
}

int mk_share_hold(struct mk_ctx *ctx, const char *name, uint64_t generation,
		  uint32_t rights, struct mk_error *err)
{
	struct mk_share_attach req = {
		.generation = generation,
		.rights = rights,
		.flags = MK_SHARE_KEEP,
	};

	return attach(ctx, name, &req, err);
}

int mk_share_attach(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    uint32_t rights, struct mk_share_end *ret_end,
		    struct mk_error *err)
{
	struct mk_share_attach req = {
		.generation = generation,
		.rights = rights,
	};
	int r;

	r = attach(ctx, name, &req, err);
	if (r < 0)
		return r;
	r = mk_fd_nonblock(req.fd, err);
	if (r < 0) {
		close(req.fd);
		return r;
	}
	*ret_end = (struct mk_share_end){
		.fd = req.fd,
		.id = req.id,
		.rights = rights,
		.generation = req.generation,
		.bytes = req.bytes,
	};
	return 0;
}

int mk_share_map(const struct mk_share_end *end, void **ret_addr,
		 struct mk_error *err)
{
	int prot = PROT_READ;
	int error;
	void *p;

	if (end->rights & MK_RIGHT_WRITE)
		prot |= PROT_WRITE;
	p = mmap(NULL, end->bytes, prot, MAP_SHARED, end->fd, 0);
	if (p == MAP_FAILED) {
		error = errno;
		mk_error_set(err, MK_ERR_FAILED, NULL, "cannot map it: %s",
			     strerror(error));
		return -error;
	}
	*ret_addr = p;
	return 0;
}

void mk_share_unmap(const struct mk_share_end *end, void *addr)
{
	if (addr)
		munmap(addr, end->bytes);
}

void mk_share_close(struct mk_share_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	*end = (struct mk_share_end)MK_SHARE_END_NONE;
}

/*
 * Looking
 */

void mk_share_free(struct mk_share *share)
{
	if (!share)
		return;
	free(share->extents);
	free(share->holders);
	free(share);
}

/* With room for the ABI's limits, so that one request sees all of it. */
static struct mk_share *share_new(void)
{
	struct mk_share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->extents = calloc(MK_SHARE_EXTENTS, sizeof(*share->extents));
	share->holders = calloc(MK_SHARE_HOLDERS_MAX,
				sizeof(*share->holders));
	if (!share->extents || !share->holders) {
		mk_share_free(share);
		return NULL;
	}
	share->get = (struct mk_share_get){
		.size = sizeof(share->get),
		.nr_extents = MK_SHARE_EXTENTS,
		.nr_holders = MK_SHARE_HOLDERS_MAX,
		.extents = (uintptr_t)share->extents,
		.holders = (uintptr_t)share->holders,
	};
	return share;
}

static void seal(struct mk_share *share)
{
	struct mk_share_get *get = &share->get;
	uint32_t i;

	get->name[sizeof(get->name) - 1] = '\0';
	if (get->nr_extents > MK_SHARE_EXTENTS)
		get->nr_extents = MK_SHARE_EXTENTS;
	if (get->nr_holders > MK_SHARE_HOLDERS_MAX)
		get->nr_holders = MK_SHARE_HOLDERS_MAX;
	for (i = 0; i < get->nr_holders; i++)
		share->holders[i].name[MK_NAME_MAX - 1] = '\0';
}

static int get_one(struct mk_ctx *ctx, uint32_t id, const char *name,
		   struct mk_share **ret_share, struct mk_error *err)
{
	struct mk_share *share = share_new();
	int r;

	if (!share)
		return mk_no_memory(err);
	share->get.id = id;
	r = copy_share(share->get.name, name, err);
	if (r == 0)
		r = mk_ctx_ioctl(ctx, MK_IOC_SHARE_GET, &share->get,
				 &share->get.refusal, name, err);
	if (r < 0) {
		mk_share_free(share);
		return r;
	}
	seal(share);
	*ret_share = share;
	return 0;
}

int mk_share_find(struct mk_ctx *ctx, const char *name,
		  struct mk_share **ret_share, struct mk_error *err)
{
	return get_one(ctx, 0, name, ret_share, err);
}

static int list_add(struct mk_share_list *list, struct mk_share *share,
		    struct mk_error *err)
{
	struct mk_share **grown;

	grown = realloc(list->items, (list->nr_items + 1) * sizeof(*grown));
	if (!grown) {
		mk_share_free(share);
		return mk_no_memory(err);
	}
	list->items = grown;
	list->items[list->nr_items++] = share;
	return 0;
}

int mk_share_list_get(struct mk_ctx *ctx, struct mk_share_list *ret_list,
		      struct mk_error *err)
{
	struct mk_error refused = MK_ERROR_INIT;
	struct mk_share_list list = { 0 };
	struct mk_share *share;
	uint32_t id = 0;
	int r;

	for (;;) {
		r = get_one(ctx, MK_GET_NEXT | id, "", &share, &refused);
		if (r < 0)
			break;
		id = share->get.id;
		r = list_add(&list, share, &refused);
		if (r < 0)
			break;
	}
	if (r == -ENOENT && refused.reason == MK_REASON_SHARE_UNKNOWN) {
		*ret_list = list;
		return 0;
	}
	mk_share_list_clear(&list);
	if (err)
		*err = refused;
	return r;
}

void mk_share_list_clear(struct mk_share_list *list)
{
	size_t i;

	for (i = 0; i < list->nr_items; i++)
		mk_share_free(list->items[i]);
	free(list->items);
	*list = (struct mk_share_list){ 0 };
}
