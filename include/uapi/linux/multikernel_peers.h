/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user ABI of the multikernel, second part: channels and shares, what
 * programs of several kernels have with each other. Included by
 * <linux/multikernel.h>, which says what all ioctls have in common.
 */
#ifndef _UAPI_LINUX_MULTIKERNEL_PEERS_H
#define _UAPI_LINUX_MULTIKERNEL_PEERS_H

#include <linux/multikernel.h>
#include <linux/types.h>

/*
 * Channels: between a program in one kernel and a program in another, messages
 * of 1 to MK_MESSAGE_MAX bytes, in order, none lost.
 */

#define MK_PEER_HOST		"host"	/* what every instance calls the host */
#define MK_MESSAGE_MAX		256	/* bytes */
#define MK_PORT_ECHO		0	/* the kernel sends back what it gets */
#define MK_PORT_MAX		65535
#define MK_CHANNELS_MAX		1024	/* ends in one kernel */
#define MK_ALLOWED_MAX		64	/* peers that an instance may talk to */

/**
 * struct mk_set_channels - MK_IOC_SET_CHANNELS: whom an instance may talk to
 * @size: in: sizeof(struct mk_set_channels)
 * @id: in: instance
 * @nr_peers: in: how many, at most MK_ALLOWED_MAX
 * @reserved: zero
 * @peers: in: pointer to @nr_peers names, char[MK_NAME_MAX] each; replaces what
 *	was set before. They need not exist yet.
 * @refusal: out
 *
 * Host only. Two instances may have a channel when one of the two was allowed
 * the other. With the host every instance may. Errors: -ENOENT, -EINVAL.
 */
struct mk_set_channels {
	__u32 size;
	__u32 id;
	__u32 nr_peers;
	__u32 reserved;
	__aligned_u64 peers;
	struct mk_refusal refusal;
};

/**
 * struct mk_channel_open - MK_IOC_CHANNEL_OPEN: one end of a channel
 * @size: in: sizeof(struct mk_channel_open)
 * @port: in: 0 to MK_PORT_MAX; MK_PORT_ECHO cannot be listened at
 * @flags: in: MK_CHANNEL_LISTEN: wait for the other end instead of calling it;
 *	MK_CHANNEL_NONBLOCK: the descriptor is O_NONBLOCK
 * @timeout_ms: in: how long to wait for the peer's answer; 0: 5000
 * @peer: in: its name; when listening, empty means anybody
 * @fd: out: close-on-exec
 * @reserved: zero
 * @refusal: out
 *
 * read(2) gives one message, or 0 when the other end has closed and all that it
 * sent was read; write(2) sends one. A message that is larger than the reader's
 * buffer stays (-EMSGSIZE). poll(2): EPOLLIN, EPOLLOUT, EPOLLRDHUP closed,
 * EPOLLHUP peer died. Each listening end takes one caller, the oldest one
 * first; several may listen at one port. A peer that may call need not exist
 * yet. close(2): what was sent still arrives, what was not read is gone.
 *
 * Errors: -ENOENT no such peer, -EACCES not allowed, -EHOSTDOWN it does not
 * run, -ECONNREFUSED nobody listens, -ETIMEDOUT, -EINVAL port, -ENOSPC too
 * many, -EPIPE the peer died meanwhile. Of read and write: -EAGAIN empty or
 * full, -EMSGSIZE too large, -EPIPE peer died or (write) closed, -ESTALE peer
 * died and runs again, -EINVAL (write) 0 bytes, -ENOTCONN (write) nobody has
 * called yet. Their reason is in MK_IOC_CHANNEL_GET.
 */
struct mk_channel_open {
	__u32 size;
	__u32 port;
	__u32 flags;
	__u32 timeout_ms;
	char peer[MK_NAME_MAX];
	__s32 fd;
	__u32 reserved;
	struct mk_refusal refusal;
};

#define MK_CHANNEL_LISTEN	0x1
#define MK_CHANNEL_NONBLOCK	0x2

/** enum mk_channel_state - of one end */
enum mk_channel_state {
	MK_CHANNEL_LISTENING	= 0,
	MK_CHANNEL_CALLING	= 1,
	MK_CHANNEL_CONNECTED	= 2,
	MK_CHANNEL_CLOSED	= 3,	/* by the other end */
	MK_CHANNEL_DEAD		= 4,	/* the peer ended */
};

/**
 * struct mk_channel_get - MK_IOC_CHANNEL_GET, on a channel's descriptor
 * @size: in: sizeof(struct mk_channel_get)
 * @state: out: enum mk_channel_state
 * @port: out
 * @peer_id: out: 0 for the host
 * @peer_epoch: out
 * @reserved: zero
 * @peer: out: its name, empty while listening for anybody
 * @sent: out: messages
 * @received: out: messages, those that wait to be read included
 * @lost: out: messages of which only the gap arrived
 * @last: out: why the last read(2) or write(2) failed
 * @refusal: out
 */
struct mk_channel_get {
	__u32 size;
	__u32 state;
	__u32 port;
	__u32 peer_id;
	__u32 peer_epoch;
	__u32 reserved;
	char peer[MK_NAME_MAX];
	__aligned_u64 sent;
	__aligned_u64 received;
	__aligned_u64 lost;
	struct mk_refusal last;
	struct mk_refusal refusal;
};

/*
 * Shares: pool memory with an owner, and others that may attach it. The host's
 * kernel keeps the books; requests of instances go to it.
 */

#define MK_SHARE_NAME_MAX	32	/* bytes, with the final NUL */
#define MK_SHARE_EXTENTS	16	/* pieces of one share */
#define MK_SHARES_MAX		1024	/* on the machine, references included */
#define MK_SHARE_HOLDERS_MAX	64	/* owner and grantees */

#define MK_RIGHT_READ		0x1
#define MK_RIGHT_WRITE		0x2

/** enum mk_share_kind */
enum mk_share_kind {
	MK_SHARE_POOL		= 0,
	MK_SHARE_REFERENCE	= 1,	/* RAM of the owner, lent */
};

/** enum mk_share_state */
enum mk_share_state {
	MK_SHARE_LIVE		= 0,
	MK_SHARE_REVOKED	= 1,	/* from everybody: gone at the last detach */
	MK_SHARE_ORPHANED	= 2,	/* owner ended: gone at the last detach */
};

/**
 * struct mk_share_create - MK_IOC_SHARE_CREATE: a share of pool memory
 * @size: in: sizeof(struct mk_share_create)
 * @id: out
 * @bytes: in: size, not 0, a multiple of 4096; the pool gives whole
 *	MK_MEMORY_ALIGN pieces
 * @generation: out
 * @node: in: NUMA node or MK_NODE_ANY
 * @flags: in: zero
 * @name: in: as for instances; unique among shares that live
 * @owner: in: instance, when the caller is the host and does this for it; empty
 *	for the calling kernel
 * @refusal: out
 *
 * It is all zeros. Errors: -EEXIST, -EINVAL, -ENOMEM pool, -ENOSPC too many,
 * -ENOENT owner.
 */
struct mk_share_create {
	__u32 size;
	__u32 id;
	__aligned_u64 bytes;
	__aligned_u64 generation;
	__u32 node;
	__u32 flags;
	char name[MK_SHARE_NAME_MAX];
	char owner[MK_NAME_MAX];
	struct mk_refusal refusal;
};

/**
 * struct mk_share_op - MK_IOC_SHARE_GRANT, _GIVE, _REVOKE, _DETACH
 * @size: in: sizeof(struct mk_share_op)
 * @id: in: of the share, 0 to find it by @name
 * @generation: in: that is meant, 0 for any
 * @rights: in: GRANT: MK_RIGHT_READ, perhaps with MK_RIGHT_WRITE
 * @flags: in: GRANT: MK_SHARE_LATER (host only): the peer need not exist yet
 * @timeout_ms: in: REVOKE: how long to wait for the detach; 0 not at all
 * @reserved: zero
 * @name: in: of the share
 * @peer: in: GRANT, GIVE: whom; REVOKE: from whom, empty: from everybody, and
 *	the share is gone with the last detach
 * @refusal: out
 *
 * All but DETACH are for the owner; the host may speak for any owner. GIVE
 * changes the owner and the generation; the former owner keeps what it has
 * attached, without a right to attach again. DETACH ends what ATTACH with
 * MK_SHARE_KEEP began. A REVOKE that runs into its time limit stays in force:
 * nobody attaches again, and the pages are used again only after the last
 * detach or the end of the holder.
 *
 * Errors: -ENOENT, -EPERM not the owner, -EEXIST has a grant, -ESTALE
 * generation, -ETIMEDOUT still attached, -ENOTCONN (DETACH) not attached.
 */
struct mk_share_op {
	__u32 size;
	__u32 id;
	__aligned_u64 generation;
	__u32 rights;
	__u32 flags;
	__u32 timeout_ms;
	__u32 reserved;
	char name[MK_SHARE_NAME_MAX];
	char peer[MK_NAME_MAX];
	struct mk_refusal refusal;
};

#define MK_SHARE_LATER		0x1
#define MK_SHARE_KEEP		0x2

/**
 * struct mk_share_attach - MK_IOC_SHARE_ATTACH
 * @size: in: sizeof(struct mk_share_attach)
 * @id: in: of the share, 0 to find it by @name; out
 * @generation: in: that is meant, 0 for any; out
 * @rights: in: wanted
 * @flags: in: MK_SHARE_KEEP: the kernel holds it under its name until DETACH;
 *	no descriptor
 * @name: in; out
 * @bytes: out
 * @fd: out: close-on-exec, -1 with MK_SHARE_KEEP. mmap(2) it, MAP_SHARED, from
 *	offset 0; read(2) gives struct mk_share_event, poll(2) says EPOLLPRI
 *	when there is one; close(2) and munmap(2) detach.
 * @reserved: zero
 * @refusal: out
 *
 * Errors: -ENOENT, -EACCES rights not granted, -ESTALE generation, -EEXIST
 * (MK_SHARE_KEEP) held already, -EOWNERDEAD, -EKEYREVOKED.
 */
struct mk_share_attach {
	__u32 size;
	__u32 id;
	__aligned_u64 generation;
	__u32 rights;
	__u32 flags;
	char name[MK_SHARE_NAME_MAX];
	__aligned_u64 bytes;
	__s32 fd;
	__u32 reserved;
	struct mk_refusal refusal;
};

/** enum mk_share_event_type */
enum mk_share_event_type {
	MK_SHARE_EVENT_REVOKED	= 1,	/* detach, please */
	MK_SHARE_EVENT_ORPHANED	= 2,	/* its owner ended */
	MK_SHARE_EVENT_GIVEN	= 3,	/* it has another owner */
};

/** struct mk_share_event - from a share's descriptor, one per read(2) */
struct mk_share_event {
	__u32 what;
	__u32 timeout_ms;
	__aligned_u64 generation;
};

/**
 * struct mk_share_holder - who may attach a share
 * @name: of the kernel
 * @id: instance id, 0 for the host, MK_GET_NEXT while it does not exist
 * @rights: MK_RIGHT_*
 * @attached: attachments that it has
 * @flags: MK_HOLDER_*
 */
struct mk_share_holder {
	char name[MK_NAME_MAX];
	__u32 id;
	__u32 rights;
	__u32 attached;
	__u32 flags;
};

#define MK_HOLDER_OWNER		0x1
#define MK_HOLDER_REVOKED	0x2

/**
 * struct mk_share_get - MK_IOC_SHARE_GET: everything about one share
 * @size: in: sizeof(struct mk_share_get)
 * @id: in: share, or 0 to find it by @name, or MK_GET_NEXT | id for the next
 *	larger id; out: its id
 * @generation: out
 * @name: in: when @id is 0; out
 * @bytes: out
 * @charged_bytes: out: what it takes of the pool
 * @kind: out: enum mk_share_kind
 * @state: out: enum mk_share_state
 * @nr_extents: in: room at @extents; out: pieces that there are
 * @nr_holders: in: room at @holders; out: holders that there are
 * @extents: in: pointer to @nr_extents struct mk_range, or 0
 * @holders: in: pointer to @nr_holders struct mk_share_holder, or 0; the owner
 *	is the first
 * @attaches: out: attachments that were made so far
 * @refused: out: requests about it that were refused
 * @kept: out: 1 when this kernel holds it under its name (MK_SHARE_KEEP)
 * @reserved: zero
 * @refusal: out
 *
 * The host sees all, an instance those that it owns or has a grant of. Errors:
 * -ENOENT
 */
struct mk_share_get {
	__u32 size;
	__u32 id;
	__aligned_u64 generation;
	char name[MK_SHARE_NAME_MAX];
	__aligned_u64 bytes;
	__aligned_u64 charged_bytes;
	__u32 kind;
	__u32 state;
	__u32 nr_extents;
	__u32 nr_holders;
	__aligned_u64 extents;
	__aligned_u64 holders;
	__aligned_u64 attaches;
	__aligned_u64 refused;
	__u32 kept;
	__u32 reserved;
	struct mk_refusal refusal;
};

#endif /* _UAPI_LINUX_MULTIKERNEL_PEERS_H */
