/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user ABI of the multikernel: what /dev/multikernel understands.
 *
 * One header, used unchanged by the kernel, libmk and the tests.
 *
 * Every ioctl takes one struct whose first member is its size in bytes, so
 * that both sides can grow it (copy_struct_from_user()). Reserved members must
 * be zero. A refusal is an errno plus a &struct mk_refusal, which is written
 * back even when the ioctl fails: which check failed, on what object, and the
 * numbers that a person needs to act on it.
 *
 * Life cycle of an instance:
 *
 *	CREATE -> created -> SET_CPUS, SET_MEMORY, kexec_file_load(2) -> loaded
 *	START  -> starting -> (its kernel starts PID 1) -> running
 *	STOP   -> stopping -> stopped        KILL -> killed
 *	its own panic -> panicked            START again from any of these ends
 *	DESTROY from created, loaded or any end
 *
 * The CPUs of an instance go back to the host as soon as it ends. Its memory
 * and log stay its own until START (scrubs and reuses) or DESTROY (scrubs and
 * gives back).
 */
#ifndef _UAPI_LINUX_MULTIKERNEL_H
#define _UAPI_LINUX_MULTIKERNEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Version of everything that two kernels share: region, rings, boot hand-over.
 * It is in the kernel image's ELF note and in the region's header.
 */
#define MK_ABI_VERSION		4

/*
 * What a kernel can do with what two kernels share, beyond the version. The
 * image's note says what an instance has, the region's header what the host
 * offers and what an instance has to have. What both have is used.
 */
#define MK_FEATURE_LOG		0x1ULL	/* its log goes to the host */
#define MK_FEATURE_BEATS	0x2ULL	/* its CPUs count heartbeats */
#define MK_FEATURE_STOP		0x4ULL	/* the host can ask it to power off */
#define MK_FEATURE_PARK		0x8ULL	/* its CPUs answer the host's NMI: they
					 * store their registers and wait */
#define MK_FEATURES		(MK_FEATURE_LOG | MK_FEATURE_BEATS | \
				 MK_FEATURE_STOP | MK_FEATURE_PARK)
#define MK_FEATURES_NEEDED	(MK_FEATURE_LOG | MK_FEATURE_STOP)

/* The ELF note by which a kernel image says that it can be an instance:
 * name "Linux", this type, descriptor struct mk_note, little-endian.
 */
#define MK_NOTE_NAME		"Linux"
#define MK_NOTE_TYPE		0x6d6b0001

/**
 * struct mk_note - descriptor of that note
 * @abi_version: MK_ABI_VERSION of the image; first in every version
 * @features_low: MK_FEATURE_* that it has, lower half
 * @features_high: upper half
 */
struct mk_note {
	__u32 abi_version;
	__u32 features_low;
	__u32 features_high;
};

#define MK_NAME_MAX		32	/* bytes, with the final NUL */
#define MK_MAX_INSTANCES	128
#define MK_MAX_CPUS		512	/* of one instance */
#define MK_MAX_RANGES		16	/* pieces of memory of one instance */
#define MK_BOOT_ID_SIZE		16	/* a UUID, binary, as in boot_id */

/*
 * kexec_file_load(2): load an image for instance ID instead of for this
 * kernel's own successor. ID stands in the upper half of the flags.
 */
#define KEXEC_FILE_MULTIKERNEL		0x00008000
#define KEXEC_FILE_MULTIKERNEL_ID(id)	((unsigned long)(id) << 16)

/** enum mk_role - what part this kernel plays on the machine */
enum mk_role {
	MK_ROLE_NONE		= 0,	/* the feature sleeps */
	MK_ROLE_HOST		= 1,	/* booted by firmware, has a pool */
	MK_ROLE_INSTANCE	= 2,	/* started by a host */
};

/** enum mk_state - states of an instance; the ends are the last four */
enum mk_state {
	MK_STATE_CREATED	= 0,
	MK_STATE_LOADED		= 1,
	MK_STATE_STARTING	= 2,
	MK_STATE_RUNNING	= 3,
	MK_STATE_UNRESPONSIVE	= 4,
	MK_STATE_FROZEN		= 5,
	MK_STATE_STOPPING	= 6,
	MK_STATE_STOPPED	= 7,	/* ended by its own will or by STOP */
	MK_STATE_PANICKED	= 8,
	MK_STATE_KILLED		= 9,
	MK_STATE_FAILED		= 10,	/* never came up */
	MK_NR_STATES
};

/* In struct mk_event only: DESTROY has run */
#define MK_STATE_GONE		0xffffU

/** enum mk_cause - why an instance is in the state that it is in */
enum mk_cause {
	MK_CAUSE_NONE		= 0,
	MK_CAUSE_STOP		= 1,	/* STOP was asked for, it powered off */
	MK_CAUSE_POWEROFF	= 2,	/* it powered off by itself */
	MK_CAUSE_HALT		= 3,
	MK_CAUSE_REBOOT		= 4,
	MK_CAUSE_PANIC		= 5,
	MK_CAUSE_KILL		= 6,	/* KILL was asked for */
	MK_CAUSE_HANG		= 7,	/* a CPU of it does not beat any more */
	MK_CAUSE_BOOT_TIMEOUT	= 8,
	MK_CAUSE_CPU_START	= 9,	/* its first CPU did not come up */
	MK_NR_CAUSES
};

/** enum mk_reason - which check refused a request (struct mk_refusal.reason) */
enum mk_reason {
	MK_REASON_NONE			= 0,
	/* requests */
	MK_REASON_BAD_STRUCT		= 1,	/* a: size given, b: size known */
	MK_REASON_RESERVED_NOT_ZERO	= 2,
	MK_REASON_NOT_HOST		= 3,	/* a: enum mk_role */
	MK_REASON_NO_POOL		= 4,
	MK_REASON_NO_REGION		= 5,
	MK_REASON_NOT_PERMITTED		= 6,
	/* instances */
	MK_REASON_BAD_NAME		= 16,	/* object: the name */
	MK_REASON_NAME_TAKEN		= 17,	/* object: the name, a: its id */
	MK_REASON_TOO_MANY		= 18,	/* a: limit */
	MK_REASON_NO_INSTANCE		= 19,	/* a: id, object: name if given */
	MK_REASON_BAD_STATE		= 20,	/* a: enum mk_state */
	MK_REASON_REGION_FULL		= 21,	/* a: wanted, b: free bytes */
	/* CPUs */
	MK_REASON_CPU_ZERO		= 32,	/* CPU 0 is never lent */
	MK_REASON_CPU_UNKNOWN		= 33,	/* a: cpu */
	MK_REASON_CPU_OFFLINE		= 34,	/* a: cpu */
	MK_REASON_CPU_LENT		= 35,	/* a: cpu, object: to whom */
	MK_REASON_CPU_TWICE		= 36,	/* a: cpu */
	MK_REASON_CPU_OFFLINE_FAILED	= 37,	/* a: cpu, b: errno */
	MK_REASON_CPU_TOO_MANY		= 38,	/* a: count, b: limit */
	MK_REASON_CPU_NONE		= 39,	/* START without CPUs */
	MK_REASON_CPU_CONFIDENTIAL	= 40,	/* SME, SEV or TDX is active */
	MK_REASON_CPU_SPLITS_CORE	= 41,	/* a: cpu, b: sibling that is left
						 * out, object: who has that */
	MK_REASON_CPU_TOO_FEW		= 42,	/* a: wanted, b: free */
	MK_REASON_CPU_NODE		= 43,	/* a: node */
	/* memory */
	MK_REASON_MEM_NO_SPACE		= 48,	/* a: free, b: largest piece */
	MK_REASON_MEM_TOO_SMALL		= 49,	/* a: wanted, b: least */
	MK_REASON_MEM_ALIGN		= 50,	/* a: wanted, b: alignment */
	MK_REASON_MEM_NODE		= 51,	/* a: node */
	MK_REASON_MEM_NONE		= 52,	/* LOAD or START without memory */
	MK_REASON_MEM_PIECES		= 53,	/* a: wanted, b: limit of pieces */
	MK_REASON_MEM_THERE		= 54,	/* it has memory, a: how much */
	MK_REASON_MEM_NODE_FULL		= 55,	/* a: wanted, b: free there,
						 * object: "nodeN" */
	/* images */
	MK_REASON_IMAGE_READ		= 64,	/* b: errno */
	MK_REASON_IMAGE_FORMAT		= 65,	/* neither ELF nor bzImage */
	MK_REASON_IMAGE_TRUNCATED	= 66,	/* a: needed, b: bytes there */
	MK_REASON_IMAGE_MACHINE		= 67,	/* a: e_machine */
	MK_REASON_IMAGE_NO_NOTE		= 68,
	MK_REASON_IMAGE_ABI		= 69,	/* a: its version, b: ours */
	MK_REASON_IMAGE_ENTRY		= 70,	/* a: entry */
	MK_REASON_IMAGE_SEGMENT		= 71,	/* a: address, b: size */
	MK_REASON_IMAGE_TOO_LARGE	= 72,	/* a: needed, b: largest room */
	MK_REASON_IMAGE_CHECKSUM	= 73,
	MK_REASON_IMAGE_COMPRESSION	= 74,	/* object: method */
	MK_REASON_IMAGE_SIGNATURE	= 75,	/* b: errno */
	MK_REASON_IMAGE_NONE		= 76,	/* START without an image */
	MK_REASON_IMAGE_FEATURES	= 77,	/* a: its features, b: needed */
	MK_REASON_IMAGE_RELOCS		= 78,	/* a: place, b: bytes to change
						 * there; 0: bad tables */
	MK_REASON_INITRD_READ		= 80,	/* b: errno */
	MK_REASON_INITRD_TOO_LARGE	= 81,	/* a: needed, b: largest room */
	MK_REASON_CMDLINE_TOO_LONG	= 82,	/* a: length, b: limit */
	MK_REASON_CMDLINE_REGION	= 83,	/* carries mk_shared_memory= that disagrees */
	/* device tree */
	MK_REASON_DTB_BAD		= 96,	/* a: libfdt error */
	MK_REASON_DTB_MISMATCH		= 97,	/* object: property, a: there, b: expected */
	MK_REASON_DTB_TOO_LARGE		= 98,	/* a: size, b: limit */
	/* machine */
	MK_REASON_NO_LOW_MEMORY		= 112,	/* no page below 1 MiB for the start page */
	MK_REASON_CPU_NOT_BACK		= 113,	/* a: cpu: did not come online again */
	MK_REASON_BUSY			= 114,	/* another request is under way */
	/* peers and channels */
	MK_REASON_PEER_UNKNOWN		= 128,	/* object: the name */
	MK_REASON_PEER_DOWN		= 129,	/* it does not run; a: mk_state */
	MK_REASON_PEER_SELF		= 130,	/* that is this kernel itself */
	MK_REASON_PEER_NOT_ALLOWED	= 131,	/* no channel in their configs */
	MK_REASON_PEER_DIED		= 132,
	MK_REASON_PEER_RESTARTED	= 133,
	MK_REASON_NOT_JOINED		= 134,	/* this kernel has no region */
	MK_REASON_PORT_BAD		= 135,	/* a: port, b: largest */
	MK_REASON_PORT_NOBODY		= 136,	/* a: port; nobody listens */
	MK_REASON_CHANNEL_CLOSED	= 137,	/* by the other end */
	MK_REASON_CHANNEL_FULL		= 138,	/* a: messages under way */
	MK_REASON_CHANNEL_TOO_MANY	= 139,	/* a: limit */
	MK_REASON_MSG_TOO_LARGE		= 140,	/* a: bytes, b: limit */
	MK_REASON_TIMEOUT		= 141,	/* a: ms */
	MK_REASON_REPLY_UNKNOWN		= 142,	/* a: id; nobody waits for it */
	MK_REASON_MSG_EMPTY		= 143,	/* a message has 1 byte at least */
	MK_REASON_CHANNEL_EMPTY		= 144,	/* nothing to read */
	MK_REASON_CHANNEL_NO_CALLER	= 145,	/* a: port; nobody has called */
	/* shares */
	MK_REASON_SHARE_UNKNOWN		= 160,	/* object: name, a: id */
	MK_REASON_SHARE_NAME_TAKEN	= 161,	/* object: name, a: its id */
	MK_REASON_SHARE_NAME_BAD	= 162,	/* object: name */
	MK_REASON_SHARE_SIZE		= 163,	/* a: bytes: 0, or odd */
	MK_REASON_SHARE_NO_SPACE	= 164,	/* a: wanted, b: free */
	MK_REASON_SHARE_PIECES		= 165,	/* a: wanted, b: limit of pieces */
	MK_REASON_SHARE_TOO_MANY	= 166,	/* a: limit */
	MK_REASON_SHARE_NOT_OWNER	= 167,	/* object: name */
	MK_REASON_SHARE_RIGHTS		= 168,	/* a: wanted, b: granted */
	MK_REASON_SHARE_REVOKED		= 169,	/* object: name */
	MK_REASON_SHARE_ORPHANED	= 170,	/* its owner ended */
	MK_REASON_SHARE_STALE		= 171,	/* a: generation, b: present */
	MK_REASON_SHARE_HELD		= 172,	/* attached under that name already */
	MK_REASON_SHARE_NOT_HELD	= 173,	/* not attached under that name */
	MK_REASON_SHARE_STILL_HELD	= 174,	/* a: attachments, object: by whom */
	MK_REASON_SHARE_OFFSET		= 175,	/* a: offset, b: size of the share */
	MK_REASON_SHARE_GRANTED		= 176,	/* it has a grant already */
	MK_REASON_SHARE_KIND		= 177,	/* a reference cannot be given */
	MK_REASON_FRAME_NOT_OWNED	= 178,	/* a: frame */
	MK_REASON_FRAME_OWN_RAM		= 179,	/* a: frame: RAM of the receiver */
	MK_REASON_FRAMES_LENT		= 180,	/* a: references still attached */
	MK_REASON_SHARE_NO_GRANT	= 181,	/* object: the peer */
	MK_REASON_SHARE_BAD_PAGES	= 182,	/* a: frame: what the host told of
						 * a share cannot be */
	/* health and dumps */
	MK_REASON_WATCHDOG_TIME		= 192,	/* a: ms, b: least; 0 is off */
	MK_REASON_CPU_NO_ANSWER		= 193,	/* a: cpu (host's number): it took
						 * no NMI */
	MK_REASON_FEATURE_MISSING	= 194,	/* a: MK_FEATURE_*: the instance's
						 * kernel does not have it */
	MK_REASON_NOTHING_TO_DUMP	= 195,	/* it has no memory, or no kernel
						 * ran in it */
	MK_REASON_DUMP_ADDRESS		= 196,	/* a: address, b: bytes: not in its
						 * memory */
};

/**
 * struct mk_refusal - why a request was refused
 * @reason: enum mk_reason; MK_REASON_NONE after success
 * @reserved: zero
 * @a: first number, see the comment at the reason
 * @b: second number
 * @object: what was refused (a name), empty or NUL-terminated
 */
struct mk_refusal {
	__u32 reason;
	__u32 reserved;
	__aligned_u64 a;
	__aligned_u64 b;
	char object[40];
};

/**
 * struct mk_info - MK_IOC_INFO: this kernel and this machine
 * @size: in: sizeof(struct mk_info)
 * @role: out: enum mk_role
 * @abi_version: out: MK_ABI_VERSION of the kernel
 * @instance_id: out: own id when an instance, else 0
 * @name: out: own name when an instance, else empty
 * @tsc_khz: out: frequency of the TSC in kHz
 * @lapic_khz: out: frequency of the local APIC's timer in kHz, 0 where the
 *	TSC deadline timer is used
 * @realtime_ns: out: CLOCK_REALTIME in ns, read together with @tsc
 * @tsc: out: TSC at @realtime_ns
 * @pool_bytes: out: size of the pool
 * @pool_free_bytes: out: not given to an instance and not the region
 * @pool_largest_bytes: out: largest free piece
 * @region_addr: out: physical address of the shared region, 0 for none
 * @region_bytes: out: its size
 * @start_page: out: physical address of the start page (host), 0 for none
 * @nr_instances: out: that exist
 * @nr_pool_ranges: out: pieces of the pool
 * @core_shift: out: APIC ids of one core differ only in so many low bits
 * @reserved: zero
 * @refusal: out
 */
struct mk_info {
	__u32 size;
	__u32 role;
	__u32 abi_version;
	__u32 instance_id;
	char name[MK_NAME_MAX];
	__u32 tsc_khz;
	__u32 lapic_khz;
	__aligned_u64 realtime_ns;
	__aligned_u64 tsc;
	__aligned_u64 pool_bytes;
	__aligned_u64 pool_free_bytes;
	__aligned_u64 pool_largest_bytes;
	__aligned_u64 region_addr;
	__aligned_u64 region_bytes;
	__aligned_u64 start_page;
	__u32 nr_instances;
	__u32 nr_pool_ranges;
	__u32 core_shift;
	__u32 reserved;
	struct mk_refusal refusal;
};

/**
 * struct mk_create - MK_IOC_CREATE: a new instance, state created
 * @size: in: sizeof(struct mk_create)
 * @id: out: its id, 1 to MK_MAX_INSTANCES
 * @name: in: [a-z0-9][a-z0-9_.-]*, NUL-terminated, unique
 * @refusal: out
 *
 * Errors: -EEXIST name taken, -EINVAL bad name, -ENOSPC too many or region full
 */
struct mk_create {
	__u32 size;
	__u32 id;
	char name[MK_NAME_MAX];
	struct mk_refusal refusal;
};

/**
 * struct mk_by_id - MK_IOC_DESTROY, MK_IOC_STOP, MK_IOC_KILL, MK_IOC_FREEZE,
 *	MK_IOC_THAW
 * @size: in: sizeof(struct mk_by_id)
 * @id: in: instance
 * @flags: in: zero
 * @cause: in: for MK_IOC_KILL, enum mk_cause: MK_CAUSE_KILL;
 *	MK_CAUSE_HANG by a caller that gave up on one that is unresponsive; or
 *	MK_CAUSE_BOOT_TIMEOUT by one that gave up on its start (the end is then
 *	failed); 0 means MK_CAUSE_KILL. Zero for the others.
 * @refusal: out
 *
 * STOP asks and returns; poll for the end. KILL returns when the CPUs are
 * back; on an instance that has ended it does nothing. FREEZE makes all CPUs of
 * a running instance store their registers and wait, and returns when they do;
 * THAW lets them go on. Errors: -ENOENT, -EBUSY wrong state, -EOPNOTSUPP its
 * kernel cannot, -ETIMEDOUT a CPU does not answer (then nothing is frozen).
 */
struct mk_by_id {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 cause;
	struct mk_refusal refusal;
};

/**
 * struct mk_set_cpus - MK_IOC_SET_CPUS: take CPUs from the host, lend them
 * @size: in: sizeof(struct mk_set_cpus)
 * @id: in: instance; created, loaded or ended
 * @nr_cpus: in: how many, 0 to MK_MAX_CPUS
 * @flags: in: MK_CPUS_SPLIT_CORES
 * @cpus: in: pointer to @nr_cpus __u32, Linux CPU numbers of the host, the
 *	first one boots the instance
 * @refusal: out
 *
 * All are offlined and lent, or none. Replaces (gives back) what it had; 0
 * gives back all. Whole cores only, unless @flags has MK_CPUS_SPLIT_CORES: two
 * kernels on one core slow each other down, and see into each other's caches.
 * Errors: -EINVAL, -ENODEV unknown, -EBUSY lent or offline, -EPERM.
 */
struct mk_set_cpus {
	__u32 size;
	__u32 id;
	__u32 nr_cpus;
	__u32 flags;
	__aligned_u64 cpus;
	struct mk_refusal refusal;
};

/* SMT siblings of the CPUs may stay with the host or with others. */
#define MK_CPUS_SPLIT_CORES	1

#define MK_MEMORY_ALIGN		0x200000	/* bytes: 2 MiB */
#define MK_MEMORY_MIN		0x2000000	/* bytes: 32 MiB */
#define MK_NODE_ANY		0xffffffffU

/* Where the kernel begins in its piece of memory; in front is the hand-over */
#define MK_KERNEL_OFFSET	0x200000	/* bytes: 2 MiB */
#define MK_CMDLINE_MAX		2048	/* bytes, with the NUL */

/**
 * struct mk_memory_part - so much memory from one place
 * @bytes: how much, a multiple of MK_MEMORY_ALIGN, not 0
 * @node: NUMA node or MK_NODE_ANY
 * @reserved: zero
 */
struct mk_memory_part {
	__aligned_u64 bytes;
	__u32 node;
	__u32 reserved;
};

/**
 * struct mk_set_memory - MK_IOC_SET_MEMORY: give pool memory to an instance
 * @size: in: sizeof(struct mk_set_memory)
 * @id: in: instance; created or ended
 * @nr_parts: in: how many, at most MK_MAX_RANGES; 0 takes back all
 * @reserved: zero
 * @parts: in: pointer to @nr_parts struct mk_memory_part; together at least
 *	MK_MEMORY_MIN
 * @refusal: out
 *
 * All parts are given, or none. A part comes as one piece where the pool has
 * one that is large enough, else as several. Errors: -ENOMEM, -EINVAL, -EBUSY
 * has memory already or wrong state
 */
struct mk_set_memory {
	__u32 size;
	__u32 id;
	__u32 nr_parts;
	__u32 reserved;
	__aligned_u64 parts;
	struct mk_refusal refusal;
};

/**
 * struct mk_start - MK_IOC_START: start the loaded image
 * @size: in: sizeof(struct mk_start)
 * @id: in: instance; loaded or ended, with CPUs lent
 * @dtb: in: pointer to the device tree (docs/device-tree.md)
 * @dtb_bytes: in: its size, at most MK_DTB_MAX
 * @epoch: out: number of this start, counts from 1
 * @refusal: out
 *
 * Returns with state starting; poll for running. Errors: -EINVAL device tree,
 * -EBUSY state, -ENXIO nothing loaded or no CPUs.
 */
struct mk_start {
	__u32 size;
	__u32 id;
	__aligned_u64 dtb;
	__u32 dtb_bytes;
	__u32 epoch;
	struct mk_refusal refusal;
};

#define MK_DTB_MAX		0x10000		/* bytes: 64 KiB */

/** struct mk_cpu - one CPU of an instance, in both numberings */
struct mk_cpu {
	__u32 cpu;		/* Linux number on the host */
	__u32 apicid;		/* hardware id, the same in every kernel */
	__u32 node;		/* NUMA node on the host */
	__u32 core;		/* the same for SMT siblings only:
				 * apicid >> mk_info.core_shift */
};

/** struct mk_range - one piece of physical memory */
struct mk_range {
	__aligned_u64 addr;
	__aligned_u64 bytes;
	__u32 node;
	__u32 reserved;
};

/**
 * struct mk_get - MK_IOC_GET: everything about one instance
 * @size: in: sizeof(struct mk_get)
 * @id: in: instance, or 0 to look it up by @name, or MK_GET_NEXT | id for the
 *	instance with the smallest id above id; out: its id
 * @name: in: when @id is 0; out: its name
 * @state: out: enum mk_state
 * @cause: out: enum mk_cause
 * @epoch: out: number of starts so far
 * @flags: out: MK_GET_CPUS_LENT
 * @boot_id: out: of the running kernel, zero until it is alive
 * @change_seq: out: counts state changes
 * @cpus: in: pointer to @nr_cpus struct mk_cpu, or 0
 * @ranges: in: pointer to @nr_ranges struct mk_range, or 0
 * @nr_cpus: in: room at @cpus; out: CPUs that there are (kept after the end,
 *	so that a start can ask for the same ones)
 * @nr_ranges: in: room at @ranges; out: pieces that there are
 * @memory_bytes: out: sum of the pieces
 * @handoff_addr: out: physical address of the hand-over area in its memory, 0
 *	as long as no image is loaded
 * @handoff_bytes: out: its size, 0 likewise
 * @beats: out: heartbeats since the start, all CPUs together
 * @watchdog_ms: out: see struct mk_set_watchdog
 * @nr_stuck: out: CPUs of it that do not beat while it is unresponsive
 * @stuck_cpu: out: the first of those, its number on the host; else 0
 * @last_state: out: enum mk_state: how the boot before this one ended, or the
 *	present one if it has ended; MK_STATE_CREATED for none yet
 * @last_cause: out: enum mk_cause of that end
 * @reserved: zero
 * @last_ended_realtime_ns: out: when
 * @created_ns: out: CLOCK_BOOTTIME of the host in ns, 0 for not yet
 * @loaded_ns: out
 * @started_ns: out: when START was asked for
 * @sipi_ns: out: when its first CPU was started
 * @alive_ns: out: when its kernel said that it starts PID 1
 * @log_zero_ns: out: when the clock that its log's lines carry showed 0; 0
 *	until it is alive
 * @ready_ns: out: when its user space said that it is ready
 * @ended_ns: out: when it ended
 * @cpus_back_ns: out: when the last of its CPUs was online in the host again
 * @ended_realtime_ns: out: CLOCK_REALTIME of the end
 * @image_bytes: out: size of the loaded image's segments, 0 for none
 * @initrd_bytes: out
 * @features: out: MK_FEATURE_* that it and the host use, 0 until it has joined
 * @load_refusal: out: the refusal of the last failed kexec_file_load(2)
 * @refusal: out
 *
 * Errors: -ENOENT
 */
struct mk_get {
	__u32 size;
	__u32 id;
	char name[MK_NAME_MAX];
	__u32 state;
	__u32 cause;
	__u32 epoch;
	__u32 flags;
	__u8 boot_id[MK_BOOT_ID_SIZE];
	__aligned_u64 change_seq;
	__aligned_u64 cpus;
	__aligned_u64 ranges;
	__u32 nr_cpus;
	__u32 nr_ranges;
	__aligned_u64 memory_bytes;
	__aligned_u64 handoff_addr;
	__aligned_u64 handoff_bytes;
	__aligned_u64 beats;
	__u32 watchdog_ms;
	__u32 nr_stuck;
	__u32 stuck_cpu;
	__u32 last_state;
	__u32 last_cause;
	__u32 reserved;
	__aligned_u64 last_ended_realtime_ns;
	__aligned_u64 created_ns;
	__aligned_u64 loaded_ns;
	__aligned_u64 started_ns;
	__aligned_u64 sipi_ns;
	__aligned_u64 alive_ns;
	__aligned_u64 log_zero_ns;
	__aligned_u64 ready_ns;
	__aligned_u64 ended_ns;
	__aligned_u64 cpus_back_ns;
	__aligned_u64 ended_realtime_ns;
	__aligned_u64 image_bytes;
	__aligned_u64 initrd_bytes;
	__aligned_u64 features;
	struct mk_refusal load_refusal;
	struct mk_refusal refusal;
};

#define MK_GET_NEXT		0x80000000U	/* in id */
#define MK_GET_CPUS_LENT	0x00000001U	/* in flags: its CPUs are lent now */

/**
 * struct mk_open - MK_IOC_OPEN: a file descriptor on one instance
 * @size: in: sizeof(struct mk_open)
 * @id: in: instance; 0 with MK_OPEN_EVENTS for all
 * @kind: in: MK_OPEN_EVENTS: read(2) gives struct mk_event, one per call, the
 *	present state first; poll(2) says when there is a newer one. Of all
 *	instances (@id 0) every change is given in its order, beginning with
 *	the oldest that is kept (MK_EVENTS_KEPT); @lost in an event says how
 *	many the reader was too slow for.
 *	MK_OPEN_LOG: read(2) gives whole lines of its kernel log, oldest first,
 *	in the form of /dev/kmsg ("PRIO,SEQ,USEC,FLAGS;TEXT\n"); 0 at the end
 *	of what there is; poll(2) says when there is more. The log of the last
 *	boot survives the instance's end.
 *	MK_OPEN_MEMORY: pread(2) at a physical address gives what is in the
 *	instance's memory, up to the end of that piece; -ENXIO outside of it.
 *	Needs CAP_SYS_ADMIN. While it runs the memory changes under the reader.
 * @fd: out: close-on-exec
 * @refusal: out
 *
 * A descriptor keeps nothing alive: after DESTROY read(2) gives -ENODEV and
 * poll(2) EPOLLHUP.
 */
struct mk_open {
	__u32 size;
	__u32 id;
	__u32 kind;
	__s32 fd;
	struct mk_refusal refusal;
};

#define MK_OPEN_EVENTS		0
#define MK_OPEN_LOG		1
#define MK_OPEN_MEMORY		2

#define MK_EVENTS_KEPT		256	/* of all instances */

/**
 * struct mk_event - one state of an instance, from a MK_OPEN_EVENTS fd
 * @change_seq: of one instance: counts its changes; of all: counts events
 * @time_ns: CLOCK_BOOTTIME of the host
 * @realtime_ns: CLOCK_REALTIME of the host
 * @id: of the instance
 * @state: enum mk_state, or MK_STATE_GONE
 * @cause: enum mk_cause
 * @epoch: number of the start
 * @stuck_cpu: with unresponsive: first CPU that does not beat, host's number
 * @lost: of all: events that were overwritten before this one was read
 * @name: of the instance
 */
struct mk_event {
	__aligned_u64 change_seq;
	__aligned_u64 time_ns;
	__aligned_u64 realtime_ns;
	__u32 id;
	__u32 state;
	__u32 cause;
	__u32 epoch;
	__u32 stuck_cpu;
	__u32 lost;
	char name[MK_NAME_MAX];
};

/**
 * struct mk_notify - MK_IOC_NOTIFY: inside an instance, tell the host
 * @size: in: sizeof(struct mk_notify)
 * @what: in: MK_NOTIFY_READY: user space is up
 * @refusal: out
 */
struct mk_notify {
	__u32 size;
	__u32 what;
	struct mk_refusal refusal;
};

#define MK_NOTIFY_READY		1

/**
 * struct mk_pool - MK_IOC_POOL: the pool in pieces
 * @size: in: sizeof(struct mk_pool)
 * @nr_ranges: in: room at @ranges; out: pieces of the pool
 * @nr_free: in: room at @free; out: pieces that are free
 * @reserved: zero
 * @ranges: in: pointer to @nr_ranges struct mk_range, or 0
 * @free: in: pointer to @nr_free struct mk_range, or 0
 * @refusal: out
 *
 * Both lists are sorted by address; a piece lies on one NUMA node, and pieces
 * of one node that touch are one.
 */
struct mk_pool {
	__u32 size;
	__u32 nr_ranges;
	__u32 nr_free;
	__u32 reserved;
	__aligned_u64 ranges;
	__aligned_u64 free;
	struct mk_refusal refusal;
};

#define MK_IOC_MAGIC		'k'
#define MK_IOC_INFO		_IOWR(MK_IOC_MAGIC, 0x80, struct mk_info)
#define MK_IOC_CREATE		_IOWR(MK_IOC_MAGIC, 0x81, struct mk_create)
#define MK_IOC_DESTROY		_IOWR(MK_IOC_MAGIC, 0x82, struct mk_by_id)
#define MK_IOC_SET_CPUS		_IOWR(MK_IOC_MAGIC, 0x83, struct mk_set_cpus)
#define MK_IOC_SET_MEMORY	_IOWR(MK_IOC_MAGIC, 0x84, struct mk_set_memory)
#define MK_IOC_START		_IOWR(MK_IOC_MAGIC, 0x85, struct mk_start)
#define MK_IOC_STOP		_IOWR(MK_IOC_MAGIC, 0x86, struct mk_by_id)
#define MK_IOC_KILL		_IOWR(MK_IOC_MAGIC, 0x87, struct mk_by_id)
#define MK_IOC_GET		_IOWR(MK_IOC_MAGIC, 0x88, struct mk_get)
#define MK_IOC_OPEN		_IOWR(MK_IOC_MAGIC, 0x89, struct mk_open)
#define MK_IOC_NOTIFY		_IOWR(MK_IOC_MAGIC, 0x8a, struct mk_notify)
#define MK_IOC_POOL		_IOWR(MK_IOC_MAGIC, 0x8b, struct mk_pool)
#define MK_IOC_SET_CHANNELS	_IOWR(MK_IOC_MAGIC, 0x8c, struct mk_set_channels)
#define MK_IOC_CHANNEL_OPEN	_IOWR(MK_IOC_MAGIC, 0x8d, struct mk_channel_open)
#define MK_IOC_CHANNEL_GET	_IOWR(MK_IOC_MAGIC, 0x8e, struct mk_channel_get)
#define MK_IOC_SHARE_CREATE	_IOWR(MK_IOC_MAGIC, 0x90, struct mk_share_create)
#define MK_IOC_SHARE_GRANT	_IOWR(MK_IOC_MAGIC, 0x91, struct mk_share_op)
#define MK_IOC_SHARE_GIVE	_IOWR(MK_IOC_MAGIC, 0x92, struct mk_share_op)
#define MK_IOC_SHARE_REVOKE	_IOWR(MK_IOC_MAGIC, 0x93, struct mk_share_op)
#define MK_IOC_SHARE_ATTACH	_IOWR(MK_IOC_MAGIC, 0x94, struct mk_share_attach)
#define MK_IOC_SHARE_DETACH	_IOWR(MK_IOC_MAGIC, 0x95, struct mk_share_op)
#define MK_IOC_SHARE_GET	_IOWR(MK_IOC_MAGIC, 0x96, struct mk_share_get)
#define MK_IOC_SET_WATCHDOG	_IOWR(MK_IOC_MAGIC, 0x98, struct mk_set_watchdog)
#define MK_IOC_FREEZE		_IOWR(MK_IOC_MAGIC, 0x99, struct mk_by_id)
#define MK_IOC_THAW		_IOWR(MK_IOC_MAGIC, 0x9a, struct mk_by_id)
#define MK_IOC_DUMP		_IOWR(MK_IOC_MAGIC, 0x9b, struct mk_dump)

#include <linux/multikernel_health.h>
#include <linux/multikernel_peers.h>

#endif /* _UAPI_LINUX_MULTIKERNEL_H */
