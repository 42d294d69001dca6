/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * What kernels say to each other: the kinds of messages that a ring carries,
 * and the payloads of those that the multikernel itself understands.
 *
 * Change anything here and MK_ABI_VERSION changes too. A payload may be longer
 * than its struct (a newer sender of the same version never is) but not
 * shorter: who receives it copies it once and checks every field.
 */
#ifndef _LINUX_MK_WIRE_H
#define _LINUX_MK_WIRE_H

#include <uapi/linux/multikernel.h>
#include <linux/mk_ring.h>
#include <linux/mk_stream.h>

/**
 * enum mk_kind - who dispatches a message (mk_msg_head.kind)
 * @MK_KIND_CONTROL: the multikernel itself; type is enum mk_control_type
 * @MK_KIND_REPLY: answers the request with the same id; type is that of the
 *	request, the payload begins with struct mk_wire_answer
 * @MK_KIND_CHANNEL: channels of programs; type is enum mk_channel_type, from
 *	and to are numbers of ends, nr and ack count messages of the channel
 * @MK_KIND_USER: kernel code, by type; id is not 0 for a request; nr and ack
 *	count messages of this kind between the two kernels
 * @MK_KIND_USER_ACK: nr and ack of that stream alone, no payload; type is enum
 *	mk_user_ack
 * @MK_KIND_IPI: the interface of multikernel_send_ipi_data(): from and to are
 *	APIC ids; shares the stream of MK_KIND_USER
 * @MK_KIND_USER_REPLY: answers the MK_KIND_USER with the same id; no message of
 *	the stream, its ack counts; the payload begins with struct mk_wire_answer
 */
enum mk_kind {
	MK_KIND_CONTROL		= 0,
	MK_KIND_REPLY		= 1,
	MK_KIND_CHANNEL		= 2,
	MK_KIND_USER		= 3,
	MK_KIND_USER_ACK	= 4,
	MK_KIND_IPI		= 5,
	MK_KIND_USER_REPLY	= 6,
};

/**
 * enum mk_user_ack - why a MK_KIND_USER_ACK was sent
 * @MK_USER_ACK_TELL: so that the other end has room again
 * @MK_USER_ACK_ASK: its sender has waited long for room; answer with a TELL.
 *	So neither a lost message nor a lost ack stops a stream for ever.
 */
enum mk_user_ack {
	MK_USER_ACK_TELL	= 0,
	MK_USER_ACK_ASK		= 1,
};

/** enum mk_control_type - to the host (H) or to the instance (I); ? is a request */
enum mk_control_type {
	MK_MSG_ALIVE		= 1,	/* H: see the slot; no payload */
	MK_MSG_READY		= 2,	/* H: no payload */
	MK_MSG_STOP		= 3,	/* I: power off, please; no payload */
	/* rings between two instances */
	MK_MSG_CONNECT		= 16,	/* H?: mk_wire_name, reply mk_wire_link */
	MK_MSG_LINK		= 17,	/* I: mk_wire_link: a ring pair is there */
	MK_MSG_UNLINK		= 18,	/* I: mk_wire_unlink: do not use it */
	MK_MSG_UNLINKED		= 19,	/* H: mk_wire_unlink: it is not used */
	/* shares */
	MK_MSG_SHARE_CREATE	= 32,	/* H?: mk_wire_share_create, mk_wire_share */
	MK_MSG_SHARE_GRANT	= 33,	/* H?: mk_wire_share_op */
	MK_MSG_SHARE_GIVE	= 34,	/* H?: mk_wire_share_op */
	MK_MSG_SHARE_REVOKE	= 35,	/* H?: mk_wire_share_op, mk_wire_share_revoked */
	MK_MSG_SHARE_ATTACH	= 36,	/* H?: mk_wire_share_op, mk_wire_share */
	MK_MSG_SHARE_DETACH	= 37,	/* H?: mk_wire_share_op */
	MK_MSG_SHARE_GET	= 38,	/* H?: mk_wire_share_op, mk_wire_share */
	MK_MSG_SHARE_HOLDER	= 39,	/* H?: mk_wire_share_op, mk_share_holder */
	MK_MSG_SHARE_EVENT	= 40,	/* I: mk_wire_share_event */
	MK_MSG_FRAME_SEND	= 41,	/* H?: mk_wire_frame, mk_wire_share */
	MK_MSG_FRAME_FREE	= 42,	/* I: mk_wire_frame: no longer lent */
};

/**
 * struct mk_wire_answer - what every reply begins with
 * @error: 0 or a positive errno
 * @reserved: zero
 *
 * Behind it stands what was asked for, or struct mk_refusal when @error is not
 * 0.
 */
struct mk_wire_answer {
	__u32 error;
	__u32 reserved;
};

/*
 * Errors that may reach a program: numbers from 512 on mean something to the
 * kernel that returns them, such as to run the system call again.
 */
#define MK_WIRE_ERRNO_MAX	511

/* What a reply can carry behind that, in bytes. */
#define MK_ANSWER_MAX	(MK_MSG_MAX - sizeof(struct mk_wire_answer))

/** struct mk_wire_name - MK_MSG_CONNECT: to whom */
struct mk_wire_name {
	char name[MK_NAME_MAX];
};

/**
 * struct mk_wire_link - a pair of rings to another instance
 * @serial: epoch of both rings; never the same twice in one life of the host
 * @peer_id: who is at the other end
 * @peer_epoch: its start
 * @bell_apicid: where it is rung; one of its own CPUs, checked by the host
 * @tx_offset: ring to write, from the region's start, in whole pages
 * @rx_offset: ring to read
 * @name: of the peer
 */
struct mk_wire_link {
	__u32 serial;
	__u32 peer_id;
	__u32 peer_epoch;
	__u32 bell_apicid;
	__aligned_u64 tx_offset;
	__aligned_u64 rx_offset;
	char name[MK_NAME_MAX];
};

/** struct mk_wire_unlink - the pair @serial to @peer_id is over */
struct mk_wire_unlink {
	__u32 serial;
	__u32 peer_id;
};

/**
 * enum mk_channel_type - messages of a channel (mk_msg_head.type)
 *
 * An end is named by a number that its own kernel chose, not 0, and never
 * gives twice in the life of a ring pair. nr and ack are in all of them; only
 * DATA has a number in the stream, so the others also tell of lost ones.
 *
 * @MK_CHANNEL_OPEN: from; mk_wire_channel. Answered by ACCEPT or REFUSE.
 * @MK_CHANNEL_ACCEPT: from, to
 * @MK_CHANNEL_REFUSE: to; mk_wire_answer, mk_refusal
 * @MK_CHANNEL_DATA: from, to; the message, 1 byte at least
 * @MK_CHANNEL_ACK: from, to; id is enum mk_channel_ack
 * @MK_CHANNEL_CLOSE: from, to: nothing more comes, and nothing more is taken.
 *	Answered by CLOSE, unless that was sent already: then both ends are
 *	forgotten. to is 0 when the sender has given up waiting for the answer
 *	to its OPEN.
 */
enum mk_channel_type {
	MK_CHANNEL_OPEN		= 1,
	MK_CHANNEL_ACCEPT	= 2,
	MK_CHANNEL_REFUSE	= 3,
	MK_CHANNEL_DATA		= 4,
	MK_CHANNEL_ACK		= 5,
	MK_CHANNEL_CLOSE	= 6,
};

/**
 * enum mk_channel_ack - why a MK_CHANNEL_ACK was sent
 * @MK_CHANNEL_ACK_TELL: so that the other end has room again
 * @MK_CHANNEL_ACK_ASK: its sender has waited long for room; answer with a TELL
 */
enum mk_channel_ack {
	MK_CHANNEL_ACK_TELL	= 0,
	MK_CHANNEL_ACK_ASK	= 1,
};

/** struct mk_wire_channel - MK_CHANNEL_OPEN */
struct mk_wire_channel {
	__u32 port;
	__u32 reserved;
};

/**
 * mk_extent - a piece of a share in one word: first page frame in the low 40
 * bits, number of pages (4096 bytes) in the upper 24
 */
#define MK_EXTENT_PFN_BITS	40
#define MK_EXTENT_PAGES_MAX	0xffffffU
#define MK_EXTENT_PFN(e)	((e) & ((1ULL << MK_EXTENT_PFN_BITS) - 1))
#define MK_EXTENT_PAGES(e)	((e) >> MK_EXTENT_PFN_BITS)
#define MK_EXTENT(pfn, pages)	((__u64)(pages) << MK_EXTENT_PFN_BITS | (pfn))

/** struct mk_wire_share_create - MK_MSG_SHARE_CREATE; the sender owns it */
struct mk_wire_share_create {
	__aligned_u64 bytes;
	__u32 node;
	__u32 reserved;
	char name[MK_SHARE_NAME_MAX];
};

/**
 * struct mk_wire_share_op - a request about one share
 * @id: of the share, 0 to find it by @name; MK_GET_NEXT | id for the next one
 *	that the sender may see (MK_MSG_SHARE_GET)
 * @rights: MK_RIGHT_*
 * @generation: that the sender means, 0 for any
 * @flags: MK_SHARE_*
 * @timeout_ms: REVOKE: what the grantees are told
 * @holder: ATTACH, DETACH: number of the attachment, chosen by the sender, not
 *	0, once in its epoch; HOLDER: index
 * @reserved: zero
 * @name: of the share
 * @peer: GRANT, GIVE, REVOKE: whom; empty: everybody (REVOKE)
 */
struct mk_wire_share_op {
	__u32 id;
	__u32 rights;
	__aligned_u64 generation;
	__u32 flags;
	__u32 timeout_ms;
	__u32 holder;
	__u32 reserved;
	char name[MK_SHARE_NAME_MAX];
	char peer[MK_NAME_MAX];
};

/**
 * struct mk_wire_share - a share, told to who may know it
 * @id: of the share
 * @rights: of the receiver of this
 * @generation: changes when a share is made or given
 * @bytes: that can be mapped
 * @kind: enum mk_share_kind
 * @state: enum mk_share_state
 * @owner: instance id, 0 for the host
 * @nr_extents: used
 * @charged_bytes: what it takes of the pool
 * @attaches: attachments that were made so far
 * @refused: requests about it that were refused
 * @name: of the share
 * @extents: in order; whole pages
 */
struct mk_wire_share {
	__u32 id;
	__u32 rights;
	__aligned_u64 generation;
	__aligned_u64 bytes;
	__u16 kind;
	__u16 state;
	__u16 owner;
	__u16 nr_extents;
	__aligned_u64 charged_bytes;
	__aligned_u64 attaches;
	__aligned_u64 refused;
	char name[MK_SHARE_NAME_MAX];
	__aligned_u64 extents[MK_SHARE_EXTENTS];
};

/**
 * struct mk_wire_share_revoked - nobody of them may attach any more
 * @id: of the share
 * @attached: attachments that there still are; 0: it is done
 * @generation: of the share: ask again by it until nothing is attached, or the
 *	share or the grant is unknown
 * @by: one of those who have it attached
 */
struct mk_wire_share_revoked {
	__u32 id;
	__u32 attached;
	__aligned_u64 generation;
	char by[MK_NAME_MAX];
};

/**
 * struct mk_wire_share_event - something happened to a share that you attached
 * @id: of the share
 * @what: enum mk_share_event_type
 * @generation: of the share
 * @timeout_ms: MK_SHARE_EVENT_REVOKED: detach within this time, please
 * @holder: attachment that it is about, 0 for all of this share
 */
struct mk_wire_share_event {
	__u32 id;
	__u32 what;
	__aligned_u64 generation;
	__u32 timeout_ms;
	__u32 holder;
};

/**
 * struct mk_wire_frame - MK_MSG_FRAME_SEND: lend a page of my own RAM
 * @pfn: the frame
 * @peer_id: to whom
 * @share: FRAME_FREE: id of the reference
 */
struct mk_wire_frame {
	__aligned_u64 pfn;
	__u32 peer_id;
	__u32 share;
	__aligned_u64 generation;
};

/**
 * struct mk_wire_pfn - payload of a message of type MK_PFN_IPI_TYPE
 * @pfn: the frame
 * @generation: of the reference
 * @share: id of the reference
 * @reserved: zero
 */
struct mk_wire_pfn {
	__aligned_u64 pfn;
	__aligned_u64 generation;
	__u32 share;
	__u32 reserved;
};

static_assert(sizeof(struct mk_wire_answer) == 8, "answer");
static_assert(sizeof(struct mk_refusal) <= MK_ANSWER_MAX, "fits a reply");
static_assert(sizeof(struct mk_wire_link) == 64, "link");
static_assert(sizeof(struct mk_wire_share_op) == 96, "share op");
static_assert(sizeof(struct mk_wire_share) == 88 + 8 * MK_SHARE_EXTENTS,
	      "share");
static_assert(sizeof(struct mk_wire_share) <= MK_ANSWER_MAX, "fits a reply");
static_assert(sizeof(struct mk_share_holder) <= MK_ANSWER_MAX, "fits a reply");

#endif /* _LINUX_MK_WIRE_H */
