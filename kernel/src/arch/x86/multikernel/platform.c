// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform of an instance: a PC without any of a PC's devices.
 *
 * No ACPI, PIC, PIT, HPET, IOAPIC, RTC, i8042, ROMs or legacy PCI: all of that
 * belongs to the host. CPUs come from the device tree by APIC id, frequencies
 * and wall clock from the host, further CPUs start through the host's start
 * page, and everything that would end the machine ends the instance.
 *
 * In the order in which it runs:
 *	multikernel_instance_early_setup()	head64.c, by boot_params'
 *						hardware_subarch: the role
 *	mk_arch_setup()		early in setup_arch(): device tree, log
 *	mk_platform_setup()	in the place of dmi_setup(): all other hooks
 *	mk_realmode_init()	early_initcall: how further CPUs join
 *	mk_unmap_low()		late_initcall: nobody needs the first MiB now
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/acpi.h>
#include <linux/console.h>
#include <linux/elfnote.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/libfdt.h>
#include <linux/nodemask.h>
#include <linux/panic.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/serial_8250.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/early_ioremap.h>
#include <asm/hypervisor.h>
#include <asm/i8259.h>
#include <asm/io_apic.h>
#include <asm/kexec.h>
#include <asm/msr.h>
#include <asm/mtrr.h>
#include <asm/numa.h>
#include <asm/pci_x86.h>
#include <asm/pgtable.h>
#include <asm/realmode.h>
#include <asm/reboot.h>
#include <asm/set_memory.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include "../../../kernel/multikernel/internal.h"
#include "startpage.h"

#define MK_MTRR_ENABLED	BIT(11)	/* of MSR_MTRRdefType */

/* "I can be an instance", for the loader; it survives strip and compression. */
#define MK_NOTE ((struct mk_note) {			\
	.abi_version = MK_ABI_VERSION,			\
	.features_low = (u32)MK_FEATURES,		\
	.features_high = (u32)(MK_FEATURES >> 32),	\
})
ELFNOTE32(MK_NOTE_NAME, MK_NOTE_TYPE, MK_NOTE);

static struct {
	u32 apicid;
	u32 node;
} mk_cpus[MK_MAX_CPUS] __initdata;
static u32 mk_nr_cpus __initdata;
static u32 mk_tsc_khz __ro_after_init;
static u32 mk_lapic_khz __ro_after_init;
static u64 mk_wall_ns __ro_after_init;
static u64 mk_wall_tsc __ro_after_init;

/* Device tree. */

static u32 __init mk_cell(const void *dtb, int node, const char *name)
{
	int len;
	const fdt32_t *p = fdt_getprop(dtb, node, name, &len);

	return p && len >= 4 ? fdt32_to_cpu(*p) : 0;
}

static void __init mk_pairs(const void *dtb, int node, const char *name,
			    u64 *ret, int n)
{
	int len, i;
	const fdt32_t *p = fdt_getprop(dtb, node, name, &len);

	for (i = 0; i < n; i++)
		ret[i] = p && len == n * 8 ?
			 (u64)fdt32_to_cpu(p[2 * i]) << 32 |
			 fdt32_to_cpu(p[2 * i + 1]) : 0;
}

static void __init mk_read_self(const void *dtb)
{
	int node = fdt_path_offset(dtb, "/multikernel");
	const char *name;
	u64 pair[2];

	mk_guest.id = mk_cell(dtb, node, "instance-id");
	name = fdt_getprop(dtb, node, "instance-name", NULL);
	strscpy(mk_guest.name, name ?: "", sizeof(mk_guest.name));
	mk_pairs(dtb, node, "shared-memory", pair, 2);
	mk_guest.region_addr = pair[0];
	mk_guest.region_bytes = pair[1];
	mk_pairs(dtb, node, "hand-over", pair, 2);
	mk_guest.handoff_addr = pair[0];
	mk_guest.handoff_bytes = pair[1];
	mk_pairs(dtb, node, "start-page", &mk_guest.start_page, 1);
	mk_tsc_khz = mk_cell(dtb, node, "tsc-khz");
	mk_lapic_khz = mk_cell(dtb, node, "lapic-khz");
	mk_pairs(dtb, node, "wall-clock", pair, 2);
	mk_wall_ns = pair[0];
	mk_wall_tsc = pair[1];
}

static void __init mk_read_cpus(const void *dtb)
{
	int node, cpus = fdt_path_offset(dtb, "/cpus");

	fdt_for_each_subnode(node, dtb, cpus) {
		if (mk_nr_cpus == MK_MAX_CPUS)
			break;
		mk_cpus[mk_nr_cpus].apicid = mk_cell(dtb, node, "reg");
		mk_cpus[mk_nr_cpus].node = mk_cell(dtb, node, "numa-node-id");
		mk_nr_cpus++;
	}
}

/* The seed is used once: the copy in memory is wiped. */
static void __init mk_read_seed(void *dtb)
{
	int len, node = fdt_path_offset(dtb, "/chosen");
	void *seed = fdt_getprop_w(dtb, node, "rng-seed", &len);

	if (!seed)
		return;
	add_bootloader_randomness(seed, len);
	memzero_explicit(seed, len);
}

/* The device tree is the only setup_data that the host gives. */
static bool __init mk_read_dtb(void)
{
	u64 at = boot_params.hdr.setup_data;
	struct setup_data *data;
	u32 len;

	if (!at)
		return false;
	data = early_memremap(at, sizeof(*data));
	len = data->type == SETUP_DTB ? data->len : 0;
	early_memunmap(data, sizeof(*data));
	if (!len || len > MK_DTB_MAX)
		return false;
	data = early_memremap(at, sizeof(*data) + len);
	if (fdt_check_header(data->data) || fdt_totalsize(data->data) > len) {
		early_memunmap(data, sizeof(*data) + len);
		return false;
	}
	mk_read_self(data->data);
	mk_read_cpus(data->data);
	mk_read_seed(data->data);
	early_memunmap(data, sizeof(*data) + len);
	return true;
}

/*
 * Words that every instance wants, put in front of what the user gave:
 *	swiotlb=	no device here does DMA, and with all memory above 4 GiB
 *			there is nothing to make bounce buffers of
 *	apic_extnmi=	external NMIs are for the host
 */
#define MK_WORDS	"swiotlb=noforce apic_extnmi=none "

static void __init mk_add_words(void)
{
	size_t len = strlen(boot_command_line);

	if (len + sizeof(MK_WORDS) > COMMAND_LINE_SIZE) {
		pr_warn("no room on the command line for: %s\n", MK_WORDS);
		return;
	}
	memmove(boot_command_line + strlen(MK_WORDS), boot_command_line,
		len + 1);
	memcpy(boot_command_line, MK_WORDS, strlen(MK_WORDS));
}

static void __init mk_arch_setup(void)
{
	if (!mk_read_dtb())
		panic("multikernel: no device tree from the host");
	mk_add_words();
	mk_guest_early();
}

/* Clocks. */

static unsigned long mk_calibrate(void)
{
	return mk_tsc_khz;
}

static void mk_get_wallclock(struct timespec64 *now)
{
	s64 cycles = mk_arch_tsc() - mk_wall_tsc;

	*now = ns_to_timespec64(mk_wall_ns +
				mk_arch_tsc_to_ns(max(cycles, 0)));
}

static int mk_set_wallclock(const struct timespec64 *now)
{
	return -ENODEV;
}

static void __init mk_timer_init(void)
{
	/* Set, it keeps calibrate_APIC_clock() from waiting for a PIT. */
	lapic_timer_period = div_u64((u64)mk_lapic_khz * 1000, HZ);
}

/* CPUs. */

static void __init mk_x2apic_init(void)
{
#ifdef CONFIG_X86_X2APIC
	if (!x2apic_enabled())
		return;
	/* No interrupt remapping here, so physical mode. */
	x2apic_phys = 1;
	/* With no OEM to match, only apic_x2apic_phys takes this call. */
	default_acpi_madt_oem_check("", "");
#endif
}

static bool __init mk_x2apic_available(void)
{
	return x2apic_enabled();
}

/*
 * Linux takes nodes and distances from the device tree by itself, but not which
 * CPU is on which node. A node that it did not accept (numa=off, or a kernel
 * for fewer nodes) is left to its own choice.
 */
static void __init mk_register_cpu(u32 apicid, u32 node)
{
	if (apicid < MAX_LOCAL_APIC && node < MAX_NUMNODES &&
	    node_possible(node))
		set_apicid_to_node(apicid, node);
	topology_register_apic(apicid, CPU_ACPIID_INVALID, true);
}

static void __init mk_parse_smp_config(void)
{
	u32 i;

	mk_x2apic_init();
	register_lapic_address(APIC_DEFAULT_PHYS_BASE);
	for (i = 0; i < mk_nr_cpus; i++)
		mk_register_cpu(mk_cpus[i].apicid, mk_cpus[i].node);
	smp_found_config = 1;
}

/* do_boot_cpu() sends CPUs to trampoline_start: the host's start page. */
static struct real_mode_header mk_real_mode_header __ro_after_init;

static void __init mk_realmode_reserve(void)
{
	mk_real_mode_header.trampoline_start = mk_guest.start_page;
	real_mode_header = &mk_real_mode_header;
}

/*
 * A page table for CPUs that join: the kernel's half, and the start page, on
 * which they stand when they load it.
 */
static u64 __init mk_make_join_table(void)
{
	u64 *pgd = (void *)get_zeroed_page(GFP_KERNEL);
	u64 *pud = (void *)get_zeroed_page(GFP_KERNEL);
	u64 *pmd = (void *)get_zeroed_page(GFP_KERNEL);
	u64 *pte = (void *)get_zeroed_page(GFP_KERNEL);
	u64 page = mk_guest.start_page;

	if (!pgd || !pud || !pmd || !pte)
		return 0;
	memcpy(pgd + PTRS_PER_PGD / 2, (u64 *)init_top_pgt + PTRS_PER_PGD / 2,
	       PAGE_SIZE / 2);
	pgd[0] = __pa(pud) | _KERNPG_TABLE_NOENC;
	pud[0] = __pa(pmd) | _KERNPG_TABLE_NOENC;
	pmd[0] = __pa(pte) | _KERNPG_TABLE_NOENC;
	pte[pte_index(page)] = page | __PAGE_KERNEL_ROX;
	return __pa(pgd);
}

static void __init mk_realmode_init(void)
{
	struct mk_join_block *block;
	u64 cr3 = mk_make_join_table();

	block = memremap(mk_guest.handoff_addr + MK_HANDOFF_JOIN,
			 sizeof(*block), MEMREMAP_WB);
	if (!block || !cr3) {
		pr_err("further CPUs cannot join\n");
		return;
	}
	block->rip = (u64)secondary_startup_64_no_verify;
	/* Nobody joins before cr3 is there. */
	smp_store_release(&block->cr3, cr3);
	memunmap(block);
}

/* Ends. */

static void __noreturn mk_end(enum mk_cause cause)
{
	local_irq_disable();
	mk_guest_end(cause);
	/* The host resets all CPUs of this instance. */
	for (;;)
		native_halt();
}

/* Its frame stays, so that a debugger finds the way from here to the panic. */
static noinline void __noreturn mk_end_panicked(void)
{
	struct pt_regs regs;

	local_irq_disable();
	crash_setup_regs(&regs, NULL);
	mk_park_panicked(&regs);
	mk_end(MK_CAUSE_PANIC);
}

static void mk_power_off(void)
{
	mk_end(MK_CAUSE_POWEROFF);
}

static void mk_halt(void)
{
	mk_end(MK_CAUSE_HALT);
}

static void mk_restart(char *cmd)
{
	mk_end(MK_CAUSE_REBOOT);
}

static void mk_emergency_restart(void)
{
	bool panicked = atomic_read(&panic_cpu) != PANIC_CPU_INVALID;

	if (panicked)
		mk_end_panicked();
	/*
	 * Sysrq comes here without a word to anybody. What the log's thread has
	 * not yet written goes out with this line.
	 */
	nbcon_cpu_emergency_enter();
	pr_emerg("emergency restart\n");
	nbcon_cpu_emergency_exit();
	mk_end(MK_CAUSE_REBOOT);
}

/*
 * panic=0 means to stand still for ever after a panic, which makes no sense
 * here: the memory stays for a look at it anyway. What the panic has to say is
 * in the log by now.
 */
static int mk_on_panic(struct notifier_block *nb, unsigned long code,
		       void *data)
{
	if (!panic_timeout)
		mk_end_panicked();
	return NOTIFY_DONE;
}

static struct notifier_block mk_panic_nb = {
	.notifier_call = mk_on_panic,
	.priority = INT_MIN,
};

static bool mk_is_untracked(u64 start, u64 end)
{
	return is_ISA_range(start, end) ||
	       (start < mk_guest.region_addr + mk_guest.region_bytes &&
		end > mk_guest.region_addr);
}

/* Legacy devices are the host's: hooks that would probe them do nothing. */

static int __init mk_no_pci(void)
{
	return 0;
}

#if IS_BUILTIN(CONFIG_SERIAL_8250)
static void mk_no_serial(int port, struct uart_port *up, u32 *capabilities)
{
	up->iobase = 0;
}
#endif

/* Port 0x61 says why an NMI came: to the host. */
static unsigned char mk_no_nmi_reason(void)
{
	return 0;
}

static void __init mk_no_legacy(void)
{
	x86_platform.get_nmi_reason = mk_no_nmi_reason;
	x86_init.resources.probe_roms = x86_init_noop;
	x86_init.mpparse.find_mptable = x86_init_noop;
	x86_init.mpparse.early_parse_smp_cfg = x86_init_noop;
	x86_init.irqs.pre_vector_init = x86_init_noop;
	x86_init.pci.arch_init = mk_no_pci;
	x86_platform.legacy.rtc = 0;
	x86_platform.legacy.warm_reset = 0;
	x86_platform.legacy.i8042 = X86_LEGACY_I8042_PLATFORM_ABSENT;
	x86_platform.legacy.devices.pnpbios = 0;
	legacy_pic = &null_legacy_pic;
#ifdef CONFIG_PCI
	pci_probe = 0;
#endif
#if IS_BUILTIN(CONFIG_SERIAL_8250)
	serial8250_set_isa_configurator(mk_no_serial);
#endif
	disable_acpi();
}

static void __init mk_clocks(void)
{
	x86_init.timers.timer_init = mk_timer_init;
	x86_init.timers.wallclock_init = x86_init_noop;
	x86_platform.calibrate_cpu = mk_calibrate;
	x86_platform.calibrate_tsc = mk_calibrate;
	x86_platform.get_wallclock = mk_get_wallclock;
	x86_platform.set_wallclock = mk_set_wallclock;
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
	setup_force_cpu_cap(X86_FEATURE_TSC_RELIABLE);
	/* The TSC is the machine's common clock: leave TSC_ADJUST alone. */
	mark_tsc_async_resets("multikernel instance");
}

/* First of all: a panic of the earliest boot must not reset the machine. */
static void __init mk_ends(void)
{
	machine_ops.power_off = mk_power_off;
	machine_ops.halt = mk_halt;
	machine_ops.restart = mk_restart;
	machine_ops.emergency_restart = mk_emergency_restart;
	/* Without a handler a poweroff would become a halt. */
	pm_power_off = mk_power_off;
	/* A panic ends the instance at once, unless panic= says when. */
	set_arch_panic_timeout(-1, CONFIG_PANIC_TIMEOUT);
}

/*
 * INIT leaves the MTRRs as the firmware set them (SDM 3A, table 10-1), but QEMU clears
 * them. Linux would take all memory but its own RAM for uncached then: write-back
 * is what the page tables may lower. APs get the same by mtrr_ap_init().
 */
static void __init mk_mtrr_setup(void)
{
	u64 type;

	if (!boot_cpu_has(X86_FEATURE_MTRR))
		return;
	rdmsrl(MSR_MTRRdefType, type);
	if (!(type & MK_MTRR_ENABLED))
		wrmsrl(MSR_MTRRdefType, MK_MTRR_ENABLED | MTRR_TYPE_WRBACK);
}

/*
 * In the place of dmi_setup(), which would read the host's tables: after
 * acpi_mps_check(), which would switch the APIC off if ACPI were disabled
 * before, and ahead of everything that these hooks are for.
 */
static void __init mk_platform_setup(void)
{
	mk_no_legacy();
	mk_clocks();
	mk_mtrr_setup();
	atomic_notifier_chain_register(&panic_notifier_list, &mk_panic_nb);
	x86_init.mpparse.parse_smp_cfg = mk_parse_smp_config;
	x86_init.hyper.x2apic_available = mk_x2apic_available;
	x86_platform.realmode_reserve = mk_realmode_reserve;
	x86_platform.realmode_init = mk_realmode_init;
	x86_platform.is_untracked_pat_range = mk_is_untracked;
	x86_cpuinit.parallel_bringup = false;
#ifdef CONFIG_TTY_PRINTK
	/* Whatever PID 1 prints goes to the log, unless console= says else. */
	add_preferred_console("ttyprintk", 0, NULL);
#endif
}

#ifdef CONFIG_HYPERVISOR_GUEST
/*
 * Under a hypervisor the host kernel is its guest; an instance never talks to
 * it. Winning the detection keeps the others' hooks out.
 */
static u32 __init mk_detect(void)
{
	return multikernel_is_instance() ? U32_MAX : 0;
}

const struct hypervisor_x86 x86_hyper_multikernel __refconst = {
	.name			= "Multikernel host",
	.detect			= mk_detect,
	.type			= X86_HYPER_NATIVE,
	.init.init_platform	= x86_init_noop,
	.init.x2apic_available	= mk_x2apic_available,
	.ignore_nopv		= true,
};
#endif

/**
 * multikernel_instance_early_setup() - this kernel was started by a host
 *
 * Called from head64.c before anything else looks at the machine.
 */
void __init multikernel_instance_early_setup(void)
{
	multikernel_role = MK_ROLE_INSTANCE;
	multikernel_shorthand_unsafe = true;
	mk_ends();
	x86_init.oem.arch_setup = mk_arch_setup;
	x86_init.resources.dmi_setup = mk_platform_setup;
}

/* Any access below 1 MiB is a mistake from here on, and faults. */
static int __init mk_unmap_low(void)
{
	if (!multikernel_is_instance())
		return 0;
	return set_memory_np((unsigned long)__va(0), SZ_1M >> PAGE_SHIFT);
}
late_initcall(mk_unmap_low);
