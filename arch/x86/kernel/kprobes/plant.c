// SPDX-License-Identifier: GPL-2.0-only
/* x86: write breakpoints, and where no probe may go. */
#include <linux/array_size.h>
#include <linux/execmem.h>
#include <linux/kallsyms.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/perf_event.h>
#include <linux/set_memory.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/alternative.h>
#include <asm/bug.h>
#include <asm/ibt.h>
#include <asm/nops.h>
#include <asm/sections.h>
#include <asm/text-patching.h>

#include "private.h"

/* Traps and text patching are set up before this is called. */
int __init arch_init_kprobes(void)
{
	return 0;
}

/* __switch_to() returns on another stack than it was called on. */
struct kretprobe_blackpoint kretprobe_blacklist[] = {
	{ .name = "__switch_to" },
	{ .name = NULL },
};

const int kretprobe_blacklist_size = ARRAY_SIZE(kretprobe_blacklist);

static void write_opcode(struct kprobe *p, u8 old, u8 new)
{
	perf_event_text_poke(p->addr, &old, sizeof(old), &new, sizeof(new));
	kprobe_test_step();
	text_poke(p->addr, &new, sizeof(new));
	kprobe_delay_point(DELAY_BREAKPOINT_WRITTEN);
	kprobe_test_step();
}

static void plant(struct kprobe *p)
{
	write_opcode(p, p->opcode, INT3_INSN_OPCODE);
}

static void uproot(struct kprobe *p)
{
	write_opcode(p, INT3_INSN_OPCODE, p->opcode);
}

/**
 * arch_arm_kprobe - plant one breakpoint
 * @p: a prepared probe
 *
 * Context: text_mutex and cpus_read_lock held. On return every CPU sees it.
 */
void arch_arm_kprobe(struct kprobe *p)
{
	plant(p);
	text_poke_sync();
}

/**
 * arch_disarm_kprobe - remove one breakpoint
 * @p: a planted probe
 *
 * Context: text_mutex and cpus_read_lock held. On return no CPU sees it, but a CPU may
 *	    still handle its trap.
 */
void arch_disarm_kprobe(struct kprobe *p)
{
	uproot(p);
	text_poke_sync();
}

/**
 * arch_arm_kprobes - plant many breakpoints
 * @kps: prepared probes, linked by their list member
 *
 * One byte changes from one valid instruction to another, so one sync at the end is
 * enough.
 *
 * Context: text_mutex and cpus_read_lock held; may sleep.
 */
void arch_arm_kprobes(struct list_head *kps)
{
	struct kprobe *p;

	list_for_each_entry(p, kps, list) {
		plant(p);
		cond_resched();
	}
	text_poke_sync();
}

/**
 * arch_disarm_kprobes - remove many breakpoints
 * @kps: planted probes, linked by their list member
 *
 * Context: text_mutex and cpus_read_lock held; may sleep.
 */
void arch_disarm_kprobes(struct list_head *kps)
{
	struct kprobe *p;

	list_for_each_entry(p, kps, list) {
		uproot(p);
		cond_resched();
	}
	text_poke_sync();
}

/**
 * arch_prepare_kprobe - check whether an address can be probed, and prepare for it
 * @p: the probe; its addr is set and in kernel text
 *
 * Context: kprobe_mutex and text_mutex held, may sleep.
 * Return: 0 or an error, see kprobe_insn_prepare().
 */
int arch_prepare_kprobe(struct kprobe *p)
{
	return kprobe_insn_prepare(p);
}

/**
 * arch_remove_kprobe - undo arch_prepare_kprobe()
 * @p: the probe; not planted, and no CPU or task is in its slot
 *
 * Context: may sleep.
 */
void arch_remove_kprobe(struct kprobe *p)
{
	kprobe_insn_release(p);
}

/* Kretprobes use rethook, and its trampoline needs no probe. */
int arch_trampoline_kprobe(struct kprobe *unused)
{
	return 0;
}

/**
 * kprobe_protect_slots - prepare a page for slots
 * @page: a new page of virtual memory
 *
 * Return: the page, read-only, executable and full of breakpoints; NULL on failure, which frees
 * the page.
 */
void *kprobe_protect_slots(void *page)
{
	memset(page, INT3_INSN_OPCODE, PAGE_SIZE);
	if (set_memory_rox((unsigned long)page, 1)) {
		execmem_free(page);
		return NULL;
	}
	kprobe_unwind_slots_at(page);
	return page;
}

/**
 * alloc_insn_page - allocate a page for slots
 *
 * It is in the area of modules, because the copies in it access data and jump to code of the
 * kernel with 32-bit displacements.
 *
 * Return: a read-only, executable page full of breakpoints, or NULL.
 */
void *alloc_insn_page(void)
{
	void *page = execmem_alloc(EXECMEM_KPROBES, PAGE_SIZE);

	return page ? kprobe_protect_slots(page) : NULL;
}

/* The symbol may be one of init text that has been freed. */
static bool starts_with_endbr(unsigned long addr)
{
	u32 insn;

	return !get_kernel_nofault(insn, (u32 *)addr) && is_endbr(insn);
}

/**
 * arch_adjust_kprobe_addr - move a probe at a function's ENDBR behind it
 * @addr: start of the function
 * @offset: from there to the probe
 * @on_entry: set to true if that is the function's first instruction, else to false
 *
 * The target of an indirect call must be an ENDBR, so the instruction behind it is the first one
 * that can be probed.
 *
 * Return: the address to probe.
 */
kprobe_opcode_t *arch_adjust_kprobe_addr(unsigned long addr,
					 unsigned long offset, bool *on_entry)
{
	unsigned long entry = starts_with_endbr(addr) ? ENDBR_INSN_SIZE : 0;

	*on_entry = !offset || offset == entry;

	return (kprobe_opcode_t *)(addr + (*on_entry ? entry : offset));
}

/* Defined by the linker script, arch/x86/kernel/vmlinux.lds.S. */
extern char __head_text_end[], __thunk_text_end[];

struct text_range {
	const char *start;
	const char *end;
};

/* Text where no probe may be. */
static const struct text_range black_ranges[] = {
	/* Code that starts the kernel. */
	{ _text, __head_text_end },
	/*
	 * Retpoline and return thunks, which calls of handlers use; static call trampolines,
	 * which are patched as a whole; entry code, which runs before the CPU can take a trap;
	 * and return thunks in sections of their own.
	 */
	{ __softirqentry_text_end, __thunk_text_end },
};

/**
 * arch_within_kprobe_blacklist - is an address in text where no probe may be?
 * @addr: the address
 *
 * Return: true if so.
 */
bool arch_within_kprobe_blacklist(unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(black_ranges); i++) {
		if (memory_contains((void *)black_ranges[i].start, (void *)black_ranges[i].end,
				    (void *)addr, 1))
			return true;
	}
	return memory_contains(__kprobes_text_start, __kprobes_text_end, (void *)addr, 1);
}

/* By name, because some are static, and some do not exist in all configurations. */
static const char * const black_functions[] __initconst = {
	/*
	 * A processor that comes up runs these before it can take a trap. A breakpoint there
	 * resets the machine.
	 */
	"secondary_startup_64",
	"secondary_startup_64_no_verify",
	"common_startup_64",
	"verify_cpu",
	"sev_verify_cbit",
	"early_setup_idt",
	"start_secondary",
	"cr4_init",
	"cr4_update_irqsoff",
	"native_write_cr0",
	"native_write_cr4",
	"native_write_gdt_entry",
	"cpu_init_exception_handling",
	"cpu_init_fred_exceptions",
	"cpu_init_fred_rsps",
	"load_current_idt",
	/* The same for a processor that resumes from suspend or hibernation. */
	"wakeup_long64",
	"do_suspend_lowlevel",
	"restore_registers",
	"restore_processor_state",
	"__restore_processor_state",
	/* These start another kernel after the descriptor tables are gone. */
	"machine_kexec",
	"idt_invalidate",
	/*
	 * These are copied and the copies run. A breakpoint in a copy would belong to no
	 * probe. The trampolines of ftrace contain labels, which are symbols.
	 */
	"ftrace_caller",
	"ftrace_caller_op_ptr",
	"ftrace_call",
	"ftrace_regs_caller",
	"ftrace_regs_caller_op_ptr",
	"ftrace_regs_call",
	"ftrace_regs_caller_jmp",
	"relocate_range",
	"relocate_kernel",
	"identity_mapped",
	"virtual_mapped",
	"swap_pages",
	"restore_image",
	"core_restore_code",
};

static int __init blacklist_functions(void)
{
	unsigned long addr;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(black_functions); i++) {
		addr = kallsyms_lookup_name(black_functions[i]);
		ret = addr ? kprobe_add_ksym_blacklist(addr) : 0;
		if (ret == -ENOMEM)
			return ret;
	}
	return 0;
}

/**
 * arch_may_be_jump_label - can this instruction be one of a static branch?
 * @addr: the instruction
 *
 * A static branch is a jump, or a no-op of the same length, or a breakpoint while it is
 * being patched. The breakpoint of a site is not in the way, because no site is at a static branch.
 *
 * Context: process, kprobe_mutex held.
 * Return: false if it cannot.
 */
bool arch_may_be_jump_label(unsigned long addr)
{
	u8 insn[JMP32_INSN_SIZE];

	if (copy_from_kernel_nofault(insn, (void *)addr, sizeof(insn)))
		return true;
	if (insn[0] == INT3_INSN_OPCODE)
		return !get_kprobe((void *)addr);
	return insn[0] == JMP8_INSN_OPCODE || insn[0] == JMP32_INSN_OPCODE ||
	       !memcmp(insn, x86_nops[JMP8_INSN_SIZE], JMP8_INSN_SIZE) ||
	       !memcmp(insn, x86_nops[JMP32_INSN_SIZE], JMP32_INSN_SIZE);
}

/**
 * arch_may_be_bug - can this instruction be the trap of a BUG() or a WARN()?
 * @addr: the instruction
 *
 * Return: false if it cannot.
 */
bool arch_may_be_bug(unsigned long addr)
{
	u8 insn[LEN_UD2];

	if (copy_from_kernel_nofault(insn, (void *)addr, sizeof(insn)))
		return true;
	return insn[0] == (INSN_UD2 & 0xff) && insn[1] == INSN_UD2 >> 8;
}

/**
 * arch_kprobe_text_reserved - do alternatives patch these bytes?
 * @first: the first byte
 * @last: the last byte
 *
 * They patch lock prefixes when a second CPU comes up. Other alternatives are done in boot.
 *
 * Context: text_mutex held.
 * Return: true if so.
 */
bool arch_kprobe_text_reserved(unsigned long first, unsigned long last)
{
	return alternatives_text_reserved((void *)first, (void *)last + 1);
}

/**
 * arch_populate_kprobe_blacklist - add text where no probe may be
 *
 * Return: 0 or -ENOMEM.
 */
int __init arch_populate_kprobe_blacklist(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(black_ranges); i++)
		ret = kprobe_add_area_blacklist((unsigned long)black_ranges[i].start,
						(unsigned long)black_ranges[i].end);
	return ret ?: blacklist_functions();
}
