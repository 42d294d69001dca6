// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One table: what each reason of the kernel means to a person, which class of
 * error it is, and what to do about it.
 *
 * In the texts {a} and {b} are the refusal's numbers; {a:size}, {a:hex},
 * {a:errno}, {a:state}, {a:rights} and {a:role} print them in that form. {object} is the
 * name that came with the refusal, {holder} says that this instance has
 * it, or that nobody was asked, and {on} is " on " and the name, if there is
 * one.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

struct reason_text {
	const char *name;
	int code;
	const char *message;
	const char *hint;
};

#define VERSIONS_HINT	"kernel and mkctl are of different versions; 'mkctl version' shows both"
#define IMAGE_HINT	"the file is damaged or not a kernel; build it again"

static const struct reason_text reasons[] = {
	[MK_REASON_BAD_STRUCT] = {
		"bad-struct", MK_ERR_NOT_PERMITTED,
		"the kernel knows {b} bytes of this request, {a} were given",
		VERSIONS_HINT },
	[MK_REASON_RESERVED_NOT_ZERO] = {
		"reserved-not-zero", MK_ERR_NOT_PERMITTED,
		"the kernel does not know a part of this request",
		VERSIONS_HINT },
	[MK_REASON_NOT_HOST] = {
		"not-host", MK_ERR_NOT_PERMITTED,
		"this kernel is not a host (its role is '{a:role}')",
		"run it on the kernel that the firmware booted, with mk_pool=SIZE on its command line" },
	[MK_REASON_NO_POOL] = {
		"no-pool", MK_ERR_NOT_PERMITTED,
		"this kernel has no pool of memory for instances",
		"add mk_pool=SIZE to the kernel command line, for example mk_pool=512M, and boot again" },
	[MK_REASON_NO_REGION] = {
		"no-region", MK_ERR_NOT_PERMITTED,
		"this kernel has no shared region",
		"make the pool larger: mk_pool=SIZE on the kernel command line; the host's kernel log says why it made none" },
	[MK_REASON_NOT_PERMITTED] = {
		"not-permitted", MK_ERR_NOT_PERMITTED,
		"not permitted",
		"run it as root" },
	[MK_REASON_BAD_NAME] = {
		"bad-name", MK_ERR_CONFIG,
		"'{object}' is not a name for an instance",
		"a name has 1 to 31 of a-z, 0-9, '_', '.' and '-', begins with a letter or a digit, and is not 'host'" },
	[MK_REASON_NAME_TAKEN] = {
		"name-taken", MK_ERR_BUSY,
		"there is an instance of this name (id {a})",
		"choose another name, or remove that one: 'mkctl rm {object}'" },
	[MK_REASON_TOO_MANY] = {
		"too-many", MK_ERR_BUSY,
		"there are {a} instances, which is the limit",
		"remove one that has ended: 'mkctl rm NAME'" },
	[MK_REASON_NO_INSTANCE] = {
		"no-instance", MK_ERR_NOT_FOUND,
		"no such instance",
		"'mkctl ls' lists them" },
	[MK_REASON_BAD_STATE] = {
		"bad-state", MK_ERR_BUSY,
		"not possible while it is {a:state}",
		NULL },
	[MK_REASON_REGION_FULL] = {
		"region-full", MK_ERR_BUSY,
		"the shared region has {b:size} free, {a:size} are needed",
		"remove an instance: 'mkctl rm NAME'" },
	[MK_REASON_CPU_ZERO] = {
		"cpu-zero", MK_ERR_CONFIG,
		"CPU 0 always stays with the host",
		"name other CPUs" },
	[MK_REASON_CPU_UNKNOWN] = {
		"cpu-unknown", MK_ERR_CONFIG,
		"CPU {a} does not exist",
		"'lscpu -e' lists the CPUs" },
	[MK_REASON_CPU_OFFLINE] = {
		"cpu-offline", MK_ERR_BUSY,
		"CPU {a} is offline",
		"bring it online: 'chcpu -e {a}'" },
	[MK_REASON_CPU_LENT] = {
		"cpu-lent", MK_ERR_BUSY,
		"CPU {a} is lent to instance '{object}'",
		"name another CPU, or end that instance: 'mkctl stop {object}'" },
	[MK_REASON_CPU_TWICE] = {
		"cpu-twice", MK_ERR_CONFIG,
		"CPU {a} is named twice",
		"name each CPU once" },
	[MK_REASON_CPU_OFFLINE_FAILED] = {
		"cpu-offline-failed", MK_ERR_FAILED,
		"CPU {a} does not go offline: {b:errno}",
		"the host's kernel log says what holds it" },
	[MK_REASON_CPU_TOO_MANY] = {
		"cpu-too-many", MK_ERR_CONFIG,
		"{a} CPUs are more than the {b} that an instance can have",
		"name fewer CPUs" },
	[MK_REASON_CPU_NONE] = {
		"cpu-none", MK_ERR_FAILED,
		"it has no CPUs",
		"remove it and spawn it again: 'mkctl rm NAME', 'mkctl spawn FILE'" },
	[MK_REASON_CPU_CONFIDENTIAL] = {
		"cpu-confidential", MK_ERR_NOT_PERMITTED,
		"this machine encrypts its memory (SME, SEV or TDX)",
		"boot the host with mem_encrypt=off; inside a confidential guest it is not possible" },
	[MK_REASON_CPU_SPLITS_CORE] = {
		"cpu-splits-core", MK_ERR_BUSY,
		"CPU {a} shares a core with CPU {b}, which {holder}",
		"take whole cores, or say \"allow_split_core\": true in the config" },
	[MK_REASON_CPU_TOO_FEW] = {
		"cpu-too-few", MK_ERR_BUSY,
		"{a} CPUs are wanted and {b} can be had{on}",
		"ask for fewer, or end an instance; 'mkctl ls' lists them" },
	[MK_REASON_CPU_NODE] = {
		"cpu-node", MK_ERR_CONFIG,
		"there is no NUMA node {a}",
		"'lscpu' lists the nodes" },
	[MK_REASON_MEM_NO_SPACE] = {
		"mem-no-space", MK_ERR_BUSY,
		"not enough free memory in the pool: {a:size} free, largest piece {b:size}",
		"ask for less, remove an instance, or give the host a larger mk_pool=" },
	[MK_REASON_MEM_TOO_SMALL] = {
		"mem-too-small", MK_ERR_CONFIG,
		"{a:size} of memory is too little, the least is {b:size}",
		"ask for more memory" },
	[MK_REASON_MEM_ALIGN] = {
		"mem-align", MK_ERR_CONFIG,
		"{a:size} of memory is not a multiple of {b:size}",
		"round the size up" },
	[MK_REASON_MEM_NODE] = {
		"mem-node", MK_ERR_CONFIG,
		"the pool has no memory on NUMA node {a}",
		"'mkctl pool show' shows the pool" },
	[MK_REASON_MEM_NONE] = {
		"mem-none", MK_ERR_FAILED,
		"it has no memory",
		"remove it and spawn it again: 'mkctl rm NAME', 'mkctl spawn FILE'" },
	[MK_REASON_MEM_PIECES] = {
		"mem-pieces", MK_ERR_BUSY,
		"free memory is in too many pieces: {a:size} would take more than {b} of them",
		"ask for less, or remove an instance; 'mkctl pool show' shows the pieces" },
	[MK_REASON_MEM_THERE] = {
		"mem-there", MK_ERR_BUSY,
		"it has {a:size} of memory already",
		"remove it and spawn it again: 'mkctl rm NAME', 'mkctl spawn FILE'" },
	[MK_REASON_MEM_NODE_FULL] = {
		"mem-node-full", MK_ERR_BUSY,
		"not enough free memory on {object}: {a:size} wanted, {b:size} free",
		"'mkctl pool show' shows the free pieces of each node" },
	[MK_REASON_IMAGE_READ] = {
		"image-read", MK_ERR_CONFIG,
		"the kernel image cannot be read: {b:errno}",
		NULL },
	[MK_REASON_IMAGE_FORMAT] = {
		"image-format", MK_ERR_CONFIG,
		"neither an ELF vmlinux nor a bzImage",
		"name a vmlinux or bzImage for x86-64" },
	[MK_REASON_IMAGE_TRUNCATED] = {
		"image-truncated", MK_ERR_CONFIG,
		"the kernel image is cut short: it needs {a} bytes and has {b}",
		"copy or build it again" },
	[MK_REASON_IMAGE_MACHINE] = {
		"image-machine", MK_ERR_CONFIG,
		"the kernel image is for another machine (ELF e_machine {a}), not x86-64",
		"name a kernel for x86-64" },
	[MK_REASON_IMAGE_NO_NOTE] = {
		"image-no-note", MK_ERR_CONFIG,
		"the kernel image was not built as an instance (it has no multikernel note)",
		"build it with CONFIG_MULTIKERNEL=y" },
	[MK_REASON_IMAGE_ABI] = {
		"image-abi", MK_ERR_CONFIG,
		"the kernel image speaks version {a} of what kernels share, this host version {b}",
		"build both from the same release" },
	[MK_REASON_IMAGE_FEATURES] = {
		"image-features", MK_ERR_CONFIG,
		"the kernel image has features {a:hex} of what kernels share, this host needs {b:hex}",
		"build both from the same release" },
	[MK_REASON_IMAGE_RELOCS] = {
		"image-relocs", MK_ERR_CONFIG,
		"the kernel image has bad relocation tables (place {a:hex}, {b} bytes)",
		IMAGE_HINT },
	[MK_REASON_IMAGE_ENTRY] = {
		"image-entry", MK_ERR_CONFIG,
		"the entry point {a:hex} is outside the kernel image, or not where its code begins",
		IMAGE_HINT },
	[MK_REASON_IMAGE_SEGMENT] = {
		"image-segment", MK_ERR_CONFIG,
		"the kernel image has a bad segment at {a:hex} of {b:hex} bytes",
		IMAGE_HINT },
	[MK_REASON_IMAGE_TOO_LARGE] = {
		"image-too-large", MK_ERR_CONFIG,
		"the kernel needs {a:size} in one piece of memory, the largest has room for {b:size}",
		"give the instance more memory; 'mkctl pool show' shows in which pieces it is free" },
	[MK_REASON_IMAGE_CHECKSUM] = {
		"image-checksum", MK_ERR_CONFIG,
		"the kernel image's checksum is wrong",
		"copy or build it again" },
	[MK_REASON_IMAGE_COMPRESSION] = {
		"image-compression", MK_ERR_CONFIG,
		"this kernel cannot decompress the image (method '{object}')",
		"use the vmlinux file, or build the image with another compression" },
	[MK_REASON_IMAGE_SIGNATURE] = {
		"image-signature", MK_ERR_NOT_PERMITTED,
		"the kernel image's signature was not accepted: {b:errno}",
		"sign it with a key that the host's kernel trusts" },
	[MK_REASON_IMAGE_NONE] = {
		"image-none", MK_ERR_FAILED,
		"it has no kernel loaded",
		"remove it and spawn it again: 'mkctl rm NAME', 'mkctl spawn FILE'" },
	[MK_REASON_INITRD_READ] = {
		"initrd-read", MK_ERR_CONFIG,
		"the initrd cannot be read: {b:errno}",
		NULL },
	[MK_REASON_INITRD_TOO_LARGE] = {
		"initrd-too-large", MK_ERR_CONFIG,
		"the initrd needs {a:size} in one piece of memory, beside the kernel there is room for {b:size}",
		"give the instance more memory; 'mkctl pool show' shows in which pieces it is free" },
	[MK_REASON_CMDLINE_TOO_LONG] = {
		"cmdline-too-long", MK_ERR_CONFIG,
		"the command line has {a} bytes, the limit is {b}",
		"shorten 'cmdline'; mkctl adds mk_shared_memory= to it" },
	[MK_REASON_CMDLINE_REGION] = {
		"cmdline-region", MK_ERR_CONFIG,
		"the command line names another shared region than the host's",
		"leave mk_shared_memory= away; mkctl adds it" },
	[MK_REASON_DTB_BAD] = {
		"dtb-bad", MK_ERR_FAILED,
		"the kernel cannot read the device tree (libfdt error {a})",
		VERSIONS_HINT },
	[MK_REASON_DTB_MISMATCH] = {
		"dtb-mismatch", MK_ERR_FAILED,
		"the device tree disagrees with the kernel in '{object}': {a:hex} there, {b:hex} expected",
		VERSIONS_HINT },
	[MK_REASON_DTB_TOO_LARGE] = {
		"dtb-too-large", MK_ERR_FAILED,
		"the device tree has {a} bytes, the limit is {b}",
		"give the instance fewer CPUs" },
	[MK_REASON_NO_LOW_MEMORY] = {
		"no-low-memory", MK_ERR_NOT_PERMITTED,
		"the host found no page below 1 MiB to start CPUs through",
		"the host's kernel log says what holds that memory" },
	[MK_REASON_CPU_NOT_BACK] = {
		"cpu-not-back", MK_ERR_FAILED,
		"CPU {a} did not come online in the host again",
		"the host's kernel log says why; 'mkctl kill NAME' tries again" },
	[MK_REASON_BUSY] = {
		"busy", MK_ERR_BUSY,
		"another request on it is under way",
		"try again" },
	[MK_REASON_PEER_UNKNOWN] = {
		"peer-unknown", MK_ERR_NOT_FOUND,
		"there is no kernel '{object}' on this machine",
		"the host's kernel is called 'host'; there 'mkctl ls' lists the others" },
	[MK_REASON_PEER_DOWN] = {
		"peer-down", MK_ERR_BUSY,
		"the kernel '{object}' does not run (it is {a:state})",
		"start it on the host: 'mkctl start {object}'" },
	[MK_REASON_PEER_SELF] = {
		"peer-self", MK_ERR_CONFIG,
		"'{object}' is this kernel itself",
		"name another kernel; within one there are sockets and shared memory" },
	[MK_REASON_PEER_NOT_ALLOWED] = {
		"peer-not-allowed", MK_ERR_NOT_PERMITTED,
		"this kernel and '{object}' may not talk to each other",
		"name one of them in \"channels\" of the other's config" },
	[MK_REASON_PEER_DIED] = {
		"peer-died", MK_ERR_FAILED,
		"the kernel '{object}' has ended",
		"'mkctl show' on the host says why" },
	[MK_REASON_PEER_RESTARTED] = {
		"peer-restarted", MK_ERR_FAILED,
		"the kernel '{object}' has ended and was started again since",
		"open it again" },
	[MK_REASON_NOT_JOINED] = {
		"not-joined", MK_ERR_NOT_PERMITTED,
		"this kernel shares nothing with other kernels",
		"run it on a host with mk_pool=SIZE on its command line and an instance, or inside an instance" },
	[MK_REASON_PORT_BAD] = {
		"port-bad", MK_ERR_CONFIG,
		"port {a} cannot be used for this, the largest is {b}",
		"take one from 1 on; port 0 belongs to the kernel, which echoes there" },
	[MK_REASON_PORT_NOBODY] = {
		"port-nobody", MK_ERR_NOT_FOUND,
		"nobody listens at port {a} of '{object}'",
		"start the program there first; each caller needs one end that listens" },
	[MK_REASON_CHANNEL_CLOSED] = {
		"channel-closed", MK_ERR_FAILED,
		"the other end of the channel has closed it",
		"open it again" },
	[MK_REASON_CHANNEL_FULL] = {
		"channel-full", MK_ERR_BUSY,
		"the other end has not yet read {a} messages",
		"wait until it has" },
	[MK_REASON_CHANNEL_TOO_MANY] = {
		"channel-too-many", MK_ERR_BUSY,
		"there are {a} channels, which is the limit",
		"close some" },
	[MK_REASON_MSG_TOO_LARGE] = {
		"msg-too-large", MK_ERR_CONFIG,
		"a message of {a} bytes, the limit is {b}",
		"send it in parts, or put it into a share" },
	[MK_REASON_TIMEOUT] = {
		"timeout", MK_ERR_TIMEOUT,
		"no answer in {a} ms",
		"try again; 'mkctl show' on the host says whether that kernel is alive" },
	[MK_REASON_REPLY_UNKNOWN] = {
		"reply-unknown", MK_ERR_NOT_FOUND,
		"nobody waits for a reply to request {a}",
		"reply once, within the time limit of the request" },
	[MK_REASON_MSG_EMPTY] = {
		"msg-empty", MK_ERR_CONFIG,
		"a message without a byte",
		"a message has 1 to 256 bytes" },
	[MK_REASON_CHANNEL_EMPTY] = {
		"channel-empty", MK_ERR_BUSY,
		"no message is there",
		"wait for one" },
	[MK_REASON_CHANNEL_NO_CALLER] = {
		"channel-no-caller", MK_ERR_BUSY,
		"nobody has called port {a} yet",
		"wait for a caller before sending" },
	[MK_REASON_SHARE_UNKNOWN] = {
		"share-unknown", MK_ERR_NOT_FOUND,
		"there is no such share, or it is not for this kernel",
		"'mkctl pfn ls' lists those that this kernel may use" },
	[MK_REASON_SHARE_NAME_TAKEN] = {
		"share-name-taken", MK_ERR_BUSY,
		"there is a share of this name (id {a})",
		"choose another name, or end that one: 'mkctl pfn revoke {object}'" },
	[MK_REASON_SHARE_NAME_BAD] = {
		"share-name-bad", MK_ERR_CONFIG,
		"'{object}' is not a name for a share",
		"a name has 1 to 31 of a-z, 0-9, '_', '.' and '-', and begins with a letter or a digit" },
	[MK_REASON_SHARE_SIZE] = {
		"share-size", MK_ERR_CONFIG,
		"a share cannot have {a} bytes",
		"the size is a multiple of 4096 and not 0" },
	[MK_REASON_SHARE_NO_SPACE] = {
		"share-no-space", MK_ERR_BUSY,
		"the pool has {b:size} free, the share needs {a:size}",
		"ask for less, or remove a share or an instance; 'mkctl pool show' on the host shows the pool" },
	[MK_REASON_SHARE_PIECES] = {
		"share-pieces", MK_ERR_BUSY,
		"free memory is in too many pieces: {a:size} would take more than {b} of them",
		"ask for less, or remove a share or an instance; 'mkctl pool show' on the host shows the pieces" },
	[MK_REASON_SHARE_TOO_MANY] = {
		"share-too-many", MK_ERR_BUSY,
		"the limit is {a}",
		"revoke what nobody needs; 'mkctl pfn ls' lists the shares and who may use them" },
	[MK_REASON_SHARE_NOT_OWNER] = {
		"share-not-owner", MK_ERR_NOT_PERMITTED,
		"this kernel does not own it",
		"do it in the kernel that owns it, or on the host; 'mkctl pfn ls' names the owner" },
	[MK_REASON_SHARE_RIGHTS] = {
		"share-rights", MK_ERR_NOT_PERMITTED,
		"{a:rights} is wanted, {b:rights} is granted",
		"ask for what is granted, or grant more in the kernel that owns it" },
	[MK_REASON_SHARE_REVOKED] = {
		"share-revoked", MK_ERR_NOT_PERMITTED,
		"it was revoked",
		"'mkctl pfn ls' on the host shows who still has it attached" },
	[MK_REASON_SHARE_ORPHANED] = {
		"share-orphaned", MK_ERR_FAILED,
		"the kernel that owned it has ended",
		"who had it attached can read it until the detach; nobody attaches it any more" },
	[MK_REASON_SHARE_STALE] = {
		"share-stale", MK_ERR_FAILED,
		"generation {a} is meant, the present one is {b}",
		"it was given to another owner or made anew; look at it again: 'mkctl pfn ls'" },
	[MK_REASON_SHARE_HELD] = {
		"share-held", MK_ERR_BUSY,
		"this kernel has it attached under this name already",
		"'mkctl pfn detach {object}' ends that" },
	[MK_REASON_SHARE_NOT_HELD] = {
		"share-not-held", MK_ERR_NOT_FOUND,
		"this kernel does not have it attached under this name",
		"'mkctl pfn ls' shows what is held; what a program has attached ends with the program" },
	[MK_REASON_SHARE_STILL_HELD] = {
		"share-still-held", MK_ERR_TIMEOUT,
		"revoked, but '{object}' still has it attached ({a} times)",
		"nobody attaches it again; its memory is used again after the last detach or the end of that kernel" },
	[MK_REASON_SHARE_OFFSET] = {
		"share-offset", MK_ERR_CONFIG,
		"offset {a} is not in it or not on a page, it has {b} bytes",
		"map it from offset 0" },
	[MK_REASON_SHARE_GRANTED] = {
		"share-granted", MK_ERR_BUSY,
		"'{object}' has a grant of it already",
		"revoke that first: 'mkctl pfn revoke NAME {object}'" },
	[MK_REASON_SHARE_KIND] = {
		"share-kind", MK_ERR_NOT_PERMITTED,
		"it is a reference to the owner's own memory, which cannot be given",
		"make a share of pool memory: 'mkctl pfn share'" },
	[MK_REASON_FRAME_NOT_OWNED] = {
		"frame-not-owned", MK_ERR_NOT_PERMITTED,
		"frame {a:hex} does not belong to the kernel that sent it",
		"only pages of the sender's own memory can be sent" },
	[MK_REASON_FRAME_OWN_RAM] = {
		"frame-own-ram", MK_ERR_NOT_PERMITTED,
		"frame {a:hex} is this kernel's own memory",
		"the kernel that sent it is broken or hostile" },
	[MK_REASON_FRAMES_LENT] = {
		"frames-lent", MK_ERR_BUSY,
		"{a} pages of its memory are still used by other kernels",
		"let those kernels give them back, or end them; 'mkctl pfn ls' lists them" },
	[MK_REASON_SHARE_NO_GRANT] = {
		"share-no-grant", MK_ERR_NOT_FOUND,
		"'{object}' has no grant of it",
		"'mkctl pfn ls' lists who has" },
	[MK_REASON_SHARE_BAD_PAGES] = {
		"share-bad-pages", MK_ERR_FAILED,
		"what the host tells of its memory cannot be, or is not write-back: frame {a:hex}",
		"the host's kernel is broken, or of another version" },
	[MK_REASON_WATCHDOG_TIME] = {
		"watchdog-time", MK_ERR_CONFIG,
		"a watchdog of {a} ms; at least {b} ms",
		"give a longer time, or 0 to switch it off" },
	[MK_REASON_CPU_NO_ANSWER] = {
		"cpu-no-answer", MK_ERR_FAILED,
		"CPU {a} does not answer",
		"nothing was frozen; 'mkctl show' tells whether it beats, 'mkctl kill' ends the instance in any case" },
	[MK_REASON_FEATURE_MISSING] = {
		"feature-missing", MK_ERR_CONFIG,
		"its kernel cannot do that (feature {a:hex})",
		"start it with a kernel that has it: 'mkctl show' lists the features" },
	[MK_REASON_NOTHING_TO_DUMP] = {
		"nothing-to-dump", MK_ERR_NOT_FOUND,
		"no kernel has run in its memory yet",
		"start it first" },
	[MK_REASON_DUMP_ADDRESS] = {
		"dump-address", MK_ERR_CONFIG,
		"{b:size} at {a:hex} are not in its memory",
		"'mkctl show' lists its memory" },
};

static const struct reason_text *reason_text(uint32_t reason)
{
	if (reason >= MK_ARRAY_SIZE(reasons) || !reasons[reason].name)
		return NULL;
	return &reasons[reason];
}

const char *mk_reason_name(uint32_t reason)
{
	const struct reason_text *text = reason_text(reason);

	return text ? text->name : NULL;
}

static void print_number(char *buf, size_t size, uint64_t number,
			 const char *form)
{
	char text[MK_SIZE_TEXT_MAX];

	if (!strcmp(form, "size"))
		snprintf(buf, size, "%s", mk_size_format(number, text));
	else if (!strcmp(form, "hex"))
		snprintf(buf, size, "0x%llx", (unsigned long long)number);
	else if (!strcmp(form, "errno"))
		snprintf(buf, size, "%s", strerror((int)number));
	else if (!strcmp(form, "state"))
		snprintf(buf, size, "%s", mk_state_name((uint32_t)number));
	else if (!strcmp(form, "rights"))
		snprintf(buf, size, "%s", mk_rights_name((uint32_t)number));
	else if (!strcmp(form, "role"))
		snprintf(buf, size, "%s", mk_role_name((uint32_t)number));
	else
		snprintf(buf, size, "%llu", (unsigned long long)number);
}

/* @field is what stands between the braces: "object", "a", "b:size". */
static void print_field(char *buf, size_t size, const char *field,
			const struct mk_refusal *refusal, const char *object)
{
	uint64_t number = field[0] == 'a' ? refusal->a : refusal->b;

	if (!strcmp(field, "object"))
		snprintf(buf, size, "%s", object ? object : "");
	else if (!strcmp(field, "holder"))
		snprintf(buf, size, refusal->object[0] ?
			 "is lent to instance '%.*s'" : "is not in the list",
			 (int)sizeof(refusal->object),
			 refusal->object);
	else if (!strcmp(field, "on"))
		snprintf(buf, size, "%s%.*s", refusal->object[0] ? " on " : "",
			 (int)sizeof(refusal->object), refusal->object);
	else
		print_number(buf, size, number,
			     field[1] == ':' ? field + 2 : "");
}

static void expand(char *buf, size_t size, const char *text,
		   const struct mk_refusal *refusal, const char *object)
{
	char field[16];
	size_t used = 0;
	const char *end;

	while (*text && used + 1 < size) {
		end = *text == '{' ? strchr(text, '}') : NULL;
		if (!end) {
			buf[used++] = *text++;
			continue;
		}
		snprintf(field, sizeof(field), "%.*s", (int)(end - text - 1),
			 text + 1);
		print_field(buf + used, size - used, field, refusal, object);
		used += strlen(buf + used);
		text = end + 1;
	}
	buf[used] = '\0';
}

/* Refused without a reason: by an older check of Linux itself. */
static void plain_error(struct mk_error *err, int error, const char *object)
{
	int code = MK_ERR_FAILED;

	if (error == EPERM || error == EACCES)
		code = MK_ERR_NOT_PERMITTED;
	else if (error == EBUSY || error == EEXIST)
		code = MK_ERR_BUSY;
	else if (error == ENOENT)
		code = MK_ERR_NOT_FOUND;
	else if (error == ETIMEDOUT)
		code = MK_ERR_TIMEOUT;
	mk_error_set(err, code, object, "the kernel refused it: %s",
		     strerror(error));
	if (code == MK_ERR_NOT_PERMITTED)
		mk_error_hint(err, "run it as root; lockdown or a security module may also forbid it");
}

void mk_refusal_error(struct mk_error *err, const struct mk_refusal *refusal,
		      int error, const char *object)
{
	const struct reason_text *text = reason_text(refusal->reason);
	char name[sizeof(refusal->object) + 1];

	if (!err)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)sizeof(refusal->object),
		 refusal->object);
	if (refusal->reason == MK_REASON_NONE) {
		plain_error(err, error, object);
		return;
	}
	if (!text) {
		mk_error_set(err, MK_ERR_FAILED, object,
			     "refused for reason %u (a %llu, b %llu), which this mkctl does not know: %s",
			     refusal->reason, (unsigned long long)refusal->a,
			     (unsigned long long)refusal->b, strerror(error));
		mk_error_hint(err, VERSIONS_HINT);
		err->reason = refusal->reason;
		return;
	}
	mk_error_set(err, text->code, object, "%s", "");
	err->reason = refusal->reason;
	expand(err->message, sizeof(err->message), text->message, refusal,
	       name[0] ? name : object);
	if (text->hint)
		expand(err->hint, sizeof(err->hint), text->hint, refusal,
		       name[0] ? name : object);
}

int mk_name_copy(char *dst, size_t size, const char *name, uint32_t reason,
		 int error, struct mk_error *err)
{
	const struct mk_refusal refusal = { .reason = reason };
	size_t len = strlen(name);

	if (len >= size) {
		mk_refusal_error(err, &refusal, error, name);
		return -error;
	}
	memcpy(dst, name, len + 1);
	return 0;
}
