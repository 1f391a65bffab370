// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: decide how an instruction can be probed.
 *
 * An instruction whose result depends on its address is simulated. A copy of other instructions
 * does the same in a slot. These are rejected: instructions that raise or return from an exception,
 * or read registers that the trap of the probe overwrites; writes to system registers, such as the
 * masks of interrupts; exclusive accesses, because the trap clears the monitor; memory copies,
 * because a fault restarts a part of them relative to the program counter; and encodings that are
 * not known here.
 *
 * Encodings are those of the Arm Architecture Reference Manual (DDI 0487), chapter C4.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#include <asm/insn.h>
#include <asm/sysreg.h>

#include "decode-insn.h"

/* Bits 28 to 25: the groups of instructions in C4.1. */
static unsigned int group_of(u32 insn)
{
	return insn >> 25 & 0xf;
}

#define GROUP_RESERVED		0	/* with bit 31: SME */
#define GROUP_UNALLOCATED_1	1
#define GROUP_UNALLOCATED_3	3

/* CASP, which has an encoding of exclusive accesses but is none. */
static bool is_casp(u32 insn)
{
	return (insn & 0xbfa07c00) == 0x08207c00;
}

/* Bit of exclusive accesses. */
#define IS_LOAD			BIT(22)

/* Exclusive accesses to user memory (FEAT_LSUI). */
static bool is_exclusive_of_user(u32 insn)
{
	return (insn & 0xbf800000) == 0x89000000;
}

static bool is_exclusive(u32 insn)
{
	return (aarch64_insn_is_exclusive(insn) && !is_casp(insn)) || is_exclusive_of_user(insn);
}

/**
 * kprobe_insn_is_load_exclusive - does an instruction begin an exclusive sequence?
 * @insn: an instruction
 *
 * Return: true if so.
 */
bool kprobe_insn_is_load_exclusive(probe_opcode_t insn)
{
	return is_exclusive(insn) && insn & IS_LOAD;
}

/**
 * kprobe_insn_is_store_exclusive - does an instruction end an exclusive sequence?
 * @insn: an instruction
 *
 * Return: true if so.
 */
bool kprobe_insn_is_store_exclusive(probe_opcode_t insn)
{
	return is_exclusive(insn) && !(insn & IS_LOAD);
}

/* Loads from an address relative to the program counter: LDR, LDRSW and PRFM. */
static bool is_load_literal(u32 insn)
{
	return (insn & 0x3b000000) == 0x18000000;
}

/* Loads from a literal into a SIMD or floating point register. */
static bool is_load_literal_simd(u32 insn)
{
	return is_load_literal(insn) && insn & BIT(26);
}

/* MOVPRFX, which must be directly before the instruction that it prefixes. */
static bool is_prefix(u32 insn)
{
	return (insn & 0xfffffc00) == 0x0420bc00 || (insn & 0xff3ee000) == 0x04102000;
}

static bool is_b_or_bl(u32 insn)
{
	return aarch64_insn_is_b(insn) || aarch64_insn_is_bl(insn);
}

static bool is_cbz_or_cbnz(u32 insn)
{
	return aarch64_insn_is_cbz(insn) || aarch64_insn_is_cbnz(insn);
}

static bool is_tbz_or_tbnz(u32 insn)
{
	return aarch64_insn_is_tbz(insn) || aarch64_insn_is_tbnz(insn);
}

static bool is_branch_to_register(u32 insn)
{
	return aarch64_insn_is_br(insn) || aarch64_insn_is_blr(insn) || aarch64_insn_is_ret(insn);
}

static bool is_authenticated_branch(u32 insn)
{
	return aarch64_insn_is_br_auth(insn) || aarch64_insn_is_blr_auth(insn) ||
	       aarch64_insn_is_ret_auth(insn);
}

/* @sysreg as in enum aarch64_insn_special_register. */
static bool is_mrs_of(u32 insn, u32 sysreg)
{
	return aarch64_insn_is_mrs(insn) && FIELD_GET(GENMASK(20, 5), insn) == sysreg;
}

/* Reads of registers that the trap of a breakpoint writes, or that its return makes unknown. */
static bool is_mrs_of_exception(u32 insn)
{
	/* The same register has a name for each exception level. */
	u32 el1 = insn & ~GENMASK(18, 16);

	return is_mrs_of(el1, AARCH64_INSN_SPCLREG_ELR_EL1) ||
	       is_mrs_of(el1, AARCH64_INSN_SPCLREG_SPSR_EL1) ||
	       is_mrs_of(el1, FIELD_GET(GENMASK(20, 5), SYS_ESR_EL1)) ||
	       is_mrs_of(el1, FIELD_GET(GENMASK(20, 5), SYS_FAR_EL1));
}

/* SYS and SYSL: cache, TLB and address translation operations. */
static bool is_sys(u32 insn)
{
	return (insn & 0xffd80000) == 0xd5080000;
}

/* Branches, exceptions and system instructions of which a copy does the same. */
static bool is_good_system_insn(u32 insn)
{
	if (aarch64_insn_is_mrs(insn))
		return !is_mrs_of_exception(insn);
	return aarch64_insn_is_hint(insn) || aarch64_insn_is_barrier(insn) || is_sys(insn);
}

static bool is_allocated(u32 insn)
{
	switch (group_of(insn)) {
	case GROUP_RESERVED:
		return insn & BIT(31);
	case GROUP_UNALLOCATED_1:
	case GROUP_UNALLOCATED_3:
		return false;
	default:
		return true;
	}
}

static bool is_good(u32 insn)
{
	if (!is_allocated(insn) || is_load_literal_simd(insn) || is_exclusive(insn) ||
	    aarch64_insn_is_mops(insn) || is_prefix(insn))
		return false;
	return !aarch64_insn_is_class_branch_sys(insn) || is_good_system_insn(insn);
}

static probes_handler_t *simulator(u32 insn)
{
	if (aarch64_insn_is_adr_adrp(insn))
		return simulate_adr;
	if (is_b_or_bl(insn))
		return simulate_b;
	if (aarch64_insn_is_bcond(insn))
		return simulate_b_cond;
	if (is_cbz_or_cbnz(insn))
		return simulate_cbz;
	if (is_tbz_or_tbnz(insn))
		return simulate_tbz;
	if (is_branch_to_register(insn))
		return simulate_br;
	/* A landing pad has had its effect when the trap is taken. */
	if (insn == aarch64_insn_gen_nop() || aarch64_insn_is_bti(insn))
		return simulate_nop;
	return NULL;
}

/* Instructions that use the kernel's keys, memory or masks. Uprobes cannot simulate them. */
static probes_handler_t *kernel_simulator(u32 insn)
{
	if (is_authenticated_branch(insn))
		return simulate_br_auth;
	if (is_load_literal(insn) && !is_load_literal_simd(insn))
		return simulate_ldr_literal;
	if (is_mrs_of(insn, AARCH64_INSN_SPCLREG_DAIF))
		return simulate_mrs_daif;
	if (is_mrs_of(insn, FIELD_GET(GENMASK(20, 5), SYS_ICC_PMR_EL1)))
		return simulate_mrs_pmr;
	return NULL;
}

/**
 * arm_probe_decode_insn - decide how an instruction of a user program can be probed
 * @insn: the instruction
 * @api: receives the handler that simulates it, or NULL
 *
 * Return: INSN_GOOD_NO_SLOT with a handler, INSN_GOOD, INSN_REJECTED.
 */
enum probe_insn arm_probe_decode_insn(probe_opcode_t insn, struct arch_probe_insn *api)
{
	api->handler = simulator(insn);
	if (api->handler)
		return INSN_GOOD_NO_SLOT;
	return is_good(insn) && !kernel_simulator(insn) ? INSN_GOOD : INSN_REJECTED;
}

#define SETS_FLAGS	BIT(29)

/* A shift by 32 or more, or half of a register that has only two. */
static bool needs_64_bits(u32 insn, unsigned int bit)
{
	return !(insn & BIT(31)) && insn & BIT(bit);
}

static bool is_add_reg(u32 insn)
{
	/* There is no rotation. */
	return (insn & 0x1f200000) == 0x0b000000 && (insn >> 22 & 3) != 3;
}

/**
 * kprobe_simulator_before_post - find what simulates an instruction if there are post handlers
 * @insn: an instruction of which a copy does the same
 *
 * Return: the handler; NULL if the copy has to run.
 */
probes_handler_t *kprobe_simulator_before_post(probe_opcode_t insn)
{
	/* With bit 23 it is another instruction; and the stack pointer must not change. */
	if ((insn & 0x1f800000) == 0x11000000 && !(insn & SETS_FLAGS) && kprobe_insn_rt(insn) != 31)
		return simulate_add_imm;
	if ((insn & 0x1f800000) == 0x12800000 && !needs_64_bits(insn, 22) && (insn >> 29 & 3) != 1)
		return simulate_mov_wide;
	if (is_add_reg(insn) && !(insn & SETS_FLAGS) && !needs_64_bits(insn, 15))
		return simulate_add_reg;
	if ((insn & 0x1f000000) == 0x0a000000 && (insn >> 29 & 3) != 3 && !needs_64_bits(insn, 15))
		return simulate_logical_reg;
	return NULL;
}

/**
 * kprobe_decode_insn - decide how an instruction of the kernel can be probed
 * @insn: the instruction
 * @api: receives the handler that simulates it, or NULL
 *
 * Return: as arm_probe_decode_insn().
 */
enum probe_insn kprobe_decode_insn(probe_opcode_t insn, struct arch_probe_insn *api)
{
	api->handler = kernel_simulator(insn) ?: simulator(insn);
	if (api->handler)
		return INSN_GOOD_NO_SLOT;
	return is_good(insn) ? INSN_GOOD : INSN_REJECTED;
}
