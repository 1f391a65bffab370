// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: check and copy the instruction of a probe.
 *
 * When a probe is prepared, this finds out whether its address is the start of an
 * instruction, whether the instruction can be probed, and whether it is emulated or runs
 * from a copy. The result is in struct arch_specific_insn, for hits.
 *
 * An instruction that is not emulated runs from a slot:
 *
 *	0                          n     n+1           27-n             27         32
 *	| copy, to be stepped      | int3 | int3 ...    | copy, boosted | jmp back |
 *
 * A hit with a post handler runs the first copy, and the breakpoint behind it ends the
 * step. A hit without a post handler runs the second copy, and does not return here.
 * A slot has both, because listeners with post handlers come and go while the probe is
 * planted, and a slot in use is not written. All slots have the jump, at the same offset,
 * so that unwinders can find the probed address from the slot.
 *
 * A task may be preempted in a boosted copy. The core frees a slot after a grace period of
 * RCU-tasks, when no task can be in it.
 */
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/extable.h>
#include <linux/kallsyms.h>
#include <linux/kgdb.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include <asm/cfi.h>
#include <asm/ibt.h>
#include <asm/insn-eval.h>

#include "insn.h"
#include "private.h"

/*
 * Classification of instructions.
 */

/* The opcode; zero, which is not checked for, if it is in another opcode map. */
unsigned int kprobe_insn_opcode(const struct insn *insn)
{
	if (insn->vex_prefix.nbytes)
		return 0;
	if (insn->opcode.bytes[0] != 0x0f)
		return insn->opcode.bytes[0];
	if (insn->opcode.nbytes != 2)
		return 0;
	return TWO_BYTE(insn->opcode.bytes[1]);
}

bool kprobe_insn_is_endbr(const struct insn *insn)
{
	return kprobe_insn_opcode(insn) == TWO_BYTE(0x1e) && has_prefix(insn, 0xf3) &&
	       (insn->modrm.bytes[0] == 0xfa || insn->modrm.bytes[0] == 0xfb);
}

static bool is_wait(const struct insn *insn)
{
	switch (kprobe_insn_opcode(insn)) {
	case 0xf4:		/* hlt */
		return true;
	case TWO_BYTE(0x01):	/* mwait, mwaitx */
		return insn->modrm.bytes[0] == 0xc9 ||
		       insn->modrm.bytes[0] == 0xfb;
	default:
		return false;
	}
}

/*
 * The processor takes no interrupt between sti and the next instruction, so that hlt behind it
 * does not miss a wakeup. With a probe at sti it would.
 */
static bool sti_then_wait(const struct probed_text *text)
{
	int pos = text->insn.length;
	struct insn next;

	if (kprobe_insn_opcode(&text->insn) != 0xfb)
		return false;
	if (insn_decode(&next, text->buf + pos, text->len - pos,
			INSN_MODE_KERN) < 0)
		return false;
	return is_wait(&next);
}

/* Opcode 0f 01: which instruction it is depends on the modrm byte. */
static bool system_insn_refused(const struct insn *insn)
{
	if (!modrm_is_reg(insn))
		return modrm_reg(insn) == 3;	/* lidt: the next trap is lost */

	switch (insn->modrm.bytes[0]) {
	case 0xc2:		/* vmlaunch, vmresume, vmrun: continue elsewhere */
	case 0xc3:
	case 0xd8:
	case 0xf8:		/* swapgs: the next trap has the wrong %gs */
		return true;
	case 0xca:		/* erets, eretu; without a prefix clac */
		return has_prefix(insn, 0xf2) || has_prefix(insn, 0xf3);
	default:
		return is_wait(insn);
	}
}

/*
 * Instructions that can be neither emulated nor stepped: they do not continue at the next
 * instruction, or raise exceptions whose handlers need the original address, or change state
 * that the trap behind the copy needs.
 */
static bool insn_refused(const struct insn *insn)
{
	u8 modrm = insn->modrm.bytes[0];

	switch (kprobe_insn_opcode(insn)) {
	case 0x17:		/* pop %ss */
	case 0x9a:		/* far call, far jump */
	case 0xea:
	case 0xca:		/* far return */
	case 0xcb:
	case 0xcc:		/* int3, int, into, iret, int1 */
	case 0xcd:
	case 0xce:
	case 0xcf:
	case 0xf1:
		return true;
	case 0x8e:		/* mov to %ss delays traps; %fs and %gs have per-CPU data */
		return modrm_reg(insn) == 2 || modrm_reg(insn) >= 4;
	case 0xc7:		/* xbegin */
		return modrm == 0xf8;
	case 0xff:		/* far call, far jump, undefined */
		return modrm_reg(insn) == 3 || modrm_reg(insn) == 5 ||
		       modrm_reg(insn) == 7;
	case TWO_BYTE(0x01):
		return system_insn_refused(insn);
	case TWO_BYTE(0x05):	/* syscall, sysret, sysenter, sysexit, rsm */
	case TWO_BYTE(0x07):
	case TWO_BYTE(0x34):
	case TWO_BYTE(0x35):
	case TWO_BYTE(0xaa):
	case TWO_BYTE(0x0b):	/* ud2, ud1, ud0 */
	case TWO_BYTE(0xb9):
	case TWO_BYTE(0xff):
	case TWO_BYTE(0xa1):	/* pop %fs, pop %gs, lss, lfs, lgs */
	case TWO_BYTE(0xa9):
	case TWO_BYTE(0xb2):
	case TWO_BYTE(0xb4):
	case TWO_BYTE(0xb5):
		return true;
	case TWO_BYTE(0xae):	/* wrfsbase, wrgsbase */
		return has_prefix(insn, 0xf3) && modrm_is_reg(insn) &&
		       (modrm_reg(insn) == 2 || modrm_reg(insn) == 3);
	default:
		return is_wait(insn);
	}
}

/*
 * Clang's control flow integrity checks compare a hash before an indirect call:
 * "mov $-hash, %r10d; add -4(%reg), %r10d". The handler of a failed check decodes both
 * from the text.
 */
static bool is_cfi_check(const struct insn *insn)
{
	if (!IS_ENABLED(CONFIG_CFI_CLANG))
		return false;

	switch (kprobe_insn_opcode(insn)) {
	case 0xba:		/* mov imm32, %r10d */
		return insn->rex_prefix.bytes[0] == 0x41;
	case 0x03:		/* add disp8(%reg), %r10d */
		return X86_REX_R(insn->rex_prefix.bytes[0]) &&
		       !X86_REX_W(insn->rex_prefix.bytes[0]) &&
		       modrm_reg(insn) == 2 &&
		       X86_MODRM_MOD(insn->modrm.bytes[0]) == 1;
	default:
		return false;
	}
}

/* Near calls and jumps to what is in a register or in memory. */
bool kprobe_insn_is_indirect(const struct insn *insn)
{
	return kprobe_insn_opcode(insn) == 0xff &&
	       (modrm_reg(insn) == 2 || modrm_reg(insn) == 4);
}

static bool is_near_branch(const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);

	return is_relative_branch(opcode) || opcode == 0xc2 || opcode == 0xc3 ||
	       kprobe_insn_is_indirect(insn);
}

/* Near calls. */
bool kprobe_insn_is_call(const struct insn *insn)
{
	return kprobe_insn_opcode(insn) == 0xe8 ||
	       (kprobe_insn_opcode(insn) == 0xff && modrm_reg(insn) == 2);
}

/* Jumps and calls with a displacement. */
bool kprobe_insn_is_relative(const struct insn *insn)
{
	return is_relative_branch(kprobe_insn_opcode(insn));
}

/* Does the address of the operand, or the operand itself, depend on the stack pointer? */
bool kprobe_insn_uses_stack_pointer(const struct insn *insn)
{
	u8 modrm = insn->modrm.bytes[0];

	if (modrm_is_reg(insn))
		return X86_MODRM_RM(modrm) == 4 && !X86_REX_B(insn->rex_prefix.bytes[0]);
	return X86_MODRM_RM(modrm) == 4 && X86_SIB_BASE(insn->sib.bytes[0]) == 4 &&
	       !X86_REX_B(insn->rex_prefix.bytes[0]);
}

/*
 * Reading the text.
 */

/* Read @len bytes, or less if they reach into a page that is not mapped. Returns the number. */
static int read_mapped(u8 *buf, unsigned long addr, int len)
{
	int in_page = PAGE_SIZE - offset_in_page(addr);

	if (!copy_from_kernel_nofault(buf, (void *)addr, len))
		return len;
	if (in_page >= len || copy_from_kernel_nofault(buf, (void *)addr, in_page))
		return 0;
	return in_page;
}

/*
 * Read and decode the instruction at @addr as it is without probes. The symbol ends at @end. Only
 * the first byte can be the breakpoint of another probe. Kallsyms lets a symbol end where the next
 * one starts, so @end may be beyond the mapped text.
 */
int kprobe_insn_read(struct probed_text *text, unsigned long addr,
		     unsigned long end)
{
	struct kprobe *p;

	lockdep_assert_held(&text_mutex);

	text->len = read_mapped(text->buf, addr,
				min_t(unsigned long, end - addr, MAX_INSN_SIZE));
	if (!text->len)
		return -EFAULT;

	kprobe_detour_undo(text->buf, addr, text->len);
	if (text->buf[0] == INT3_INSN_OPCODE) {
		p = get_kprobe((void *)addr);
		if (p && !kprobe_ftrace(p))
			text->buf[0] = p->opcode;
	}

	return insn_decode(&text->insn, text->buf, text->len, INSN_MODE_KERN);
}

/* Read @len bytes of text at @addr as they are without probes. */
void kprobe_text_read(u8 *buf, unsigned long addr, unsigned int len)
{
	unsigned int i;

	lockdep_assert_held(&text_mutex);

	for (i = 0; i < len; i++) {
		struct kprobe *p = get_kprobe((void *)addr + i);

		buf[i] = *(u8 *)(addr + i);
		kprobe_detour_undo(buf + i, addr + i, 1);
		if (p && !kprobe_ftrace(p))
			buf[i] = p->opcode;
	}
}

#ifdef CONFIG_KGDB
static bool is_debugger_breakpoint(unsigned long addr)
{
	return kgdb_has_hit_break(addr);
}
#else
static bool is_debugger_breakpoint(unsigned long addr)
{
	return false;
}
#endif

/*
 * Code that does not come from the compiler: padding in front of functions, where call depth
 * tracking and control flow integrity keep instructions, and static call trampolines. The kernel
 * patches all of these.
 */
static bool is_generated_symbol(const char *name)
{
	return str_has_prefix(name, "__pfx_") ||
	       str_has_prefix(name, "__cfi_") ||
	       str_has_prefix(name, "__SCT__");
}

/*
 * Decode from the start of the symbol to @addr, to find out whether an instruction starts there.
 * On success @text has the instruction at @addr.
 */
static int find_insn(struct probed_text *text, unsigned long addr)
{
	unsigned long size, offset, pos, end;
	char name[KSYM_NAME_LEN];
	char *module;

	if (!kallsyms_lookup(addr, &size, &offset, &module, name))
		return -EILSEQ;
	if (is_generated_symbol(name))
		return kprobe_refuse(-EINVAL, "generated code, which is rewritten at any time");

	end = addr - offset + size;
	for (pos = addr - offset; ; pos += text->insn.length) {
		if (pos > addr || kprobe_insn_read(text, pos, end) < 0)
			return -EILSEQ;
		/* The length of the instruction under the breakpoint is unknown. */
		if (text->buf[0] == INT3_INSN_OPCODE &&
		    is_debugger_breakpoint(pos))
			return kprobe_refuse(-EILSEQ, "a debugger's breakpoint is before it");
		if (pos == addr)
			return 0;
	}
}

/**
 * arch_kprobe_insn_bounds - find the instruction that contains an address
 * @addr: not the start of an instruction
 * @before: set to the start of the instruction
 * @behind: set to the start of the next instruction
 *
 * Context: process, kprobe_mutex held, text_mutex not. Sleeps.
 * Return: true if they are known.
 */
bool arch_kprobe_insn_bounds(unsigned long addr, unsigned long *before, unsigned long *behind)
{
	unsigned long size, offset, pos;
	struct probed_text text;

	if (!kallsyms_lookup_size_offset(addr, &size, &offset))
		return false;
	guard(mutex)(&text_mutex);
	for (pos = addr - offset; pos <= addr; pos += text.insn.length) {
		*before = pos;
		/* A debugger's breakpoint: the length of the instruction is unknown. */
		if (kprobe_insn_read(&text, pos, addr - offset + size) < 0 ||
		    text.buf[0] == INT3_INSN_OPCODE)
			return false;
	}
	*behind = pos;
	return *before != addr;
}

int kprobe_insn_check(const struct probed_text *text)
{
	const struct insn *insn = &text->insn;

	if (kprobe_insn_opcode(insn) == INT3_INSN_OPCODE)
		return kprobe_refuse(-EILSEQ, "padding, or somebody's breakpoint");

	/* An indirect branch to a breakpoint in place of an ENDBR faults. */
	if (HAS_KERNEL_IBT && kprobe_insn_is_endbr(insn))
		return kprobe_refuse(-EINVAL, "ENDBR: indirect branches to a breakpoint fault");

	if (is_cfi_check(insn))
		return kprobe_refuse(-EINVAL, "check of control flow, which its trap decodes");

	/* The prefix, an invalid instruction, tells a hypervisor to emulate the instruction. */
	if (insn->emulate_prefix_size)
		return kprobe_refuse(-EINVAL, "instruction for a hypervisor");

	/* REX2: the kernel neither uses nor saves the additional registers. */
	if (insn->rex_prefix.nbytes == 2)
		return -EOPNOTSUPP;

	if (insn_refused(insn))
		return -EOPNOTSUPP;

	if (sti_then_wait(text))
		return kprobe_refuse(-EOPNOTSUPP, "sti, and it waits for interrupts next");

	/* Intel's and AMD's processors decode this in different ways. */
	if (is_near_branch(insn) && has_prefix(insn, 0x66))
		return -EOPNOTSUPP;

	return 0;
}

/*
 * Writing slots.
 */

static bool fits_disp32(long disp)
{
	return disp == (s32)disp;
}

/*
 * Copy the instruction to @buf so that it does the same at @to as at @from. Returns -EINVAL if its
 * operand is out of reach from there.
 */
static int copy_insn(u8 *buf, const struct probed_text *text,
		     unsigned long from, unsigned long to,
		     const struct arch_specific_insn *ainsn)
{
	struct insn insn = text->insn;
	long disp;

	memcpy(buf, text->buf, insn.length);

	/* Push the target instead: "push" has the same operands as "call" and "jmp". */
	if (ainsn->after != KPROBE_STEP_NEXT)
		buf[insn_offset_modrm(&insn)] |= 6 << 3;

	if (!insn_rip_relative(&insn))
		return 0;

	/* With an address size prefix the operand is relative to the low half of %rip. */
	if (insn.addr_bytes != sizeof(long))
		return kprobe_refuse(-EINVAL, "its operand is relative to the low half of %rip");

	disp = (long)insn.displacement.value + (long)(from - to);
	if (!fits_disp32(disp))
		return kprobe_refuse(-EINVAL, "its operand is out of reach of a copy");

	insn.displacement.value = disp;
	memcpy(buf + insn_offset_displacement(&insn),
	       insn.displacement.bytes, DISP32_SIZE);
	return 0;
}

/*
 * Can the copy run without a trap behind it? Not if kprobe_insn_finish() has to do something after
 * it, and not if the exception table has an entry for the instruction, which is found by address.
 */
static bool may_boost(unsigned long addr, const struct arch_specific_insn *ainsn)
{
	return ainsn->after == KPROBE_STEP_NEXT &&
	       2 * ainsn->size + INT3_INSN_SIZE <= KPROBE_SLOT_JUMP &&
	       !search_exception_tables(addr);
}

/* copy_insn() that does not replace calls and jumps by a push. */
int kprobe_insn_copy(u8 *buf, const struct probed_text *text, unsigned long from,
		     unsigned long to)
{
	static const struct arch_specific_insn plain;

	return copy_insn(buf, text, from, to, &plain);
}

static int fill_slot(struct arch_specific_insn *ainsn, unsigned long addr,
		     const struct probed_text *text)
{
	unsigned long slot = (unsigned long)ainsn->insn;
	int boosted = KPROBE_SLOT_JUMP - ainsn->size;
	u8 code[KPROBE_INSN_SLOT_SIZE];
	int err;

	memset(code, INT3_INSN_OPCODE, sizeof(code));

	err = copy_insn(code, text, addr, slot, ainsn);
	if (err)
		return err;

	/* Pages of slots are in the area of modules, in reach of all kernel text. */
	if (!fits_disp32(addr - slot))
		return -EINVAL;
	__text_gen_insn(code + KPROBE_SLOT_JUMP, JMP32_INSN_OPCODE,
			(void *)slot + KPROBE_SLOT_JUMP,
			(void *)ainsn->next, JMP32_INSN_SIZE);

	if (may_boost(addr, ainsn)) {
		err = copy_insn(code + boosted, text, addr, slot + boosted,
				ainsn);
		if (err)
			return err;
		ainsn->boosted = boosted;
	}

	/*
	 * No sync: a CPU gets to the slot by a return from the trap of the breakpoint, which
	 * is planted later. The return serializes.
	 */
	text_poke_copy_locked(ainsn->insn, code, sizeof(code), false);
	return 0;
}

static int prepare_slot(struct kprobe *p, const struct probed_text *text)
{
	struct arch_specific_insn *ainsn = &p->ainsn;
	int err;

	ainsn->insn = get_insn_slot();
	if (!ainsn->insn)
		return -ENOMEM;

	/* Code that finds a slot from an address relies on that. */
	if (WARN_ON_ONCE(!IS_ALIGNED((unsigned long)ainsn->insn,
				     KPROBE_INSN_SLOT_SIZE)))
		return -EINVAL;

	err = fill_slot(ainsn, (unsigned long)p->addr, text);
	if (err)
		kprobe_insn_release(p);
	return err;
}

/**
 * kprobe_insn_prepare - check the instruction of a probe and prepare to run it
 * @p: the probe; its addr is in kernel text. Its opcode and ainsn are set
 *
 * Context: process, kprobe_mutex and text_mutex held. May sleep.
 * Return: 0,
 * -EILSEQ if @p->addr is not the start of an instruction,
 * -EINVAL if other code depends on the instruction, or a copy cannot reach its operand,
 * -EOPNOTSUPP if the instruction can be neither emulated nor run from elsewhere,
 * -ENOMEM if there is no slot.
 */
int kprobe_insn_prepare(struct kprobe *p)
{
	unsigned long addr = (unsigned long)p->addr;
	struct probed_text text;
	int err;

	err = find_insn(&text, addr);
	if (!err)
		err = kprobe_insn_check(&text);
	if (err)
		return err;

	p->opcode = text.buf[0];
	p->ainsn = (struct arch_specific_insn){
		.size = text.insn.length,
		.next = addr + text.insn.length,
	};

	kprobe_choose_emulation(&p->ainsn, &text.insn);
	if (p->ainsn.emulate)
		return 0;

	err = prepare_slot(p, &text);
	if (!err && p->ainsn.boosted)
		kprobe_choose_emulation_on_registers(&p->ainsn, &text.insn);
	return err;
}

/**
 * kprobe_insn_release - undo kprobe_insn_prepare()
 * @p: the probe; no CPU or task is in its slot
 */
void kprobe_insn_release(struct kprobe *p)
{
	kprobe_opcode_t *slot = p->ainsn.insn;

	p->ainsn.boosted = 0;
	p->ainsn.insn = NULL;
	if (slot)
		free_insn_slot(slot, 0);
}
