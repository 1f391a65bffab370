// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the decoder of A64 instructions: how each can be probed, and what simulated ones
 * do. These tests set no probes.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include <asm/debug-monitors.h>
#include <asm/insn.h>
#include <asm/sections.h>

#include "decode-insn.h"
#include "private.h"

/**
 * struct encoding - an instruction, and how it can be probed
 * @insn: the instruction
 * @name: what it is
 * @kernel: how it can be probed in the kernel
 * @user: how it can be probed in a user program
 */
struct encoding {
	u32 insn;
	const char *name;
	enum probe_insn kernel;
	enum probe_insn user;
};

#define REJECTED(insn, name)	{ insn, name, INSN_REJECTED, INSN_REJECTED }
#define GOOD(insn, name)	{ insn, name, INSN_GOOD, INSN_GOOD }
#define SIMULATED(insn, name)	{ insn, name, INSN_GOOD_NO_SLOT, INSN_GOOD_NO_SLOT }
/* They use keys, masks or memory of the kernel. */
#define OF_KERNEL(insn, name)	{ insn, name, INSN_GOOD_NO_SLOT, INSN_REJECTED }

static const struct encoding encodings[] = {
	/* Exceptions, and returns from them. */
	REJECTED(0xd4000001, "svc #0"),
	REJECTED(0xd41fffe1, "svc #65535"),
	REJECTED(0xd4000002, "hvc #0"),
	REJECTED(0xd4000003, "smc #0"),
	REJECTED(0xd4200000, "brk #0"),
	REJECTED(BRK64_OPCODE_KPROBES, "brk of kprobes"),
	REJECTED(BRK64_OPCODE_KPROBES_SS, "brk of kprobes that are stepped"),
	REJECTED(BRK64_OPCODE_UPROBES, "brk of uprobes"),
	REJECTED(0xd4210000, "brk #0x800, of BUG()"),
	REJECTED(0xd4400000, "hlt #0"),
	REJECTED(0xd4600000, "tcancel #0"),
	REJECTED(0xd4a00001, "dcps1"),
	REJECTED(0xd4a00002, "dcps2"),
	REJECTED(0xd4a00003, "dcps3"),
	REJECTED(0xd69f03e0, "eret"),
	REJECTED(0xd69f0bff, "eretaa"),
	REJECTED(0xd69f0fff, "eretab"),
	REJECTED(0xd6bf03e0, "drps"),
	/* Unallocated. */
	REJECTED(0x00000000, "udf #0"),
	REJECTED(0x0000ffff, "udf #65535"),
	REJECTED(0x00010000, "reserved"),
	REJECTED(0x02000000, "unallocated, group 1"),
	REJECTED(0x82000000, "unallocated, group 1"),
	REJECTED(0x06000000, "unallocated, group 3"),
	REJECTED(0xe6000000, "unallocated, group 3"),
	REJECTED(0xd61f0400, "br with a reserved field"),
	REJECTED(0xd4000000, "no exception"),
	REJECTED(0x54000001 | BIT(24), "b.cond with bit 24"),
	REJECTED(0x74000000, "cb<cc>, of a later architecture"),
	/* Masks of exceptions, and other system registers. */
	REJECTED(0xd50342df, "msr daifset, #2"),
	REJECTED(0xd50342ff, "msr daifclr, #2"),
	REJECTED(0xd51b4220, "msr daif, x0"),
	REJECTED(0xd51b4200, "msr nzcv, x0"),
	REJECTED(0xd500409f, "msr pan, #0"),
	REJECTED(0xd500407f, "msr uao, #0"),
	REJECTED(0xd50041bf, "msr spsel, #1"),
	REJECTED(0xd503419f, "msr tco, #1"),
	REJECTED(0xd503415f, "msr dit, #1"),
	REJECTED(0xd503413f, "msr ssbs, #1"),
	REJECTED(0xd501411f, "msr allint, #1"),
	REJECTED(0xd503477f, "smstart"),
	REJECTED(0xd500401f, "cfinv"),
	REJECTED(0xd500403f, "xaflag"),
	REJECTED(0xd500405f, "axflag"),
	REJECTED(0xd5182000, "msr ttbr0_el1, x0"),
	REJECTED(0xd5181000, "msr sctlr_el1, x0"),
	REJECTED(0xd518d080, "msr tpidr_el1, x0"),
	REJECTED(0xd5184100, "msr sp_el0, x0"),
	REJECTED(0xd5184600, "msr icc_pmr_el1, x0"),
	REJECTED(0xd5100240, "msr mdscr_el1, x0"),
	REJECTED(0xd5200000, "unallocated, of the system"),
	REJECTED(0xd5400000, "unallocated, of the system"),
	REJECTED(0xd5787400, "mrrs x0, x1, par_el1"),
	REJECTED(0xd5587400, "msrr par_el1, x0, x1"),
	REJECTED(0xd5031000, "wfet x0"),
	REJECTED(0xd5031020, "wfit x0"),
	REJECTED(0xd5033060 | 0x1f, "tcommit"),
	REJECTED(0xd5233060, "tstart x0"),
	/* Registers that a trap overwrites. */
	REJECTED(0xd5384020, "mrs x0, elr_el1"),
	REJECTED(0xd5384000, "mrs x0, spsr_el1"),
	REJECTED(0xd5385200, "mrs x0, esr_el1"),
	REJECTED(0xd5386000, "mrs x0, far_el1"),
	REJECTED(0xd53c4020, "mrs x0, elr_el2"),
	REJECTED(0xd53c4000, "mrs x0, spsr_el2"),
	REJECTED(0xd53c5200, "mrs x0, esr_el2"),
	REJECTED(0xd53c6000, "mrs x0, far_el2"),
	/* Exclusive accesses. */
	REJECTED(0xc85f7c20, "ldxr x0, [x1]"),
	REJECTED(0x885ffc20, "ldaxr w0, [x1]"),
	REJECTED(0x085f7c20, "ldxrb w0, [x1]"),
	REJECTED(0xc87f0820, "ldxp x0, x2, [x1]"),
	REJECTED(0x887f8820, "ldaxp w0, w2, [x1]"),
	REJECTED(0xc8027c20, "stxr w2, x0, [x1]"),
	REJECTED(0x4802fc20, "stlxrh w2, w0, [x1]"),
	REJECTED(0xc8220c20, "stxp w2, x0, x3, [x1]"),
	REJECTED(0x895f7c20, "ldtxr w0, [x1], of a later architecture"),
	REJECTED(0xc9027c20, "sttxr w2, x0, [x1], of a later architecture"),
	/* Memory copies, which can be interrupted and continued. */
	REJECTED(0x19010440, "cpyfp [x0]!, [x1]!, x2!"),
	REJECTED(0x19410440, "cpyfm [x0]!, [x1]!, x2!"),
	REJECTED(0x19810440, "cpyfe [x0]!, [x1]!, x2!"),
	REJECTED(0x1d010440, "cpyp [x0]!, [x1]!, x2!"),
	REJECTED(0x19c20420, "setp [x0]!, x1!, x2"),
	REJECTED(0x1dc20420, "setgp [x0]!, x1!, x2"),
	/* Prefixes of the next instruction. */
	REJECTED(0x0420bc20, "movprfx z0, z1"),
	REJECTED(0x04112020, "movprfx z0.b, p0/m, z1.b"),
	REJECTED(0x04d02020, "movprfx z0.d, p0/z, z1.d"),
	/* Loads relative to the program counter, into SIMD registers. */
	REJECTED(0x1c000000, "ldr s0, ."),
	REJECTED(0x5c000000, "ldr d0, ."),
	REJECTED(0x9c000000, "ldr q0, ."),
	REJECTED(0xdc000000, "reserved literal"),
	REJECTED(0x5500001f, "retaasppc ."),
	/* They load memory of the kernel. */
	OF_KERNEL(0x18000000, "ldr w0, ."),
	OF_KERNEL(0x58000000, "ldr x0, ."),
	OF_KERNEL(0x98000000, "ldrsw x0, ."),
	OF_KERNEL(0xd8000000, "prfm pldl1keep, ."),
	OF_KERNEL(0xd53b4220, "mrs x0, daif"),
	OF_KERNEL(0xd5384600, "mrs x0, icc_pmr_el1"),
	OF_KERNEL(0xd65f0bff, "retaa"),
	OF_KERNEL(0xd65f0fff, "retab"),
	OF_KERNEL(0xd61f081f, "braaz x0"),
	OF_KERNEL(0xd61f0c1f, "brabz x0"),
	OF_KERNEL(0xd71f0801, "braa x0, x1"),
	OF_KERNEL(0xd71f0c1f, "brab x0, sp"),
	OF_KERNEL(0xd63f081f, "blraaz x0"),
	OF_KERNEL(0xd73f0801, "blraa x0, x1"),
	OF_KERNEL(0xd73f0c01, "blrab x0, x1"),
	/* Simulated. */
	SIMULATED(0x10000000, "adr x0, ."),
	SIMULATED(0x90000000, "adrp x0, ."),
	SIMULATED(0x14000000, "b ."),
	SIMULATED(0x97ffffff, "bl . - 4"),
	SIMULATED(0x54000000, "b.eq ."),
	SIMULATED(0x5400000f, "b.nv ."),
	SIMULATED(0x54000010, "bc.eq ."),
	SIMULATED(0x34000000, "cbz w0, ."),
	SIMULATED(0xb5000000, "cbnz x0, ."),
	SIMULATED(0x36000000, "tbz w0, #0, ."),
	SIMULATED(0xb7f80000, "tbnz x0, #63, ."),
	SIMULATED(0xd61f0000, "br x0"),
	SIMULATED(0xd63f03c0, "blr x30"),
	SIMULATED(0xd65f03c0, "ret"),
	SIMULATED(0xd65f00a0, "ret x5"),
	SIMULATED(0xd503201f, "nop"),
	SIMULATED(0xd503241f, "bti"),
	SIMULATED(0xd503245f, "bti c"),
	SIMULATED(0xd503249f, "bti j"),
	SIMULATED(0xd50324df, "bti jc"),
	/* The same at any address. */
	GOOD(0xd503203f, "yield"),
	GOOD(0xd503205f, "wfe"),
	GOOD(0xd503207f, "wfi"),
	GOOD(0xd503209f, "sev"),
	GOOD(0xd503221f, "esb"),
	GOOD(0xd503229f, "csdb"),
	GOOD(0xd503233f, "paciasp"),
	GOOD(0xd50323bf, "autiasp"),
	GOOD(0xd50320ff, "xpaclri"),
	GOOD(0xd5032fff, "hint #127"),
	GOOD(0xd5033bbf, "dmb ish"),
	GOOD(0xd5033f9f, "dsb sy"),
	GOOD(0xd5033fdf, "isb"),
	GOOD(0xd50330ff, "sb"),
	GOOD(0xd5033f5f, "clrex"),
	GOOD(0xd50b7a20, "dc cvac, x0"),
	GOOD(0xd508871f, "tlbi vmalle1"),
	GOOD(0xd5087800, "at s1e1r, x0"),
	GOOD(0xd53b4200, "mrs x0, nzcv"),
	GOOD(0xd538d080, "mrs x0, tpidr_el1"),
	GOOD(0xd5384100, "mrs x0, sp_el0"),
	GOOD(0xd5387400, "mrs x0, par_el1"),
	GOOD(0x08207c82, "casp w0, w1, w2, w3, [x4]"),
	GOOD(0x48607c82, "caspa x0, x1, x2, x3, [x4]"),
	GOOD(0xc8a07c41, "cas x0, x1, [x2]"),
	GOOD(0xf8200041, "ldadd x0, x1, [x2]"),
	GOOD(0xc8dffc20, "ldar x0, [x1]"),
	GOOD(0xc89ffc20, "stlr x0, [x1]"),
	GOOD(0x19400020, "ldapurb w0, [x1]"),
	GOOD(0xf8400820, "ldtr x0, [x1]"),
	GOOD(0xd9200820, "stg x0, [x1]"),
	GOOD(0xf8200420, "ldraa x0, [x1]"),
	GOOD(0xa9bf7bfd, "stp x29, x30, [sp, #-16]!"),
	GOOD(0xf8408400, "ldr x0, [x0], #8"),
	GOOD(0x91000400, "add x0, x0, #1"),
	GOOD(0x8b010000, "add x0, x0, x1"),
	GOOD(0x9ac04c20, "crc32x w0, w1, x0"),
	GOOD(0x4e20d400, "fadd v0.4s, v0.4s, v0.4s"),
	GOOD(0x04e00000, "add z0.d, z0.d, z0.d"),
	GOOD(0xc0080000, "zero {}, of SME"),
};

static void encoding_desc(const struct encoding *e, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%08x %s", e->insn, e->name);
}

KUNIT_ARRAY_PARAM(encoding, encodings, encoding_desc);

static void decodes(struct kunit *test)
{
	const struct encoding *e = test->param_value;
	struct arch_probe_insn api;

	KUNIT_EXPECT_EQ(test, kprobe_decode_insn(e->insn, &api), e->kernel);
	KUNIT_EXPECT_EQ(test, !!api.handler, e->kernel == INSN_GOOD_NO_SLOT);
	KUNIT_EXPECT_EQ(test, arm_probe_decode_insn(e->insn, &api), e->user);
	KUNIT_EXPECT_EQ(test, !!api.handler, e->user == INSN_GOOD_NO_SLOT);
}

/* Instructions that begin and end an exclusive sequence. */
static void exclusives(struct kunit *test)
{
	static const u32 loads[] = { 0xc85f7c20, 0x885ffc20, 0x085f7c20, 0xc87f0820, 0x887f8820 };
	static const u32 stores[] = { 0xc8027c20, 0x4802fc20, 0xc8220c20 };
	static const u32 others[] = { 0x08207c82, 0x48607c82, 0xc8a07c41, 0xc8dffc20, 0xc89ffc20 };
	int i;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		KUNIT_EXPECT_TRUE_MSG(test, kprobe_insn_is_load_exclusive(loads[i]), "%d", i);
		KUNIT_EXPECT_FALSE_MSG(test, kprobe_insn_is_store_exclusive(loads[i]), "%d", i);
	}
	for (i = 0; i < ARRAY_SIZE(stores); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, kprobe_insn_is_load_exclusive(stores[i]), "%d", i);
		KUNIT_EXPECT_TRUE_MSG(test, kprobe_insn_is_store_exclusive(stores[i]), "%d", i);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, kprobe_insn_is_load_exclusive(others[i]), "%d", i);
		KUNIT_EXPECT_FALSE_MSG(test, kprobe_insn_is_store_exclusive(others[i]), "%d", i);
	}
}

/* Limit for rejected words of the kernel's text, in thousandths. Some words are data. */
#define MAY_BE_REJECTED	60

static void text_of_the_kernel(struct kunit *test)
{
	unsigned long nr[INSN_GOOD + 1] = {}, nr_words = 0, nr_zero = 0;
	struct arch_probe_insn api;
	enum probe_insn what;
	__le32 *word;
	u32 insn;

	for (word = (__le32 *)_stext; word < (__le32 *)_etext; word++, nr_words++) {
		if (!(nr_words & 0xffff))
			cond_resched();
		insn = le32_to_cpu(READ_ONCE(*word));
		what = kprobe_decode_insn(insn, &api);
		KUNIT_ASSERT_LE(test, what, INSN_GOOD);
		KUNIT_ASSERT_EQ(test, !!api.handler, what == INSN_GOOD_NO_SLOT);
		nr[what]++;
		/* Padding. */
		nr_zero += !insn;
	}
	nr_words -= nr_zero;
	nr[INSN_REJECTED] -= nr_zero;
	kunit_info(test, "of %lu instructions %lu run from a slot, %lu are simulated, %lu.%lu %% (%lu) rejected",
		   nr_words, nr[INSN_GOOD], nr[INSN_GOOD_NO_SLOT],
		   nr[INSN_REJECTED] * 100 / nr_words, nr[INSN_REJECTED] * 1000 / nr_words % 10,
		   nr[INSN_REJECTED]);
	KUNIT_EXPECT_LE(test, nr[INSN_REJECTED] * 1000, nr_words * MAY_BE_REJECTED);
	KUNIT_EXPECT_GT(test, nr[INSN_GOOD], nr[INSN_GOOD_NO_SLOT]);
}

/* Simulation, without running instructions */

#define ADDR	0xffff800012345ff8UL

/* A large number for each register. */
#define REG(n)	(0xa5a5000000000000UL + (n))

/**
 * struct simulation - an instruction at ADDR, and its effect
 * @insn: the instruction
 * @name: its name
 * @in: value of x5 before, unless 0; all other registers have the values of REG()
 * @pstate: PSTATE before, without the mode
 * @reg: number of the register that changes; 31: none
 * @value: value of that register afterwards
 * @pc: address of the next instruction
 */
struct simulation {
	u32 insn;
	const char *name;
	u64 in;
	u64 pstate;
	u32 reg;
	u64 value;
	u64 pc;
};

#define NEXT	(ADDR + 4)

static const struct simulation simulations[] = {
	{ 0x10000001, "adr x1, .", 0, 0, 1, ADDR, NEXT },
	{ 0x70ffffe1, "adr x1, . - 1", 0, 0, 1, ADDR - 1, NEXT },
	{ 0x10800001, "adr x1, . - 1M", 0, 0, 1, ADDR - 0x100000, NEXT },
	{ 0x707fffe1, "adr x1, . + 1M - 1", 0, 0, 1, ADDR + 0xfffff, NEXT },
	{ 0x1000003f, "adr xzr, . + 4", 0, 0, 31, 0, NEXT },
	{ 0x90000001, "adrp x1, .", 0, 0, 1, ADDR & ~0xfffUL, NEXT },
	{ 0xb0000001, "adrp x1, . + 4K", 0, 0, 1, (ADDR & ~0xfffUL) + 0x1000, NEXT },
	{ 0xf0ffffe1, "adrp x1, . - 4K", 0, 0, 1, (ADDR & ~0xfffUL) - 0x1000, NEXT },
	{ 0x90800001, "adrp x1, . - 4G", 0, 0, 1, (ADDR & ~0xfffUL) - 0x100000000, NEXT },
	{ 0xf07fffe1, "adrp x1, . + 4G - 4K", 0, 0, 1, (ADDR & ~0xfffUL) + 0xfffff000, NEXT },
	{ 0x14000002, "b . + 8", 0, 0, 31, 0, ADDR + 8 },
	{ 0x16000000, "b . - 128M", 0, 0, 31, 0, ADDR - 0x8000000 },
	{ 0x15ffffff, "b . + 128M - 4", 0, 0, 31, 0, ADDR + 0x7fffffc },
	{ 0x97ffffff, "bl . - 4", 0, 0, 30, NEXT, ADDR - 4 },
	{ 0x54800000, "b.eq . - 1M", 0, PSR_Z_BIT, 31, 0, ADDR - 0x100000 },
	{ 0x547fffe0, "b.eq . + 1M - 4", 0, PSR_Z_BIT, 31, 0, ADDR + 0xffffc },
	{ 0x54000050, "bc.eq . + 8", 0, PSR_Z_BIT, 31, 0, ADDR + 8 },
	{ 0x54000050, "bc.eq . + 8", 0, PSR_N_BIT, 31, 0, NEXT },
	{ 0x5400005e, "bc.al . + 8", 0, 0, 31, 0, ADDR + 8 },
	{ 0x5400005f, "bc.nv . + 8", 0, 0, 31, 0, ADDR + 8 },
	{ 0x34000045, "cbz w5, . + 8", BIT(32), 0, 31, 0, ADDR + 8 },
	{ 0xb4000045, "cbz x5, . + 8", BIT(32), 0, 31, 0, NEXT },
	{ 0x35000045, "cbnz w5, . + 8", BIT(32), 0, 31, 0, NEXT },
	{ 0xb5000045, "cbnz x5, . + 8", BIT(32), 0, 31, 0, ADDR + 8 },
	{ 0xb400005f, "cbz xzr, . + 8", 0, 0, 31, 0, ADDR + 8 },
	{ 0x3500005f, "cbnz wzr, . + 8", 0, 0, 31, 0, NEXT },
	{ 0x36f80045, "tbz w5, #31, . + 8", BIT(31), 0, 31, 0, NEXT },
	{ 0x36f80045, "tbz w5, #31, . + 8", BIT(63), 0, 31, 0, ADDR + 8 },
	{ 0x37000045, "tbnz w5, #0, . + 8", BIT(32), 0, 31, 0, NEXT },
	{ 0xb7000045, "tbnz x5, #32, . + 8", BIT(32), 0, 31, 0, ADDR + 8 },
	{ 0xb7f80045, "tbnz x5, #63, . + 8", BIT(63), 0, 31, 0, ADDR + 8 },
	{ 0xb6f80045, "tbz x5, #63, . + 8", BIT(31), 0, 31, 0, ADDR + 8 },
	{ 0x36040005, "tbz w5, #0, . - 32K", BIT(1), 0, 31, 0, ADDR - 0x8000 },
	{ 0x3703ffe5, "tbnz w5, #0, . + 32K - 4", BIT(0), 0, 31, 0, ADDR + 0x7ffc },
	{ 0xd61f00a0, "br x5", 0x1234560, 0, 31, 0, 0x1234560 },
	{ 0xd61f03e0, "br xzr", 0, 0, 31, 0, 0 },
	{ 0xd63f00a0, "blr x5", 0x1234560, 0, 30, NEXT, 0x1234560 },
	{ 0xd63f03c0, "blr x30", 0, 0, 30, NEXT, REG(30) },
	{ 0xd65f03c0, "ret", 0, 0, 31, 0, REG(30) },
	{ 0xd65f00a0, "ret x5", 0x1234560, 0, 31, 0, 0x1234560 },
	{ 0xd503201f, "nop", 0, 0, 31, 0, NEXT },
	{ 0xd503245f, "bti c", 0, 0, 31, 0, NEXT },
	{ 0xd53b4221, "mrs x1, daif", 0, PSR_I_BIT | PSR_C_BIT | PSR_PAN_BIT, 1, PSR_I_BIT, NEXT },
	{ 0xd53b423f, "mrs xzr, daif", 0, PSR_I_BIT, 31, 0, NEXT },
};

static void simulation_desc(const struct simulation *s, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, x5 = %llx, PSTATE = %llx", s->name, s->in,
		 s->pstate);
}

KUNIT_ARRAY_PARAM(simulation, simulations, simulation_desc);

static void set_regs(struct pt_regs *regs, const struct simulation *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs->regs); i++)
		regs->regs[i] = REG(i);
	if (s->in)
		regs->regs[5] = s->in;
	regs->sp = REG(31);
	regs->pc = ADDR;
	regs->pstate = s->pstate | PSR_MODE_EL1h | PSR_BTYPE_C;
}

/* Only the given registers change, and PSTATE.BTYPE is cleared. */
static void simulates(struct kunit *test)
{
	const struct simulation *s = test->param_value;
	struct pt_regs *regs = kunit_kzalloc(test, sizeof(*regs), GFP_KERNEL);
	struct pt_regs *want = kunit_kzalloc(test, sizeof(*want), GFP_KERNEL);
	struct arch_probe_insn api;

	KUNIT_ASSERT_NOT_NULL(test, regs);
	KUNIT_ASSERT_NOT_NULL(test, want);
	KUNIT_ASSERT_EQ(test, kprobe_decode_insn(s->insn, &api), INSN_GOOD_NO_SLOT);
	set_regs(regs, s);
	set_regs(want, s);
	if (s->reg < 31)
		want->regs[s->reg] = s->value;
	want->pc = s->pc;
	want->pstate &= ~PSR_BTYPE_MASK;
	api.handler(s->insn, ADDR, regs);
	if (s->reg < 31)
		KUNIT_EXPECT_EQ(test, regs->regs[s->reg], s->value);
	KUNIT_EXPECT_EQ(test, regs->pc, s->pc);
	KUNIT_EXPECT_EQ(test, regs->pstate, want->pstate);
	KUNIT_EXPECT_MEMEQ(test, regs, want, sizeof(*regs));
}

/* See C1.2.4 of the manual. */
static bool holds(unsigned int cond, u64 pstate)
{
	bool n = pstate & PSR_N_BIT, z = pstate & PSR_Z_BIT;
	bool c = pstate & PSR_C_BIT, v = pstate & PSR_V_BIT;
	const bool table[] = {
		z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v,
		!z && n == v, z || n != v, true, true,
	};

	return table[cond];
}

static void conditions(struct kunit *test)
{
	struct simulation s = { .name = "b.cond . + 8" };
	unsigned int cond, flags;
	struct arch_probe_insn api;
	struct pt_regs regs = {};

	for (cond = 0; cond < 16; cond++) {
		for (flags = 0; flags < 16; flags++) {
			s.insn = 0x54000040 | cond;
			s.pstate = (u64)flags << 28;
			set_regs(&regs, &s);
			KUNIT_ASSERT_EQ(test, kprobe_decode_insn(s.insn, &api), INSN_GOOD_NO_SLOT);
			api.handler(s.insn, ADDR, &regs);
			KUNIT_EXPECT_EQ_MSG(test, regs.pc, holds(cond, s.pstate) ? ADDR + 8 : NEXT,
					    "condition %u, flags %x", cond, flags);
		}
	}
}

/* Loads read near this. */
static const u64 literals[] = { 0x1111111122222222, 0x89abcdef01234567, 0x3333333344444444 };

static u64 load(struct kunit *test, u32 insn, const void *from)
{
	struct arch_probe_insn api;
	struct pt_regs regs = {};

	KUNIT_ASSERT_EQ(test, kprobe_decode_insn(insn, &api), INSN_GOOD_NO_SLOT);
	regs.regs[1] = REG(1);
	api.handler(insn, (long)from, &regs);
	KUNIT_EXPECT_EQ(test, regs.pc, (unsigned long)from + 4);
	return regs.regs[1];
}

#define AT(words)	(((words) & 0x7ffff) << 5)

static void loads_of_literals(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, load(test, 0x58000001, &literals[1]), 0x89abcdef01234567);
	KUNIT_EXPECT_EQ(test, load(test, 0x58000001 | AT(2), &literals[0]), 0x89abcdef01234567);
	KUNIT_EXPECT_EQ(test, load(test, 0x58000001 | AT(-2), &literals[2]), 0x89abcdef01234567);
	KUNIT_EXPECT_EQ(test, load(test, 0x58000001 | AT(1), &literals[0]), 0x0123456711111111);
	KUNIT_EXPECT_EQ(test, load(test, 0x18000001 | AT(1), &literals[1]), 0x89abcdef);
	KUNIT_EXPECT_EQ(test, load(test, 0x98000001 | AT(1), &literals[1]), 0xffffffff89abcdef);
	KUNIT_EXPECT_EQ(test, load(test, 0x98000001, &literals[1]), 0x01234567);
	/* A load without a target register, and not a load. */
	KUNIT_EXPECT_EQ(test, load(test, 0x5800001f, &literals[1]), REG(1));
	KUNIT_EXPECT_EQ(test, load(test, 0xd8000001, NULL), REG(1));
}

/* Some encodings of other instructions differ in one bit. */
static void simulated_before_post(struct kunit *test)
{
	static const struct {
		u32 insn;
		probes_handler_t *handler;
	} some[] = {
		{ 0x91000c20, simulate_add_imm },	/* add x0, x1, #3 */
		{ 0x910003fd, simulate_add_imm },	/* mov x29, sp */
		{ 0x51400c20, simulate_add_imm },	/* sub w0, w1, #3, lsl #12 */
		{ 0x910043ff, NULL },			/* add sp, sp, #16 */
		{ 0xb1000c20, NULL },			/* adds x0, x1, #3 */
		{ 0x91c41420, NULL },			/* umax x0, x1, #5 */
		{ 0x91810c20, NULL },			/* addg x0, x1, #16, #3 */
		{ 0xd2800020, simulate_mov_wide },	/* movz x0, #1 */
		{ 0x12800020, simulate_mov_wide },	/* movn w0, #1 */
		{ 0xf2e00020, simulate_mov_wide },	/* movk x0, #1, lsl #48 */
		{ 0x52c00020, NULL },			/* movz w0, #1, lsl #32: unallocated */
		{ 0x8b020020, simulate_add_reg },	/* add x0, x1, x2 */
		{ 0x4b827c20, simulate_add_reg },	/* sub w0, w1, w2, asr #31 */
		{ 0x8bc20020, NULL },			/* a rotated operand: unallocated */
		{ 0xab020020, NULL },			/* adds x0, x1, x2 */
		{ 0x8b224020, NULL },			/* add x0, x1, w2, uxtw */
		{ 0xaa0103e0, simulate_logical_reg },	/* mov x0, x1 */
		{ 0x8a220020, simulate_logical_reg },	/* bic x0, x1, x2 */
		{ 0xea020020, NULL },			/* ands x0, x1, x2 */
		{ 0x0a028020, NULL },			/* and w0, w1, w2, lsl #32: unallocated */
		{ 0x9a820020, NULL },			/* csel x0, x1, x2, eq */
		{ 0xf9400020, NULL },			/* ldr x0, [x1] */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, kprobe_simulator_before_post(some[i].insn),
					some[i].handler, "%08x", some[i].insn);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE_PARAM(decodes, encoding_gen_params),
	KUNIT_CASE(exclusives),
	KUNIT_CASE_SLOW(text_of_the_kernel),
	KUNIT_CASE_PARAM(simulates, simulation_gen_params),
	KUNIT_CASE(simulated_before_post),
	KUNIT_CASE(conditions),
	KUNIT_CASE(loads_of_literals),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "kprobes_arm64_decode",
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);
