/* SPDX-License-Identifier: GPL-2.0-only */
/* Decoding of probed A64 instructions, see insn.c. */
#ifndef _ARM64_KERNEL_PROBES_DECODE_INSN_H
#define _ARM64_KERNEL_PROBES_DECODE_INSN_H

#include <linux/bitops.h>
#include <linux/bits.h>

#include <asm/insn.h>
#include <asm/probes.h>

/**
 * enum probe_insn - how an instruction can be probed
 * @INSN_REJECTED: it cannot be probed
 * @INSN_GOOD_NO_SLOT: &arch_probe_insn.handler simulates it
 * @INSN_GOOD: a copy of it does the same
 */
enum probe_insn {
	INSN_REJECTED,
	INSN_GOOD_NO_SLOT,
	INSN_GOOD,
};

enum probe_insn arm_probe_decode_insn(probe_opcode_t insn, struct arch_probe_insn *api);
enum probe_insn kprobe_decode_insn(probe_opcode_t insn, struct arch_probe_insn *api);
probes_handler_t *kprobe_simulator_before_post(probe_opcode_t insn);
bool kprobe_insn_is_load_exclusive(probe_opcode_t insn);
bool kprobe_insn_is_store_exclusive(probe_opcode_t insn);

/* Fields of instructions */

static __always_inline unsigned int kprobe_insn_rt(u32 insn)
{
	return insn & 0x1f;
}

static __always_inline unsigned int kprobe_insn_rn(u32 insn)
{
	return insn >> 5 & 0x1f;
}

/* The result of an ADR or ADRP at @addr. */
static __always_inline unsigned long kprobe_insn_adr(u32 insn, unsigned long addr)
{
	long offset = sign_extend64((insn >> 5 & GENMASK(18, 0)) << 2 | (insn >> 29 & 3), 20);

	return aarch64_insn_is_adrp(insn) ? (addr & ~0xfffUL) + (offset << 12) : addr + offset;
}

/* Kinds of loads from a literal. */
enum { LITERAL_32, LITERAL_64, LITERAL_SIGNED_32, LITERAL_PREFETCH };

static __always_inline unsigned int kprobe_insn_literal_opc(u32 insn)
{
	return insn >> 30;
}

/* The address of the literal. */
static __always_inline unsigned long kprobe_insn_literal(u32 insn, unsigned long addr)
{
	return addr + sign_extend64(insn >> 5, 18) * AARCH64_INSN_SIZE;
}

/* Is a branch to a register, with or without authentication, a call? */
static __always_inline bool kprobe_insn_is_blr(u32 insn)
{
	return (insn & GENMASK(22, 21)) == BIT(21);
}

static __always_inline u32 kprobe_insn_blr_to_br(u32 insn)
{
	return insn & ~BIT(21);
}

/* simulate.c */
probes_handler_t simulate_adr;
probes_handler_t simulate_b;
probes_handler_t simulate_b_cond;
probes_handler_t simulate_cbz;
probes_handler_t simulate_tbz;
probes_handler_t simulate_br;
probes_handler_t simulate_br_auth;
probes_handler_t simulate_ldr_literal;
probes_handler_t simulate_nop;
probes_handler_t simulate_mrs_daif;
probes_handler_t simulate_mrs_pmr;
probes_handler_t simulate_add_imm;
probes_handler_t simulate_mov_wide;
probes_handler_t simulate_add_reg;
probes_handler_t simulate_logical_reg;

#endif /* _ARM64_KERNEL_PROBES_DECODE_INSN_H */
