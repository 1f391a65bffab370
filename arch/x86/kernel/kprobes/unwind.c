// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: functions for the ORC unwinder.
 *
 * ORC describes the text without probes. With probes, a frame may be in a slot: in the copy of
 * an instruction, or in a detour. Or it is at a relay, where ORC describes another function. The
 * caller of a handler is a trap, or a detour that looks like one, with an ip behind the breakpoint
 * although the instruction has not run yet.
 *
 * Most frames are in kernel text and not from a trap. The unwinder does not call this for them.
 */
#include <linux/bitmap.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/sections.h>

#include "private.h"

/*
 * A bit for each CHUNK_SIZE bytes in which there are slots or relays, or were. With it, most
 * addresses of the kernel, of modules and of BPF programs are not looked up. A bit is set before a
 * slot there can be executed, and is not cleared. Set atomically, read by any context.
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
 * kprobe_unwind_slots_at - note that there may be slots in a page, or a relay
 * @page: a page, or a relay
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

/* Is this CPU in a pre handler for @addr? After it, the instruction has run. */
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

/* The probed instruction if @ip is a relay, to which a jump from there leads; else @ip. */
static nokprobe_inline unsigned long relay_origin(unsigned long ip)
{
	if (likely(!may_be_slot(ip)) || !__is_kernel_text(ip) || !rcu_is_watching())
		return ip;
	return kprobe_relay_origin(ip);
}

/**
 * kprobe_trap_ip - correct the instruction pointer of a trap for hits of probes
 * @ip: the instruction pointer that the trap stored
 * @regs: all registers; NULL if they are not known
 *
 * In a detour, before and after the handlers run, only the registers show that it is a hit.
 *
 * Context: any, preemption off.
 * Return: the address of the probed instruction if it has not run yet, also for its relay; else
 * @ip.
 */
unsigned long kprobe_trap_ip(unsigned long ip, const struct pt_regs *regs)
{
	if (is_being_hit(ip - INT3_INSN_SIZE))
		return ip - INT3_INSN_SIZE;
	/* Slots are looked up under RCU. If RCU is not watching, no frame is in a slot. */
	if (regs && may_be_slot(READ_ONCE_NOCHECK(regs->orig_ax)) && rcu_is_watching() &&
	    kprobe_detour_passed(regs))
		return ip - INT3_INSN_SIZE;
	return relay_origin(ip);
}

NOKPROBE_SYMBOL(kprobe_trap_ip);

/**
 * kprobe_slot_origin - find the address in the probed code for an address in a slot of copies
 * @ip: the address
 *
 * The page may be freed meanwhile, because pages are freed without a grace period. So the slot is
 * read by a function that may fail.
 *
 * Context: any.
 * Return: the probed instruction for the start of a copy, the next instruction for its end; @ip if
 * it is in no copy.
 */
unsigned long kprobe_slot_origin(unsigned long ip)
{
	unsigned long slot = ALIGN_DOWN(ip, KPROBE_INSN_SLOT_SIZE);
	u8 code[KPROBE_INSN_SLOT_SIZE];
	unsigned long next;
	struct insn insn;

	/* All slots have the jump, also without a boosted copy. */
	if (copy_from_kernel_nofault(code, (void *)slot, sizeof(code)) ||
	    code[KPROBE_SLOT_JUMP] != JMP32_INSN_OPCODE || insn_decode_kernel(&insn, code) < 0)
		return ip;

	next = slot + KPROBE_INSN_SLOT_SIZE +
	       get_unaligned((const s32 *)(code + KPROBE_SLOT_JUMP + 1));

	if (ip == slot || ip == slot + KPROBE_SLOT_JUMP - insn.length)
		return next - insn.length;
	return next;
}

NOKPROBE_SYMBOL(kprobe_slot_origin);

/* Slow path of kprobe_slot_unwind(). Not inline, because it needs a stack frame. */
static noinline bool slot_unwind(unsigned long *ip, unsigned int *pushed)
{
	unsigned long sp = 0, origin = *ip;

	if (!rcu_is_watching())
		return false;
	if (is_kprobe_insn_slot(*ip))
		origin = kprobe_slot_origin(*ip);
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
 * kprobe_slot_unwind - translate an address in a slot to the probed code
 * @ip: the address of a trap, or a return address minus one; set to the address in the probed
 *	code
 * @pushed: set to the number of bytes on the stack that the probed code has not pushed
 *
 * Context: any, preemption off.
 * Return: false if @ip is not in a slot; then nothing is set.
 */
bool kprobe_slot_unwind(unsigned long *ip, unsigned int *pushed)
{
	return unlikely(may_be_slot(*ip)) && slot_unwind(ip, pushed);
}

NOKPROBE_SYMBOL(kprobe_slot_unwind);

/* Slow path of kprobe_text_address(). */
static noinline unsigned long slot_text_address(unsigned long ip)
{
	unsigned int pushed;

	preempt_disable_notrace();
	/* Not minus one as return addresses: no call returns into a slot, or to a relay. */
	if (__is_kernel_text(ip))
		ip = relay_origin(ip);
	else
		slot_unwind(&ip, &pushed);
	preempt_enable_notrace();
	return __kernel_text_address(ip) ? ip : 0;
}

NOKPROBE_SYMBOL(slot_text_address);

/**
 * kprobe_text_address - translate an address in a frame for a stack trace
 * @ip: the address
 *
 * A live patch must not be applied to a function while a task is in its instructions, or in
 * copies of them. So an address in a copy is reported as that of the instruction.
 *
 * Context: any.
 * Return: the address in kernel text; 0 if there is none.
 */
unsigned long kprobe_text_address(unsigned long ip)
{
	if (unlikely(may_be_slot(ip)))
		return slot_text_address(ip);
	if (likely(__is_kernel_text(ip)))
		return ip;
	return __kernel_text_address(ip) ? ip : 0;
}

NOKPROBE_SYMBOL(kprobe_text_address);
