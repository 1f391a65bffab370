// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: what the ORC unwinder asks about probes.
 *
 * It knows the text as the compiler left it. With probes, a frame may be in a slot: in the
 * copy of an instruction, or in a detour. And a handler's caller is a trap, or looks like
 * one, whose ip is behind the breakpoint, although the instruction has not been run.
 *
 * Frames in plain kernel text that were not made by a trap take none of this, as they are
 * most of all frames.
 */
#include <linux/bitmap.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>

#include <asm/sections.h>

#include "private.h"

/*
 * Where there are slots, or were: a bit for so many bytes. It keeps addresses of modules and
 * BPF programs from being looked up among slots. Bits are set before an address in there can
 * be executed, and stay.
 */
#define CHUNK_SIZE	SZ_2M
#define CHUNKS_START	((unsigned long)__START_KERNEL_map - SZ_2G)
#define NR_CHUNKS	(SZ_4G / CHUNK_SIZE)

static DECLARE_BITMAP(slot_chunks, NR_CHUNKS);

static nokprobe_inline unsigned long chunk_of(unsigned long addr)
{
	return (addr - CHUNKS_START) / CHUNK_SIZE;
}

/**
 * kprobe_unwind_slots_at - from now on there may be slots here
 * @page: a page
 */
void kprobe_unwind_slots_at(const void *page)
{
	set_bit(chunk_of((unsigned long)page), slot_chunks);
}

static nokprobe_inline bool may_be_slot(unsigned long addr)
{
	unsigned long chunk = chunk_of(addr);

	return chunk < NR_CHUNKS && test_bit(chunk, slot_chunks);
}

/* Is this CPU in a pre handler for @addr? Behind that the instruction has been run. */
static nokprobe_inline bool is_being_hit(unsigned long addr)
{
	const struct kprobe *p = kprobe_running();
	const struct kprobe_ctlblk *cpu;
	unsigned long status;
	unsigned int i;

	if (likely(!p))
		return false;
	cpu = get_kprobe_ctlblk();
	status = cpu->kprobe_status;
	for (i = cpu->nesting; p; i--) {
		if (status == KPROBE_HIT_ACTIVE && (unsigned long)p->addr == addr)
			return true;
		if (!i)
			break;
		p = cpu->prev_kprobe[i - 1].kp;
		status = cpu->prev_kprobe[i - 1].status;
	}
	return false;
}

/**
 * kprobe_trap_ip - where was the trap or interrupt taken that put these registers there?
 * @ip: the instruction pointer that it stored
 * @regs: all registers; NULL if they are not known
 *
 * Before and after handlers run only the registers tell that a jump has hit.
 *
 * Context: any, preemption off.
 * Return: the probed instruction if it is about to be run, else @ip.
 */
unsigned long kprobe_trap_ip(unsigned long ip, const struct pt_regs *regs)
{
	if (is_being_hit(ip - INT3_INSN_SIZE))
		return ip - INT3_INSN_SIZE;
	/* Slots are looked up under RCU. Where that is off, nothing can be in one. */
	if (regs && may_be_slot(READ_ONCE_NOCHECK(regs->orig_ax)) && rcu_is_watching() &&
	    kprobe_detour_passed(regs))
		return ip - INT3_INSN_SIZE;
	return ip;
}

NOKPROBE_SYMBOL(kprobe_trap_ip);

/*
 * Which instruction does an address in a slot of copies stand for? For the probed one if it is
 * at the start of a copy, for what is behind if it is at the end of one. @ip if there is none.
 */
static unsigned long slot_origin(unsigned long ip)
{
	unsigned long slot = ALIGN_DOWN(ip, KPROBE_INSN_SLOT_SIZE);
	const u8 *jump = (const u8 *)slot + KPROBE_SLOT_JUMP;
	unsigned long next;
	struct insn insn;

	/* All slots have the jump, whether the copy to be boosted is there or not. */
	if (*jump != JMP32_INSN_OPCODE ||
	    insn_decode_kernel(&insn, (void *)slot) < 0)
		return ip;

	next = slot + KPROBE_INSN_SLOT_SIZE + *(const s32 *)(jump + 1);

	if (ip == slot || ip == (unsigned long)jump - insn.length)
		return next - insn.length;
	return next;
}

NOKPROBE_SYMBOL(slot_origin);

/* kprobe_slot_unwind() where there may be slots; apart, as it takes a stack frame. */
static noinline bool slot_unwind(unsigned long *ip, unsigned int *pushed)
{
	unsigned long sp = 0, origin = *ip;

	if (!rcu_is_watching())
		return false;
	if (is_kprobe_insn_slot(*ip))
		origin = slot_origin(*ip);
	else if (is_kprobe_optinsn_slot(*ip))
		origin = kprobe_detour_origin(*ip, &sp);
	if (origin == *ip)
		return false;
	*ip = origin;
	*pushed = sp;
	return true;
}

NOKPROBE_SYMBOL(slot_unwind);

/**
 * kprobe_slot_unwind - what does an address stand for, if it is in a slot?
 * @ip: where a trap was taken, or what is before the address that a call returns to; set to
 *	the instruction in the probed code, with the same stack but for @pushed
 * @pushed: set to how many bytes there are on the stack that the probed code has not pushed
 *
 * Context: any, preemption off.
 * Return: false if it is in none; then nothing is set.
 */
bool kprobe_slot_unwind(unsigned long *ip, unsigned int *pushed)
{
	return unlikely(may_be_slot(*ip)) && slot_unwind(ip, pushed);
}

NOKPROBE_SYMBOL(kprobe_slot_unwind);

/* kprobe_text_address() where there may be slots. */
static noinline unsigned long slot_text_address(unsigned long ip)
{
	unsigned int pushed;

	preempt_disable_notrace();
	/* Looked up as it is, not one less as return addresses are: no call returns into a slot. */
	slot_unwind(&ip, &pushed);
	preempt_enable_notrace();
	return __kernel_text_address(ip) ? ip : 0;
}

NOKPROBE_SYMBOL(slot_text_address);

/**
 * kprobe_text_address - the entry of a stack trace for an address in a frame
 * @ip: the address
 *
 * A live patch must not be applied to a function while a task is in its instructions, be it
 * in copies of them. So these count as the instructions.
 *
 * Context: any.
 * Return: the address without probes; 0 if it is no kernel text.
 */
unsigned long kprobe_text_address(unsigned long ip)
{
	if (likely(__is_kernel_text(ip)))
		return ip;
	if (unlikely(may_be_slot(ip)))
		return slot_text_address(ip);
	return __kernel_text_address(ip) ? ip : 0;
}

NOKPROBE_SYMBOL(kprobe_text_address);
