/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: declarations that the files of kernel probes share. */
#ifndef _ARCH_X86_KPROBES_PRIVATE_H
#define _ARCH_X86_KPROBES_PRIVATE_H

#include <linux/kprobes.h>
#include <linux/percpu.h>

#include <asm/cpufeature.h>
#include <asm/insn.h>

/* EFLAGS that would allow interrupts or traps between the stepped copy and its breakpoint. */
#define KPROBE_STEP_FLAGS	(X86_EFLAGS_IF | X86_EFLAGS_TF)

/* insn.c */
int kprobe_insn_prepare(struct kprobe *p);
void kprobe_insn_release(struct kprobe *p);

/* The jump that ends a slot, see insn.c. */
#define KPROBE_SLOT_JUMP	(KPROBE_INSN_SLOT_SIZE - JMP32_INSN_SIZE)

/* emulate.c, emulate_regs.c */
void kprobe_choose_emulation(struct arch_specific_insn *ainsn, const struct insn *insn);
bool kprobe_emulation_is_optional(const struct arch_specific_insn *ainsn);
#ifdef CONFIG_X86_64
void kprobe_choose_emulation_on_registers(struct arch_specific_insn *ainsn,
					  const struct insn *insn);
#else
static inline void kprobe_choose_emulation_on_registers(struct arch_specific_insn *ainsn,
							const struct insn *insn)
{
}
#endif
void kprobe_insn_finish(const struct arch_specific_insn *ainsn, struct pt_regs *regs);

/**
 * struct probed_text - an instruction as it is without probes
 * @buf:	the text, without breakpoints and jumps of probes
 * @len:	bytes in @buf, also behind the instruction
 * @insn:	@buf decoded
 */
struct probed_text {
	u8 buf[MAX_INSN_SIZE];
	int len;
	struct insn insn;
};

int kprobe_insn_read(struct probed_text *text, unsigned long addr, unsigned long end);
void kprobe_text_read(u8 *buf, unsigned long addr, unsigned int len);
int kprobe_insn_check(const struct probed_text *text);
int kprobe_insn_copy(u8 *buf, const struct probed_text *text, unsigned long from,
		     unsigned long to);
unsigned int kprobe_insn_opcode(const struct insn *insn);
bool kprobe_insn_is_call(const struct insn *insn);
bool kprobe_insn_is_indirect(const struct insn *insn);
bool kprobe_insn_is_relative(const struct insn *insn);
bool kprobe_insn_is_endbr(const struct insn *insn);
bool kprobe_insn_uses_stack_pointer(const struct insn *insn);

/**
 * struct kprobe_region - the instructions that a jump displaces
 * @start:	the probed instruction
 * @end:	end of the last displaced instruction
 * @free_end:	end of the bytes that the jump may write, with the padding behind @end. It may
 *		be before the end of the jump, see kprobe_is_pun()
 * @first:	of a pun: the lowest address that the jump can lead to
 * @last:	of a pun: the highest
 * @runs_on:	execution may continue at @end
 */
struct kprobe_region {
	unsigned long start;
	unsigned long end;
	unsigned long free_end;
	unsigned long first;
	unsigned long last;
	bool runs_on;
};

/* Are the last bytes of the jump the first bytes of instructions that stay in place? */
static inline bool kprobe_is_pun(const struct kprobe_region *r)
{
	return r->free_end < r->start + JMP32_INSN_SIZE;
}

/* Defined by the linker script. */
extern struct exception_table_entry __start___ex_table[], __stop___ex_table[];

/* plant.c */
void *kprobe_protect_slots(void *page);

/* unwind.c */
#ifdef CONFIG_UNWINDER_ORC
void kprobe_unwind_slots_at(const void *page);
unsigned long kprobe_slot_origin(unsigned long ip);
#else
static inline void kprobe_unwind_slots_at(const void *page) { }
#endif

/* region.c */
int kprobe_region_find(unsigned long addr, struct kprobe_region *region);
int kprobe_region_of_insn(unsigned long addr, struct kprobe_region *region);
bool kprobe_runs_into_next(struct probed_text *text, unsigned long start, unsigned long end);
#if IS_ENABLED(CONFIG_KUNIT)
extern bool kprobe_region_entered_everywhere;
#endif

/* relay.c */
kprobe_opcode_t *kprobe_relay_find(unsigned long addr);
void kprobe_relay_write(kprobe_opcode_t *relay, const void *detour);
void kprobe_relay_put(kprobe_opcode_t *relay);
#if IS_ENABLED(CONFIG_KUNIT)
extern bool kprobe_relay_always;
#endif

/* far.c. A detour for the instructions that a pun can displace fits in a slot. */
#define KPROBE_FAR_SLOT_SIZE	64

/* Each takes a page, and possibly one of page tables. */
#define KPROBE_FAR_MAX_PAGES		4096
#define KPROBE_FAR_MAX_MODULE_PAGES	256

/*
 * With CONFIG_DEBUG_VIRTUAL there must be no virtual memory outside of known areas. KASAN has no
 * shadow for such memory. In a Xen PV guest the hypervisor defines the address space.
 */
static inline bool kprobe_far_only_near_modules(void)
{
	return IS_ENABLED(CONFIG_DEBUG_VIRTUAL) || IS_ENABLED(CONFIG_KASAN) ||
	       cpu_feature_enabled(X86_FEATURE_XENPV);
}

void *kprobe_far_slot_get(unsigned long first, unsigned long last);
bool kprobe_far_slot_put(void *slot);
void *kprobe_far_slot_find(unsigned long addr);

/* ftrace.c */
void kprobe_entry_leave(void);

/* detour.c, detour_hit.c */
#if defined(CONFIG_OPTPROBES) && defined(CONFIG_X86_64)
void kprobe_detour(void);
void kprobe_detour_post(void);
unsigned long kprobe_detour_copies(const struct kprobe *p);
unsigned long kprobe_detour_target(const struct kprobe *p, unsigned long ip);
unsigned long kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs);
void kprobe_detour_undo(u8 *buf, unsigned long addr, int len);
bool kprobe_detour_passed(const struct pt_regs *regs);
unsigned long kprobe_detour_origin(unsigned long addr, unsigned long *sp);
unsigned long kprobe_relay_origin(unsigned long addr);

/* The copy of the instruction that runs before post handlers; NULL if there is none. */
static __always_inline kprobe_opcode_t *kprobe_copy_before_post(const struct optimized_kprobe *op)
{
	s32 post = READ_ONCE(op->optinsn.post);

	return post ? op->optinsn.insn + post : NULL;
}
#else
static inline unsigned long kprobe_detour_copies(const struct kprobe *p)
{
	return 0;
}

static inline unsigned long kprobe_detour_target(const struct kprobe *p, unsigned long ip)
{
	return ip;
}

static inline void kprobe_detour_undo(u8 *buf, unsigned long addr, int len)
{
}

static inline bool kprobe_detour_passed(const struct pt_regs *regs)
{
	return false;
}

static inline unsigned long kprobe_detour_origin(unsigned long addr, unsigned long *sp)
{
	return addr;
}

static inline unsigned long kprobe_relay_origin(unsigned long addr)
{
	return addr;
}
#endif

/* Address of the breakpoint behind the copy to be stepped. */
static __always_inline unsigned long
kprobe_step_end(const struct arch_specific_insn *ainsn)
{
	return (unsigned long)ainsn->insn + ainsn->size;
}

#endif /* _ARCH_X86_KPROBES_PRIVATE_H */
