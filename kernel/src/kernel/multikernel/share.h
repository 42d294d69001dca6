/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shares: memory that has an owner, and others that may attach it.
 *
 *	share.c		the books themselves: objects, who may attach, what is
 *			attached, life cycle. No locks, no memory of the pool
 *	share_broker.c	host: requests of all kernels, deaths of instances
 *	share_events.c	host: who has one attached is told what becomes of it
 *	share_pages.c	host: memory of shares, taken and given back
 *	share_client.c	both roles: what kernel code calls; attachments of this
 *			kernel
 *	share_fd.c	both roles: what programs call
 *	share_map.c	both roles: attached pages in this kernel's address space
 *	frame.c		both roles: single pages of own RAM, mk_send_pfn()
 *
 * Life of a share, all of it in the books of the host:
 *
 *	live	 -- revoked from everybody -->	revoked
 *		 -- its owner's kernel ends -->	orphaned
 *
 * Only a live share can be attached. The attachments that there are stay until
 * their kernel detaches them or ends, and ending means that its CPUs are back.
 * With the last one a share that is not live is over: it leaves the books, its
 * memory is scrubbed and given back. A reference is over with its last detach
 * in any state.
 *
 * Lock order: mk_lock, mk_share_lock; mk_attachments_lock is the innermost one.
 */
#ifndef _MULTIKERNEL_SHARE_H
#define _MULTIKERNEL_SHARE_H

#include <linux/list.h>
#include <linux/mk_wire.h>
#include <linux/mk_share.h>
#include <linux/types.h>

struct kobject;
struct mk_instance;
struct mk_peer;
struct resource;

#define MK_RIGHTS		(MK_RIGHT_READ | MK_RIGHT_WRITE)
#define MK_ATTACHED_MAX		256	/* attachments of one share by one */
#define MK_FRAMES_MAX		128	/* references of one owner */

/**
 * struct mk_att - one attachment, as the host knows it
 * @node: in mk_party.atts
 * @number: chosen by the attaching kernel, never again in its life
 * @rights: MK_RIGHT_*
 * @peer_id: instance, 0 for the host
 * @epoch: its start
 * @pending: events that it has not been told yet, bits by their type
 * @timeout_ms: for MK_SHARE_EVENT_REVOKED
 */
struct mk_att {
	struct list_head node;
	u32 number;
	u32 rights;
	u32 peer_id;
	u32 epoch;
	u32 pending;
	u32 timeout_ms;
};

/**
 * struct mk_party - owner or grantee of a share, by name
 * @node: in mk_share.parties
 * @name: of its kernel; it need not run, nor exist
 * @rights: MK_RIGHT_*
 * @revoked: may not attach again; goes with its last detach
 * @attached: number of @atts
 * @atts: its attachments
 */
struct mk_party {
	struct list_head node;
	char name[MK_NAME_MAX];
	u32 rights;
	bool revoked;
	u32 attached;
	struct list_head atts;
};

/**
 * struct mk_share - a share
 * @node: in mk_books.shares by id, or in mk_books.over
 * @id: among those in the books; used again
 * @generation: never used again; changes when the share is given
 * @name: of one that is live nobody else's
 * @bytes: that can be mapped
 * @charged_bytes: what it takes of the pool
 * @kind: enum mk_share_kind
 * @state: enum mk_share_state
 * @making: its memory is on the way: not there yet for anybody
 * @used: it has been attached, not only by its owner
 * @owner_id: instance, 0 for the host
 * @owner_epoch: start of the owner that lent the frame (references); 0 once it
 *	has ended
 * @nr_ranges: used
 * @ranges: its memory
 * @resources: its entries in /proc/iomem, or NULL
 * @attached: attachments of all parties
 * @nr_parties: number of @parties
 * @parties: struct mk_party, the owner first
 * @attaches: attachments that were ever made
 * @refused: requests about it that were refused
 * @shown: its folder in sysfs, or NULL
 */
struct mk_share {
	struct list_head node;
	u32 id;
	u64 generation;
	char name[MK_SHARE_NAME_MAX];
	u64 bytes;
	u64 charged_bytes;
	enum mk_share_kind kind;
	enum mk_share_state state;
	bool making;
	bool used;
	u32 owner_id;
	u32 owner_epoch;
	u32 nr_ranges;
	struct mk_range ranges[MK_SHARE_EXTENTS];
	struct resource *resources;
	u32 attached;
	u32 nr_parties;
	struct list_head parties;
	u64 attaches;
	u64 refused;
	struct kobject *shown;
};

/**
 * struct mk_books - all shares of a machine
 * @shares: by id
 * @over: those of which the memory has to go back
 * @nr: number of @shares
 * @generation: the last one that was used
 */
struct mk_books {
	struct list_head shares;
	struct list_head over;
	u32 nr;
	u64 generation;
};

#define MK_BOOKS_INIT(books) { \
	.shares = LIST_HEAD_INIT((books).shares), \
	.over = LIST_HEAD_INIT((books).over), \
}

/**
 * struct mk_share_spec - a share to be
 * @name: valid
 * @owner: name of its owner
 * @owner_id: instance, 0 for the host
 * @owner_epoch: start of the owner
 * @bytes: that can be mapped
 * @kind: enum mk_share_kind
 */
struct mk_share_spec {
	const char *name;
	const char *owner;
	u32 owner_id;
	u32 owner_epoch;
	u64 bytes;
	enum mk_share_kind kind;
};

/* share.c: the caller has a lock for the books */
bool mk_share_name_valid(const char *name);
struct mk_share *mk_share_find(struct mk_books *books, u32 id);
struct mk_share *mk_share_find_name(struct mk_books *books, const char *name);
struct mk_share *mk_share_after(struct mk_books *books, u32 id);
struct mk_party *mk_share_party(struct mk_share *share, const char *name);
struct mk_party *mk_share_owner(struct mk_share *share);
struct mk_party *mk_share_party_at(struct mk_share *share, u32 index);
bool mk_share_may_see(struct mk_share *share, const char *name);
int mk_share_add(struct mk_books *books, const struct mk_share_spec *spec,
		 struct mk_share **ret_share, struct mk_refusal *r);
void mk_share_made(struct mk_books *books, struct mk_share *share);
void mk_share_free(struct mk_share *share);
int mk_share_check_generation(struct mk_share *share, u64 generation,
			      struct mk_refusal *r);
int mk_share_check_live(struct mk_share *share, struct mk_refusal *r);
int mk_share_add_grant(struct mk_share *share, const char *name, u32 rights,
		       struct mk_refusal *r);
int mk_share_set_owner(struct mk_books *books, struct mk_share *share,
		       const char *name, u32 id, struct mk_refusal *r);
int mk_share_add_att(struct mk_share *share, const char *name,
		     const struct mk_att *att, struct mk_refusal *r);
int mk_share_drop_att(struct mk_books *books, const char *name, u32 number,
		      struct mk_refusal *r);
int mk_share_revoke_party(struct mk_books *books, struct mk_share *share,
			  const char *name, u32 timeout_ms, u32 *ret_attached,
			  struct mk_refusal *r);
void mk_share_revoke_all(struct mk_books *books, struct mk_share *share,
			 u32 timeout_ms);
void mk_share_kernel_gone(struct mk_books *books, const char *name);
bool mk_share_settle(struct mk_books *books, struct mk_share *share);
u32 mk_share_frames_of(struct mk_books *books, const char *owner);
u32 mk_share_frames_in(struct mk_books *books, u64 addr, u64 bytes);

/* share_broker.c */

/**
 * struct mk_caller - which kernel makes a request
 * @name: of it
 * @id: instance, 0 for the host
 * @epoch: its start, 0 for the host
 * @peer: NULL for the host
 */
struct mk_caller {
	const char *name;
	u32 id;
	u32 epoch;
	struct mk_peer *peer;
};

/**
 * struct mk_answer - what a request gives back
 * @bytes: of the member that was filled, 0 for none
 */
struct mk_answer {
	u32 bytes;
	union {
		struct mk_wire_share share;
		struct mk_share_holder holder;
		struct mk_wire_share_revoked revoked;
	};
};

extern struct mutex mk_share_lock;
extern struct mk_books mk_books;
int mk_share_request(const struct mk_caller *caller, u32 type,
		     const void *payload, struct mk_answer *answer,
		     struct mk_refusal *r);
int mk_share_create_for(const char *owner,
			const struct mk_wire_share_create *c,
			struct mk_answer *answer, struct mk_refusal *r);
void mk_shares_instance_gone(struct mk_instance *inst);

/* share_events.c */
void mk_shares_tell(void);

/* share_pages.c */
int mk_share_take(struct mk_share *share, u64 bytes, u32 node,
		  struct mk_refusal *r);
void mk_shares_reap(void);
void mk_shares_reap_now(void);
u32 mk_shares_lent(const struct mk_instance *inst);
void mk_shares_keep(struct mk_instance *inst);

/* share_client.c */

/**
 * struct mk_pages - pieces of physical memory that this kernel may map
 * @bytes: all of it
 * @nr: used
 * @range: whole pages, in order
 */
struct mk_pages {
	u64 bytes;
	u32 nr;
	struct mk_range range[MK_SHARE_EXTENTS];
};

/**
 * struct mk_wanted - which share, and how
 * @name: of the share, or empty
 * @id: of the share, or 0
 * @generation: or 0
 * @rights: MK_RIGHT_*
 * @keep: hold it under its name
 */
struct mk_wanted {
	const char *name;
	u32 id;
	u64 generation;
	u32 rights;
	bool keep;
};

int mk_share_call(u32 type, const void *payload, u32 len,
		  struct mk_answer *answer, struct mk_refusal *r);
struct mk_attachment *mk_attach(const struct mk_wanted *wanted,
				struct mk_refusal *r);
void mk_attachment_put(struct mk_attachment *att);
int mk_attachment_release(const char *name, u32 id, u64 generation,
			  struct mk_refusal *r);
bool mk_attachment_is_kept(u32 id);
int mk_share_revoke_wait(struct mk_wire_share_op *op, struct mk_refusal *r);
void mk_attachment_event(const struct mk_wire_share_event *event);
const struct mk_pages *mk_attachment_pages(const struct mk_attachment *att);
u32 mk_attachment_rights(const struct mk_attachment *att);
u32 mk_attachment_id(const struct mk_attachment *att);
const char *mk_attachment_name(const struct mk_attachment *att);
bool mk_attachment_next_event(struct mk_attachment *att,
			      struct mk_share_event *ret);
bool mk_attachment_has_event(struct mk_attachment *att);
wait_queue_head_t *mk_attachment_wait(struct mk_attachment *att);

/* share_map.c */
int mk_pages_parse(const struct mk_wire_share *share, struct mk_pages *ret,
		   struct mk_refusal *r);
bool mk_pages_at(const struct mk_pages *pages, u64 offset, u64 *ret_addr,
		 u64 *ret_bytes);
int mk_pages_hold(const struct mk_pages *pages);
void mk_pages_drop(const struct mk_pages *pages);
struct vm_struct *mk_pages_map(const struct mk_pages *pages, bool write);
void mk_pages_unmap(struct vm_struct *area);

/* share_fd.c: the ioctls, called by device.c */
int mk_op_share_create(void *arg, struct mk_refusal *r);
int mk_op_share_grant(void *arg, struct mk_refusal *r);
int mk_op_share_give(void *arg, struct mk_refusal *r);
int mk_op_share_revoke(void *arg, struct mk_refusal *r);
int mk_op_share_attach(void *arg, struct mk_refusal *r);
int mk_op_share_detach(void *arg, struct mk_refusal *r);
int mk_op_share_get(void *arg, struct mk_refusal *r);

/* frame.c */
void mk_frame_unpin(u64 pfn);

/* show_share.c */
void mk_show_add_share(struct mk_share *share);
void mk_show_remove_share(struct mk_share *share);
void mk_show_shares(struct kobject *parent);

#endif /* _MULTIKERNEL_SHARE_H */
