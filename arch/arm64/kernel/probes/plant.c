// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: write breakpoints, and where no probe may go.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/ftrace.h>
#include <linux/gfp.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleloader.h>
#include <linux/numa.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/debug-monitors.h>
#include <asm/insn.h>
#include <asm/patching.h>
#include <asm/sections.h>
#include <asm/virt.h>

#include "decode-insn.h"
#include "private.h"

/* Exclusive sequences must be short to succeed, so longer ones are not searched for. */
#define MAX_EXCLUSIVE	32	/* instructions */

/* Traps and text patching are set up before this is called. */
int __init arch_init_kprobes(void)
{
	return 0;
}

/* cpu_switch_to() returns on another stack than it was called on. */
struct kretprobe_blackpoint kretprobe_blacklist[] = {
	{ .name = "cpu_switch_to" },
	{ .name = NULL },
};

const int kretprobe_blacklist_size = ARRAY_SIZE(kretprobe_blacklist);

/* Kretprobes use rethook, and its trampoline needs no probe. */
int arch_trampoline_kprobe(struct kprobe *unused)
{
	return 0;
}

/* Slots */

/**
 * alloc_insn_page_near - allocate a page for slots between two addresses
 * @first: the lowest address that it may have
 * @last: the highest
 *
 * The page is not guarded (PTE_GP): slots need no landing pads, and branches in slots may lead to
 * landing pads of calls.
 *
 * Return: a read-only, executable page, or NULL.
 */
void *alloc_insn_page_near(unsigned long first, unsigned long last)
{
	/* The image and modules are between these bounds. They are vmalloc areas, too. */
	first = max(first, MODULES_VADDR);
	last = min(last, VMALLOC_END - 1);
	if (first >= last)
		return NULL;
	return __vmalloc_node_range(PAGE_SIZE, PAGE_SIZE, first, last + 1,
				    GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL_ROX,
				    VM_FLUSH_RESET_PERMS, NUMA_NO_NODE,
				    __builtin_return_address(0));
}

/* The instructions around an address that are in the same function. */
struct surroundings {
	__le32 insns[2 * MAX_EXCLUSIVE];
	unsigned int at;	/* index of the address */
	unsigned int nr;
};

static bool read_surroundings(unsigned long addr, struct surroundings *s)
{
	unsigned long size, offset, before, behind;

	if (!kallsyms_lookup_size_offset(addr, &size, &offset))
		return false;
	before = min(offset, MAX_EXCLUSIVE * AARCH64_INSN_SIZE);
	behind = min(size - offset, MAX_EXCLUSIVE * AARCH64_INSN_SIZE);
	s->at = before / AARCH64_INSN_SIZE;
	s->nr = s->at + behind / AARCH64_INSN_SIZE;
	return !copy_from_kernel_nofault(s->insns, (void *)addr - before,
					 s->nr * AARCH64_INSN_SIZE);
}

/* Does an exclusive sequence begin before the address? */
static bool is_begun(const struct surroundings *s)
{
	unsigned int i = s->at;

	while (i--) {
		if (kprobe_insn_is_store_exclusive(le32_to_cpu(s->insns[i])))
			return false;
		if (kprobe_insn_is_load_exclusive(le32_to_cpu(s->insns[i])))
			return true;
	}
	return false;
}

/* Does it end behind the address? A load without a store is used to wait for an event. */
static bool is_ended(const struct surroundings *s)
{
	unsigned int i;

	for (i = s->at + 1; i < s->nr; i++) {
		if (kprobe_insn_is_load_exclusive(le32_to_cpu(s->insns[i])))
			return false;
		if (kprobe_insn_is_store_exclusive(le32_to_cpu(s->insns[i])))
			return true;
	}
	return false;
}

/* A trap between an exclusive load and its store makes the store fail each time. */
static bool is_in_exclusive_sequence(unsigned long addr)
{
	struct surroundings s;

	return read_surroundings(addr, &s) && is_begun(&s) && is_ended(&s);
}

/*
 * Before a function ftrace stores a pointer that ftrace_caller() loads. Kallsyms takes it for the
 * end of the previous function, and half of a pointer may look like an instruction.
 */
static bool is_ftrace_literal(unsigned long addr)
{
	unsigned long func = ALIGN_DOWN(addr, sizeof(u64)) + sizeof(u64), offset;

	return IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS) &&
	       kallsyms_lookup_size_offset(func, NULL, &offset) && !offset &&
	       ftrace_location(func);
}

/**
 * arch_prepare_kprobe - check whether an address can be probed, and prepare for it
 * @p: the probe; its addr is set and in kernel text
 *
 * Context: kprobe_mutex and text_mutex held, may sleep.
 * Return: 0; -EINVAL if @p->addr is not aligned, or the instruction can neither be simulated nor
 * run from elsewhere; -EFAULT if it cannot be read; -ENOMEM.
 */
int arch_prepare_kprobe(struct kprobe *p)
{
	int err;

	if (!IS_ALIGNED((unsigned long)p->addr, AARCH64_INSN_SIZE))
		return kprobe_refuse(-EINVAL, "not aligned: instructions have 4 bytes");
	if (is_ftrace_literal((unsigned long)p->addr))
		return kprobe_refuse(-EINVAL, "not code: ftrace keeps an address there");
	err = aarch64_insn_read(p->addr, &p->opcode);
	if (err)
		return err;
	p->ainsn = (struct arch_specific_insn){ };
	if (kprobe_decode_insn(p->opcode, &p->ainsn.api) == INSN_REJECTED)
		return kprobe_refuse(-EINVAL, "neither simulated nor run elsewhere");
	if (is_in_exclusive_sequence((unsigned long)p->addr))
		return kprobe_refuse(-EINVAL, "between an exclusive load and its store");
	return kprobe_slot_make(p);
}

/**
 * arch_remove_kprobe - undo arch_prepare_kprobe()
 * @p: the probe; not planted, and no CPU or task is in its slot
 *
 * Context: may sleep.
 */
void arch_remove_kprobe(struct kprobe *p)
{
	kprobe_opcode_t *slot = p->ainsn.insn;

	p->ainsn.insn = NULL;
	if (slot)
		free_insn_slot(slot, 0);
}

/* Text */

static void write_breakpoints(struct list_head *kps, bool plant)
{
	struct text_writes w;
	struct kprobe *p;

	kprobe_text_begin(&w, list_count_nodes(kps));
	list_for_each_entry(p, kps, list)
		kprobe_text_write(&w, p->addr, plant ? BRK64_OPCODE_KPROBES : p->opcode);
	kprobe_text_end(&w);
}

/**
 * arch_arm_kprobes - plant many breakpoints
 * @kps: prepared probes, linked by their list member
 *
 * Context: text_mutex and cpus_read_lock held; may sleep.
 */
void arch_arm_kprobes(struct list_head *kps)
{
	write_breakpoints(kps, true);
}

/**
 * arch_disarm_kprobes - remove many breakpoints or jumps
 * @kps: planted probes, linked by their list member
 *
 * Context: text_mutex and cpus_read_lock held; may sleep. On return no CPU sees them, but a CPU
 *	    may still handle a trap.
 */
void arch_disarm_kprobes(struct list_head *kps)
{
	write_breakpoints(kps, false);
}

/**
 * arch_arm_kprobe - plant one breakpoint
 * @p: a prepared probe
 *
 * Context: text_mutex and cpus_read_lock held. On return every CPU sees it.
 */
void arch_arm_kprobe(struct kprobe *p)
{
	struct text_writes w;

	kprobe_text_begin(&w, 1);
	kprobe_text_write(&w, p->addr, BRK64_OPCODE_KPROBES);
	kprobe_text_end(&w);
}

/**
 * arch_disarm_kprobe - remove one breakpoint
 * @p: a planted probe
 *
 * Context: as arch_disarm_kprobes().
 */
void arch_disarm_kprobe(struct kprobe *p)
{
	struct text_writes w;

	kprobe_text_begin(&w, 1);
	kprobe_text_write(&w, p->addr, p->opcode);
	kprobe_text_end(&w);
}

/* Places */

static bool starts_with_bti(unsigned long addr)
{
	u32 insn;

	return !aarch64_insn_read((void *)addr, &insn) && aarch64_insn_is_bti(insn);
}

/**
 * arch_adjust_kprobe_addr - move a probe at a function's BTI behind it
 * @addr: start of the function
 * @offset: from there to the probe
 * @on_entry: set to true if that is the function's first instruction, else to false
 *
 * The target of an indirect call must be a landing pad, so the instruction behind it is the first
 * one that is probed.
 *
 * Return: the address to probe.
 */
kprobe_opcode_t *arch_adjust_kprobe_addr(unsigned long addr, unsigned long offset, bool *on_entry)
{
	unsigned long entry = starts_with_bti(addr) ? AARCH64_INSN_SIZE : 0;

	*on_entry = !offset || offset == entry;
	return (kprobe_opcode_t *)(addr + (offset ?: entry));
}

/**
 * arch_may_be_jump_label - can this instruction be one of a static branch?
 * @addr: the instruction
 *
 * Return: false if it cannot.
 */
bool arch_may_be_jump_label(unsigned long addr)
{
	u32 insn;

	return aarch64_insn_read((void *)addr, &insn) || insn == aarch64_insn_gen_nop() ||
	       aarch64_insn_is_b(insn);
}

/**
 * arch_may_be_bug - can this instruction be the trap of a BUG() or a WARN()?
 * @addr: the instruction
 *
 * Return: false if it cannot.
 */
bool arch_may_be_bug(unsigned long addr)
{
	u32 insn;

	return aarch64_insn_read((void *)addr, &insn) || aarch64_insn_is_brk(insn);
}

/*
 * Text that runs where the CPU cannot take a trap, or in the entry or return of one. The core adds
 * more.
 */
static const struct text_range {
	const char *start;
	const char *end;
	bool of_hyp;		/* it runs at EL2; only if the kernel does not */
} untouchable[] = {
	{ __entry_text_start, __entry_text_end },
	{ __idmap_text_start, __idmap_text_end },
	{ __hyp_text_start, __hyp_text_end },
	{ __hyp_idmap_text_start, __hyp_idmap_text_end, true },
};

/* The same by name, because some do not exist in all configurations. */
static const char * const untouchable_functions[] __initconst = {
	/*
	 * A processor that comes up, or resumes from a suspend that powered it off, runs these
	 * before it has vectors, a stack and its per-CPU offset.
	 */
	"__secondary_switched",
	"__secondary_too_slow",
	"set_cpu_boot_mode_flag",
	"finalise_el2",
	"_cpu_resume",
	"secondary_start_kernel",
	/* Ftrace writes branches in it. Their labels are symbols, at which the function ends. */
	"ftrace_caller",
	"ftrace_call",
	"ftrace_caller_direct_late",
	"ftrace_caller_direct",
};

static int __init close_function(const char *name)
{
	unsigned long addr = kallsyms_lookup_name(name), size, offset;

	if (!addr || !kallsyms_lookup_size_offset(addr, &size, &offset))
		return 0;
	return kprobe_add_area_blacklist(addr, addr + size - offset);
}

/**
 * arch_populate_kprobe_blacklist - add text where no probe may be
 *
 * Return: 0, or the error of kprobe_add_area_blacklist().
 */
int __init arch_populate_kprobe_blacklist(void)
{
	const struct text_range *r;
	unsigned int i;
	int ret = 0;

	for (r = untouchable; !ret && r < untouchable + ARRAY_SIZE(untouchable); r++) {
		if (!r->of_hyp || !is_kernel_in_hyp_mode())
			ret = kprobe_add_area_blacklist((unsigned long)r->start,
							(unsigned long)r->end);
	}
	for (i = 0; !ret && i < ARRAY_SIZE(untouchable_functions); i++)
		ret = close_function(untouchable_functions[i]);
	return ret;
}
