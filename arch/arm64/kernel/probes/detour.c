// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: slots, with copies of a probed instruction and the detour of a jump.
 *
 *	sub	sp, sp, #PT_REGS_SIZE	the target of the jump
 *	stp	x29, x30, [sp, #S_FP]
 *	ldr	x30, =kprobe_detour
 *	blr	x30			which runs the handlers
 *	ldp	x29, x30, [sp, #S_FP]
 *	add	sp, sp, #PT_REGS_SIZE
 *	up to three instructions	that do the same as the probed one, and continue behind it
 *	the probed instruction		to be stepped; not if it is simulated, and then the
 *	brk				instructions above may be here
 *	.quad	kprobe_detour
 *	.quad	the site's kprobe
 *	.quad	an address that the instruction refers to
 *
 * If there are post handlers, the detour continues in another slot, the post slot, from its first
 * ldp on. Instructions that can be simulated are simulated instead.
 *
 *	ldp, add			as above
 *	the probed instruction
 *	sub, stp			as above
 *	ldr	x30, =kprobe_detour_post
 *	blr	x30			which runs the handlers
 *	ldp, add
 *	b				to the instruction behind the probed one
 *	.quad	kprobe_detour_post
 *	.quad	the site's kprobe
 *
 * A slot is within reach of a branch from and to the probed code, and to the target of the
 * instruction. If there is no memory there, the slot is anywhere, and has only the copy to be
 * stepped.
 *
 * Instructions with an entry in an exception table are only stepped: kprobe_fault_handler() moves
 * a fault to the probed instruction, for which there is the entry.
 */
#include <linux/errno.h>
#include <linux/extable.h>
#include <linux/kprobes.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/cacheflush.h>
#include <asm/cpufeature.h>
#include <asm/debug-monitors.h>
#include <asm/insn.h>

#include "decode-insn.h"
#include "private.h"

/**
 * struct slot_code - the code of a slot, before it is written
 * @slot: address of the slot
 * @len: number of instructions so far
 * @far: a branch does not reach its target
 * @value: stored at SLOT_VALUE
 * @code: the instructions
 */
struct slot_code {
	unsigned long slot;
	unsigned int len;
	bool far;
	u64 value;
	__le32 code[SLOT_LEN];
};

static unsigned long addr_in(const struct slot_code *s, unsigned int at)
{
	return s->slot + at * AARCH64_INSN_SIZE;
}

static void emit(struct slot_code *s, u32 insn)
{
	s->code[s->len++] = cpu_to_le32(insn);
}

static void emit_branch(struct slot_code *s, unsigned long target)
{
	unsigned long from = addr_in(s, s->len);
	long distance = target - from;

	if (distance < -SZ_128M || distance >= SZ_128M) {
		s->far = true;
		return;
	}
	emit(s, aarch64_insn_gen_branch_imm(from, target, AARCH64_INSN_BRANCH_NOLINK));
}

/* Emit a load of a word of 64 bits in the slot. */
static void emit_load(struct slot_code *s, unsigned int reg, unsigned int word)
{
	emit(s, aarch64_insn_gen_load_literal(addr_in(s, s->len), addr_in(s, word), reg, true));
}

static void emit_go_on(struct slot_code *s, unsigned long addr)
{
	emit_branch(s, addr + AARCH64_INSN_SIZE);
}

/* Emit code that replaces an instruction at @addr. These return 0, or -EINVAL if there is none. */

static int emit_same(struct slot_code *s, u32 insn, unsigned long addr)
{
	emit(s, insn);
	emit_go_on(s, addr);
	return 0;
}

static int emit_nothing(struct slot_code *s, u32 insn, unsigned long addr)
{
	emit_go_on(s, addr);
	return 0;
}

static int emit_adr(struct slot_code *s, u32 insn, unsigned long addr)
{
	s->value = kprobe_insn_adr(insn, addr);
	emit_load(s, kprobe_insn_rt(insn), SLOT_VALUE);
	emit_go_on(s, addr);
	return 0;
}

static int emit_b(struct slot_code *s, u32 insn, unsigned long addr)
{
	if (aarch64_insn_is_bl(insn)) {
		s->value = addr + AARCH64_INSN_SIZE;
		emit_load(s, AARCH64_INSN_REG_LR, SLOT_VALUE);
	}
	emit_branch(s, addr + aarch64_get_branch_offset(insn));
	return 0;
}

/* It branches over another branch, because it reaches less far. */
static int emit_conditional(struct slot_code *s, u32 insn, unsigned long addr)
{
	emit(s, aarch64_set_branch_offset(insn, 2 * AARCH64_INSN_SIZE));
	emit_go_on(s, addr);
	emit_branch(s, addr + aarch64_get_branch_offset(insn));
	return 0;
}

/*
 * A call becomes a branch. Slots are in pages that are not guarded, so it may lead to the landing
 * pad of a call. The target and its modifier cannot be in the link register.
 */
static int emit_branch_to_register(struct slot_code *s, u32 insn, unsigned long addr)
{
	if (!kprobe_insn_is_blr(insn)) {
		emit(s, insn);
		return 0;
	}
	if (kprobe_insn_rn(insn) == AARCH64_INSN_REG_LR ||
	    kprobe_insn_rt(insn) == AARCH64_INSN_REG_LR)
		return -EINVAL;
	s->value = addr + AARCH64_INSN_SIZE;
	emit_load(s, AARCH64_INSN_REG_LR, SLOT_VALUE);
	emit(s, kprobe_insn_blr_to_br(insn));
	return 0;
}

/* LDR and LDRSW. The loaded register holds the address first. */
static int emit_load_literal(struct slot_code *s, u32 insn, unsigned long addr)
{
	static const u32 load[] = {
		[LITERAL_32] = 0xb9400000,
		[LITERAL_64] = 0xf9400000,
		[LITERAL_SIGNED_32] = 0xb9800000,
	};
	unsigned int rt = kprobe_insn_rt(insn), opc = kprobe_insn_literal_opc(insn);

	/* Not for the zero register: as a base, its number means sp. */
	if (opc == LITERAL_PREFETCH || rt == AARCH64_INSN_REG_ZR)
		return emit_nothing(s, insn, addr);
	s->value = kprobe_insn_literal(insn, addr);
	emit_load(s, rt, SLOT_VALUE);
	emit(s, load[opc] | rt << 5 | rt);
	emit_go_on(s, addr);
	return 0;
}

static const struct {
	probes_handler_t *simulated_by;
	int (*emit)(struct slot_code *s, u32 insn, unsigned long addr);
} stand_ins[] = {
	{ simulate_adr, emit_adr },
	{ simulate_b, emit_b },
	{ simulate_b_cond, emit_conditional },
	{ simulate_cbz, emit_conditional },
	{ simulate_tbz, emit_conditional },
	{ simulate_br, emit_branch_to_register },
	{ simulate_br_auth, emit_branch_to_register },
	{ simulate_ldr_literal, emit_load_literal },
	{ simulate_nop, emit_nothing },
	{ simulate_mrs_daif, emit_same },
	{ simulate_mrs_pmr, emit_same },
	{ NULL, emit_same },
};

static int emit_stand_in(struct slot_code *s, const struct kprobe *p)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(stand_ins); i++) {
		if (stand_ins[i].simulated_by == p->ainsn.api.handler)
			break;
	}
	if (WARN_ON_ONCE(i == ARRAY_SIZE(stand_ins)))
		return -EINVAL;
	s->len = SLOT_COPIES;
	ret = stand_ins[i].emit(s, p->opcode, (unsigned long)p->addr);
	return s->far ? -ERANGE : ret;
}

/* Where slots may be */

struct reach {
	unsigned long first;
	unsigned long last;
};

static void keep_in_reach(struct reach *r, unsigned long addr)
{
	r->first = max(r->first, addr > BRANCH_REACH ? addr - BRANCH_REACH : 0);
	r->last = min(r->last, addr < ULONG_MAX - BRANCH_REACH ? addr + BRANCH_REACH : ULONG_MAX);
}

static bool is_direct_branch(probes_handler_t *simulated_by)
{
	return simulated_by == simulate_b || simulated_by == simulate_b_cond ||
	       simulated_by == simulate_cbz || simulated_by == simulate_tbz;
}

static kprobe_opcode_t *get_slot(const struct kprobe *p)
{
	unsigned long addr = (unsigned long)p->addr;
	struct reach r = { .last = ULONG_MAX };

	keep_in_reach(&r, addr);
	if (is_direct_branch(p->ainsn.api.handler))
		keep_in_reach(&r, addr + aarch64_get_branch_offset(p->opcode));
	return kprobe_get_slots_near(&kprobe_insn_slots, 1, r.first, r.last);
}

/*
 * Slots are read-only where they are executed, but not in the linear mapping. Other CPUs do not
 * execute the new code before they have synchronized, in text.c or by the return from the trap of a
 * breakpoint.
 */
static void write_code(kprobe_opcode_t *slot, const __le32 *code, unsigned int nr)
{
	void *writable = page_address(vmalloc_to_page(slot)) + offset_in_page(slot);

	memcpy(writable, code, nr * sizeof(*code));
	caches_clean_inval_pou((unsigned long)slot, (unsigned long)(slot + nr));
}

static void write_slot(struct kprobe *p, struct slot_code *s)
{
	struct arch_specific_insn *ainsn = &p->ainsn;

	memcpy(s->code, kprobe_slot_template, sizeof(s->code));
	ainsn->detour = !emit_stand_in(s, p);
	ainsn->boosted = ainsn->detour && !ainsn->api.handler;
	if (ainsn->boosted)
		ainsn->before_post = kprobe_simulator_before_post(p->opcode);
	if (!ainsn->api.handler) {
		s->code[SLOT_STEP] = cpu_to_le32(p->opcode);
		s->code[SLOT_STEP + 1] = cpu_to_le32(BRK64_OPCODE_KPROBES_SS);
	}
	*(u64 *)(s->code + SLOT_KPROBE) = (unsigned long)p;
	*(u64 *)(s->code + SLOT_VALUE) = s->value;
	write_code(ainsn->insn, s->code, SLOT_LEN);
}

/* Simulated instructions need no slot, only a detour does. */
static int make_near_slot(struct kprobe *p)
{
	struct slot_code s = { .slot = (unsigned long)get_slot(p) };

	if (!s.slot)
		return -ENOMEM;
	p->ainsn.insn = (kprobe_opcode_t *)s.slot;
	write_slot(p, &s);
	return 0;
}

/* Make a slot with only the copy to be stepped. */
static int make_step(struct kprobe *p)
{
	__le32 step[2] = { cpu_to_le32(p->opcode), cpu_to_le32(BRK64_OPCODE_KPROBES_SS) };

	p->ainsn.insn = get_insn_slot();
	if (!p->ainsn.insn)
		return -ENOMEM;
	write_code(p->ainsn.insn + SLOT_STEP, step, ARRAY_SIZE(step));
	return 0;
}

/**
 * kprobe_slot_make - make the slot of a probe
 * @p: the probe; its addr, opcode and ainsn.api are set. Its other ainsn is set here
 *
 * Context: kprobe_mutex held, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kprobe_slot_make(struct kprobe *p)
{
	if (search_exception_tables((unsigned long)p->addr))
		return make_step(p);
	if (!make_near_slot(p) || p->ainsn.api.handler)
		return 0;
	return make_step(p);
}

/* Jumps */

/* The target of an indirect call must be a landing pad. A breakpoint is one, a B is not. */
static bool is_landing_pad(u32 insn)
{
	return system_supports_bti_kernel() &&
	       (aarch64_insn_is_bti(insn) ||
		insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIASP) ||
		insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIBSP));
}

/**
 * arch_prepare_optimized_kprobe - check whether there can be a jump
 * @op: the site; its kp is prepared
 * @orig: the site's kprobe
 *
 * Context: kprobe_mutex held.
 * Return: 0; -ENOENT if the site has no detour, because no code can replace the instruction or
 * there was no memory within reach; -EINVAL if the instruction is a landing pad.
 */
int arch_prepare_optimized_kprobe(struct optimized_kprobe *op, struct kprobe *orig)
{
	if (!op->kp.ainsn.detour)
		return -ENOENT;
	if (is_landing_pad(op->kp.opcode))
		return -EINVAL;
	op->optinsn.insn = op->kp.ainsn.insn;
	return 0;
}

/* The post slot must be within reach of the next instruction. */
static int make_post_slot(struct optimized_kprobe *op)
{
	unsigned long addr = (unsigned long)op->kp.addr;
	struct slot_code s = { .len = POST_GO_ON };
	struct reach r = { .last = ULONG_MAX };
	kprobe_opcode_t *slot;

	keep_in_reach(&r, addr);
	slot = kprobe_get_slots_near(&kprobe_insn_slots, 1, r.first, r.last);
	if (!slot)
		return -ENOMEM;
	s.slot = (unsigned long)slot;
	memcpy(s.code, kprobe_post_slot_template, sizeof(s.code));
	s.code[POST_COPY] = cpu_to_le32(op->kp.opcode);
	emit_go_on(&s, addr);
	*(u64 *)(s.code + POST_KPROBE) = (unsigned long)&op->kp;
	write_code(slot, s.code, SLOT_LEN);
	WRITE_ONCE(op->kp.ainsn.post, slot - op->kp.ainsn.insn);
	return 0;
}

/**
 * arch_prepare_post_jump - prepare a jump for post handlers
 * @op: a prepared site, which may be hit meanwhile
 *
 * Hits use the post slot when the core has called arch_sync_post_jumps() and told them, also if
 * the site is not planted as a jump any more.
 *
 * Context: kprobe_mutex held; may sleep.
 * Return: 0; -ENOMEM.
 */
int arch_prepare_post_jump(struct optimized_kprobe *op)
{
	probes_handler_t *simulated_by = op->kp.ainsn.api.handler;

	if (op->kp.ainsn.before_post)
		return 0;
	return simulated_by && simulated_by != simulate_nop ? 0 : make_post_slot(op);
}

/**
 * arch_sync_post_jumps - let no CPU execute what was in post slots before they were written
 *
 * Context: may sleep.
 */
void arch_sync_post_jumps(void)
{
	kick_all_cpus_sync();
}

/**
 * arch_remove_optimized_kprobe - undo arch_prepare_optimized_kprobe(), arch_prepare_post_jump()
 * @op: the site; arch_remove_kprobe() frees the detour
 */
void arch_remove_optimized_kprobe(struct optimized_kprobe *op)
{
	struct arch_specific_insn *ainsn = &op->kp.ainsn;

	op->optinsn.insn = NULL;
	if (ainsn->post)
		kprobe_put_slots(&kprobe_insn_slots, ainsn->insn + ainsn->post, 1);
	ainsn->post = 0;
}

/**
 * arch_prepared_optinsn - is a site prepared for a jump?
 * @optinsn: part of the site
 *
 * Return: non-zero if arch_prepare_optimized_kprobe() has succeeded.
 */
int arch_prepared_optinsn(struct arch_optimized_insn *optinsn)
{
	return !!optinsn->insn;
}

/**
 * arch_check_optimized_kprobe - may a prepared site become a jump now?
 * @op: the site
 *
 * Return: 0.
 */
int arch_check_optimized_kprobe(struct optimized_kprobe *op)
{
	return 0;
}

/**
 * arch_within_optimized_kprobe - does a jump displace this address?
 * @op: a prepared site
 * @addr: an address
 *
 * Return: true if so.
 */
int arch_within_optimized_kprobe(struct optimized_kprobe *op, kprobe_opcode_t *addr)
{
	return addr == op->kp.addr;
}

static u32 jump_to_detour(const struct optimized_kprobe *op)
{
	return aarch64_insn_gen_branch_imm((unsigned long)op->kp.addr,
					   (unsigned long)(op->optinsn.insn + SLOT_DETOUR),
					   AARCH64_INSN_BRANCH_NOLINK);
}

/**
 * arch_optimize_kprobes - write jumps, over breakpoints or the probed instructions
 * @ops: prepared sites, linked by their list member
 *
 * Context: cpus_read_lock and text_mutex held; may sleep.
 */
void arch_optimize_kprobes(struct list_head *ops)
{
	struct optimized_kprobe *op;
	struct text_writes w;

	kprobe_text_begin(&w, list_count_nodes(ops));
	list_for_each_entry(op, ops, list)
		kprobe_text_write(&w, op->kp.addr, jump_to_detour(op));
	kprobe_text_end(&w);
}

/**
 * arch_unoptimize_kprobes - replace jumps by breakpoints
 * @ops: sites planted as jumps, linked by their list member
 * @done: receives the sites
 *
 * Context: as arch_optimize_kprobes().
 */
void arch_unoptimize_kprobes(struct list_head *ops, struct list_head *done)
{
	struct optimized_kprobe *op;
	struct text_writes w;

	kprobe_text_begin(&w, list_count_nodes(ops));
	list_for_each_entry(op, ops, list)
		kprobe_text_write(&w, op->kp.addr, BRK64_OPCODE_KPROBES);
	kprobe_text_end(&w);
	list_splice_tail_init(ops, done);
}
