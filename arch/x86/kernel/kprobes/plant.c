// SPDX-License-Identifier: GPL-2.0-only
/* x86: breakpoints into the text and out again, and where none may go. */
#include <linux/array_size.h>
#include <linux/execmem.h>
#include <linux/kallsyms.h>
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

/* Traps and text patching are up long before anyone can ask for a probe. */
int __init arch_init_kprobes(void)
{
	return 0;
}

/* It returns on another stack than it was called on. */
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
 * arch_disarm_kprobe - take one breakpoint out
 * @p: a planted probe
 *
 * Context: text_mutex and cpus_read_lock held. On return no CPU sees it; one may
 *	    still be on its way to the handler.
 */
void arch_disarm_kprobe(struct kprobe *p)
{
	uproot(p);
	text_poke_sync();
}

/**
 * arch_arm_kprobes - plant many breakpoints
 * @kps: prepared probes, by their list member
 *
 * A single byte changes from one valid instruction to another, so all of them share
 * the one sync at the end.
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
 * arch_disarm_kprobes - take many breakpoints out
 * @kps: planted probes, by their list member
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
 * arch_prepare_kprobe - see whether an address can be probed and get ready for it
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
 * @p: the probe; out of the text for so long that nothing is in its slot
 *
 * Context: may sleep.
 */
void arch_remove_kprobe(struct kprobe *p)
{
	kprobe_insn_release(p);
}

/* Returns go through rethook, whose trampoline has no probe on it. */
int arch_trampoline_kprobe(struct kprobe *unused)
{
	return 0;
}

/**
 * kprobe_protect_slots - make a page fit for slots
 * @page: a new page of virtual memory
 *
 * Return: the page, read-only, executable and full of breakpoints; or NULL, then it has
 * been freed.
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
 * alloc_insn_page - get a page for slots
 *
 * It comes from where modules are: the copies in it use data and jump to code of the
 * kernel, in reach of 32 bits.
 *
 * Return: a read-only, executable page full of breakpoints, or NULL.
 */
void *alloc_insn_page(void)
{
	void *page = execmem_alloc(EXECMEM_KPROBES, PAGE_SIZE);

	return page ? kprobe_protect_slots(page) : NULL;
}

/* There may be a symbol and no memory: of init text that has been freed. */
static bool starts_with_endbr(unsigned long addr)
{
	u32 insn;

	return !get_kernel_nofault(insn, (u32 *)addr) && is_endbr(insn);
}

/**
 * arch_adjust_kprobe_addr - get a probe at a function's entry past its ENDBR
 * @addr: start of the function
 * @offset: from there to the probe
 * @on_entry: set to whether that is the function's first instruction
 *
 * Indirect calls have to find the ENDBR, so the instruction behind it is as early in a
 * function as a probe can be.
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

/* By the linker script, see arch/x86/kernel/vmlinux.lds.S. */
extern char __head_text_end[], __thunk_text_end[];

/* Text of the linker's. */
struct text_range {
	const char *start;
	const char *end;
};

/* Where no probe may be, whichever functions there are. */
static const struct text_range black_ranges[] = {
	/* What the kernel is started by. */
	{ _text, __head_text_end },
	/*
	 * Retpoline and return thunks, which handlers are called through; static call
	 * trampolines, which are patched as a whole; entry code, which runs before a trap can
	 * be taken; and the other return thunks, which stand at addresses of their own.
	 */
	{ __softirqentry_text_end, __thunk_text_end },
};

/**
 * arch_within_kprobe_blacklist - may an address not be probed whatever is there?
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

/* Some are static, and some are not in each configuration. */
static const char * const black_functions[] __initconst = {
	/*
	 * What a processor that comes up runs until it can take a trap: a breakpoint there
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
	/* The same when it comes back from suspend, or from the image of a hibernation. */
	"wakeup_long64",
	"do_suspend_lowlevel",
	"restore_registers",
	"restore_processor_state",
	"__restore_processor_state",
	/* What starts another kernel when this one's descriptor tables have gone. */
	"machine_kexec",
	"idt_invalidate",
	/*
	 * What is copied, to run elsewhere: a breakpoint in the copy is nobody's. The
	 * trampolines of ftrace have labels inside, and end with the last one.
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
 * arch_may_be_jump_label - could this instruction be one of a static branch?
 * @addr: the instruction
 *
 * A static branch is a jump, or a no-op of the same length, or a breakpoint while it is
 * being changed.
 *
 * Return: false if it is none for sure.
 */
bool arch_may_be_jump_label(unsigned long addr)
{
	u8 insn[JMP32_INSN_SIZE];

	if (copy_from_kernel_nofault(insn, (void *)addr, sizeof(insn)))
		return true;
	return insn[0] == JMP8_INSN_OPCODE || insn[0] == JMP32_INSN_OPCODE ||
	       insn[0] == INT3_INSN_OPCODE ||
	       !memcmp(insn, x86_nops[JMP8_INSN_SIZE], JMP8_INSN_SIZE) ||
	       !memcmp(insn, x86_nops[JMP32_INSN_SIZE], JMP32_INSN_SIZE);
}

/**
 * arch_may_be_bug - could this instruction be the trap of a BUG() or a WARN()?
 * @addr: the instruction
 *
 * Return: false if it is none for sure.
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
 * arch_populate_kprobe_blacklist - list the symbols that may not be probed
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
