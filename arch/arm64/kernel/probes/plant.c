// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: breakpoints into the text and out again, and where none may go.
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

/* Longer ones are not looked for: exclusive sequences have to be short to succeed at all. */
#define MAX_EXCLUSIVE	32	/* instructions */

/* Traps and text patching are up long before anyone can ask for a probe. */
int __init arch_init_kprobes(void)
{
	return 0;
}

/* It returns on another stack than it was called on. */
struct kretprobe_blackpoint kretprobe_blacklist[] = {
	{ .name = "cpu_switch_to" },
	{ .name = NULL },
};

const int kretprobe_blacklist_size = ARRAY_SIZE(kretprobe_blacklist);

/* Returns go through rethook, whose trampoline has no probe on it. */
int arch_trampoline_kprobe(struct kprobe *unused)
{
	return 0;
}

/* Slots */

/**
 * alloc_insn_page_near - get a page for slots
 * @first: the lowest address that it may have
 * @last: the highest
 *
 * Return: a read-only, executable page, or NULL. It is not guarded: no landing pads are asked for
 * in slots, and branches from there find those of calls.
 */
void *alloc_insn_page_near(unsigned long first, unsigned long last)
{
	/* The image and modules are in between; vmalloc knows about both. */
	first = max(first, MODULES_VADDR);
	last = min(last, VMALLOC_END - 1);
	if (first >= last)
		return NULL;
	return __vmalloc_node_range(PAGE_SIZE, PAGE_SIZE, first, last + 1,
				    GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL_ROX,
				    VM_FLUSH_RESET_PERMS, NUMA_NO_NODE,
				    __builtin_return_address(0));
}

/* Text around a place; as much as is of the same function, and readable. */
struct surroundings {
	__le32 insns[2 * MAX_EXCLUSIVE];
	unsigned int at;	/* the place */
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

/* Does an exclusive sequence begin before the place? */
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

/* Does one end behind it that does not begin there? A load alone is used to wait for an event. */
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

/* Between a load and a store that are exclusive, a trap makes the store fail, time after time. */
static bool is_in_exclusive_sequence(unsigned long addr)
{
	struct surroundings s;

	return read_surroundings(addr, &s) && is_begun(&s) && is_ended(&s);
}

/*
 * In front of a function ftrace keeps a pointer that ftrace_caller() loads. To kallsyms that is the
 * end of the function before, and half of a pointer may well look like an instruction.
 */
static bool is_ftrace_literal(unsigned long addr)
{
	unsigned long func = ALIGN_DOWN(addr, sizeof(u64)) + sizeof(u64), offset;

	return IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS) &&
	       kallsyms_lookup_size_offset(func, NULL, &offset) && !offset &&
	       ftrace_location(func);
}

/**
 * arch_prepare_kprobe - see whether an address can be probed and get ready for it
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
 * @p: the probe; out of the text for so long that nothing is in its slot
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
 * @kps: prepared probes, by their list member
 *
 * Context: text_mutex and cpus_read_lock held; may sleep.
 */
void arch_arm_kprobes(struct list_head *kps)
{
	write_breakpoints(kps, true);
}

/**
 * arch_disarm_kprobes - take many breakpoints, or jumps, out
 * @kps: planted probes, by their list member
 *
 * Context: text_mutex and cpus_read_lock held; may sleep. On return no CPU sees them; one may
 *	    still be on its way to the handler.
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
 * arch_disarm_kprobe - take one breakpoint out
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
 * arch_adjust_kprobe_addr - get a probe at a function's entry past its BTI
 * @addr: start of the function
 * @offset: from there to the probe
 * @on_entry: set to whether that is the function's first instruction
 *
 * Indirect calls have to find the landing pad, and it does nothing, so the instruction behind it
 * is the first that matters.
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
 * arch_may_be_jump_label - could this instruction be one of a static branch?
 * @addr: the instruction
 *
 * Return: false if it is none for sure.
 */
bool arch_may_be_jump_label(unsigned long addr)
{
	u32 insn;

	return aarch64_insn_read((void *)addr, &insn) || insn == aarch64_insn_gen_nop() ||
	       aarch64_insn_is_b(insn);
}

/**
 * arch_may_be_bug - could this instruction be the trap of a BUG() or a WARN()?
 * @addr: the instruction
 *
 * Return: false if it is none for sure.
 */
bool arch_may_be_bug(unsigned long addr)
{
	u32 insn;

	return aarch64_insn_read((void *)addr, &insn) || aarch64_insn_is_brk(insn);
}

/* What runs where a trap cannot be taken, or on the way into and out of one. The core has more. */
static const struct text_range {
	const char *start;
	const char *end;
	bool of_hyp;		/* what runs at EL2, if the kernel does not */
} untouchable[] = {
	{ __entry_text_start, __entry_text_end },
	{ __idmap_text_start, __idmap_text_end },
	{ __hyp_text_start, __hyp_text_end },
	{ __hyp_idmap_text_start, __hyp_idmap_text_end, true },
};

/* The same; some are not in each configuration. */
static const char * const untouchable_functions[] __initconst = {
	/*
	 * A processor that comes up, or back from a suspend that has switched it off, has neither
	 * vectors nor a stack, and then does not know which one it is.
	 */
	"__secondary_switched",
	"__secondary_too_slow",
	"set_cpu_boot_mode_flag",
	"finalise_el2",
	"_cpu_resume",
	"secondary_start_kernel",
	/* Ftrace writes branches into it. They have labels, which functions end at. */
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
 * arch_populate_kprobe_blacklist - say where no probe may go
 *
 * Return: 0, or what kprobe_add_area_blacklist() says.
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
