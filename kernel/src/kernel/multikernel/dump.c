// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a dump of an instance is made of: its memory, read through a descriptor,
 * and what its kernel said of itself (MK_IOC_DUMP).
 *
 * All of that was said by a kernel that may have gone mad since. What does not
 * lie in its own memory is left out.
 *
 * inst->mem_lock is what keeps a reader's memory from becoming somebody else's.
 * Readers hold it only to copy into a buffer of their own: a copy to user space
 * may take as long as it likes.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

#define MK_READ_MAX		SZ_1M		/* at once */
#define MK_VMCOREINFO_MAX	SZ_64K

/* How much of @bytes from @addr on lies in one piece of its memory? */
static u64 mk_inside(const struct mk_instance *inst, u64 addr, u64 bytes)
{
	const struct mk_range *range;
	u32 i;

	for (i = 0; i < inst->nr_ranges; i++) {
		range = &inst->ranges[i];
		if (addr >= range->addr && addr - range->addr < range->bytes)
			return min(bytes, range->bytes - (addr - range->addr));
	}
	return 0;
}

/** mk_dump_inside() - does all of it lie in one piece of its memory? */
bool mk_dump_inside(const struct mk_instance *inst, u64 addr, u64 bytes)
{
	return bytes && mk_inside(inst, addr, bytes) == bytes;
}

/* Copies from memory that the caller keeps from going away. */
static int mk_copy_from_phys(void *to, u64 addr, u64 bytes)
{
	u64 first = ALIGN_DOWN(addr, PAGE_SIZE);
	void *from = mk_map_phys(first, PAGE_ALIGN(addr + bytes) - first,
				 false);

	if (!from)
		return -ENOMEM;
	memcpy(to, from + (addr - first), bytes);
	mk_unmap_phys(from);
	return 0;
}

/* Up to @bytes from @addr on: how many there were, or -errno. */
static ssize_t mk_memory_copy(struct mk_instance *inst, void *to, u64 addr,
			      u64 bytes)
{
	int ret;

	guard(mutex)(&inst->mem_lock);
	if (READ_ONCE(inst->gone))
		return -ENODEV;
	bytes = inst->memory_used ? mk_inside(inst, addr, bytes) : 0;
	if (!bytes)
		return -ENXIO;
	ret = mk_copy_from_phys(to, addr, bytes);
	return ret ?: bytes;
}

static ssize_t mk_memory_read(struct file *file, char __user *user, size_t len,
			      loff_t *pos)
{
	size_t chunk = min_t(size_t, len, MK_READ_MAX);
	ssize_t got;
	void *buf;

	if (!len)
		return 0;
	buf = kvmalloc(chunk, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	got = mk_memory_copy(file->private_data, buf, *pos, chunk);
	if (got > 0 && copy_to_user(user, buf, got))
		got = -EFAULT;
	kvfree(buf);
	if (got > 0)
		*pos += got;
	return got;
}

static int mk_memory_release(struct inode *inode, struct file *file)
{
	mk_instance_put(file->private_data);
	return 0;
}

static const struct file_operations mk_memory_fops = {
	.read		= mk_memory_read,
	.release	= mk_memory_release,
	.llseek		= default_llseek,
};

/** mk_open_memory() - fd or -errno; takes over the reference on success */
int mk_open_memory(struct mk_instance *inst)
{
	struct file *file;
	int fd;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile("[multikernel-memory]", &mk_memory_fops,
				  inst, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

/* Is it what park.c writes? The rest of the note is numbers, all are fine. */
static bool mk_note_good(const void *raw)
{
	const struct elf64_note *head = raw;

	return head->n_namesz == sizeof("CORE") &&
	       head->n_descsz == sizeof(struct elf_prstatus) &&
	       head->n_type == NT_PRSTATUS &&
	       !memcmp(head + 1, "CORE", sizeof("CORE"));
}

/**
 * mk_dump_notes() - the stored registers
 * @inst: under mk_lock and mem_lock
 * @notes: MK_SLOT_CPUS notes, zero
 * @ret_nr: CPUs that there are
 *
 * Return: how many notes are there, or -errno.
 */
int mk_dump_notes(const struct mk_instance *inst, u8 *notes, u32 *ret_nr)
{
	const struct mk_slot *slot = inst->slot;
	u32 n, nr = min(READ_ONCE(slot->nr_notes), MK_SLOT_CPUS);
	u64 addr = READ_ONCE(slot->notes);
	u32 found = 0;
	u8 *note;
	int ret;

	*ret_nr = 0;
	if (!mk_dump_inside(inst, addr, nr * MK_DUMP_NOTE_BYTES))
		return 0;
	ret = mk_copy_from_phys(notes, addr, nr * MK_DUMP_NOTE_BYTES);
	if (ret)
		return ret;
	for (n = 0; n < nr; n++) {
		note = notes + n * MK_DUMP_NOTE_BYTES;
		if (READ_ONCE(slot->saved[n / 64]) & BIT_ULL(n % 64) &&
		    mk_note_good(note))
			found++;
		else
			memset(note, 0, MK_DUMP_NOTE_BYTES);
	}
	*ret_nr = nr;
	return found;
}

/** mk_dump_facts() - the rest, from a slot of this start */
void mk_dump_facts(const struct mk_instance *inst, struct mk_dump *d)
{
	const struct mk_slot *slot = inst->slot;
	u64 phys_base = READ_ONCE(slot->phys_base);
	u64 text = READ_ONCE(slot->text);
	u64 text_bytes = READ_ONCE(slot->text_bytes);
	u64 info = READ_ONCE(slot->vmcoreinfo);
	u64 info_bytes = READ_ONCE(slot->vmcoreinfo_bytes);
	u64 text_phys = mk_arch_text_phys(text, phys_base);

	d->page_offset = READ_ONCE(slot->page_offset);
	if (mk_dump_inside(inst, text_phys, text_bytes)) {
		d->phys_base = phys_base;
		d->text = text;
		d->text_phys = text_phys;
		d->text_bytes = text_bytes;
	}
	if (info_bytes <= MK_VMCOREINFO_MAX &&
	    mk_dump_inside(inst, info, info_bytes)) {
		d->vmcoreinfo = info;
		d->vmcoreinfo_bytes = info_bytes;
	}
}

static int mk_dump_locked(struct mk_dump *d, u8 *notes, struct mk_refusal *r)
{
	struct mk_instance *inst;
	int found;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(d->id, r);
	if (!inst)
		return mk_lookup_errno(r);
	guard(mutex)(&inst->mem_lock);
	if (!inst->memory_used) {
		mk_refuse(r, MK_REASON_NOTHING_TO_DUMP, 0, 0, inst->name);
		return -ENODATA;
	}
	/* One that has not joined has said nothing: just memory, then. */
	if (READ_ONCE(inst->slot->epoch) != inst->epoch)
		return 0;
	mk_dump_facts(inst, d);
	found = mk_dump_notes(inst, notes, &d->nr_notes);
	d->nr_saved = max(found, 0);
	return min(found, 0);
}

/**
 * mk_instance_dump() - what a dump has to say
 * @d: id, and where the notes go to
 * @r: why not, on failure
 *
 * Return: 0, -ENOENT, -ENODATA, -ENOMEM or -EFAULT.
 */
int mk_instance_dump(struct mk_dump *d, struct mk_refusal *r)
{
	struct mk_dump told = { .size = d->size, .id = d->id };
	u8 *notes = kvzalloc(MK_SLOT_CPUS * MK_DUMP_NOTE_BYTES, GFP_KERNEL);
	u32 fit;
	int ret;

	if (!notes)
		return -ENOMEM;
	told.notes = d->notes;
	ret = mk_dump_locked(&told, notes, r);
	fit = d->notes ? min(d->nr_notes, told.nr_notes) : 0;
	if (!ret && copy_to_user(u64_to_user_ptr(d->notes), notes,
				 fit * MK_DUMP_NOTE_BYTES))
		ret = -EFAULT;
	kvfree(notes);
	told.refusal = *r;
	*d = told;
	return ret;
}
