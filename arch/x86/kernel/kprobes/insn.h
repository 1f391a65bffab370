/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: inline functions that classify instructions. */
#ifndef _ARCH_X86_KPROBES_INSN_H
#define _ARCH_X86_KPROBES_INSN_H

#include <linux/string.h>

#include <asm/insn.h>

/* Two-byte opcodes as 0x0fNN; one-byte opcodes as 0xNN. */
#define TWO_BYTE(op)		(0x0f00 | (op))

static inline bool has_prefix(const struct insn *insn, u8 byte)
{
	return memchr(insn->prefixes.bytes, byte, sizeof(insn->prefixes.bytes));
}

static inline unsigned int modrm_reg(const struct insn *insn)
{
	return X86_MODRM_REG(insn->modrm.bytes[0]);
}

static inline bool modrm_is_reg(const struct insn *insn)
{
	return X86_MODRM_MOD(insn->modrm.bytes[0]) == 3;
}

static inline bool is_relative_branch(unsigned int opcode)
{
	switch (opcode) {
	case 0x70 ... 0x7f:
	case TWO_BYTE(0x80) ... TWO_BYTE(0x8f):
	case 0xe0 ... 0xe3:
	case 0xe8:
	case 0xe9:
	case 0xeb:
		return true;
	default:
		return false;
	}
}

#endif /* _ARCH_X86_KPROBES_INSN_H */
