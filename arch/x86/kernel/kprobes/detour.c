// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: plant jumps in place of breakpoints.
 *
 * The jump leads to a slot of the site, the detour:
 *
 *	.quad	the site's kprobe
 *	push	$__KERNEL_DS		the target of the jump; the first four pushes are
 *	push	%rsp			the upper end of a struct pt_regs
 *	pushf
 *	push	$__KERNEL_CS
 *	push	$(address + 1)		as at a breakpoint
 *	call	kprobe_detour		which runs the handlers
 *	lea	16(%rsp), %rsp
 *	popf
 *	pop	%rsp			handlers may have changed it
 *	the displaced instructions
 *	jmp	behind the displaced instructions
 *
 * If there are post handlers, the detour continues in another slot, the post slot, from the lea
 * on. Instructions that are emulated need no post slot, or only its end: the lea, popf and pop
 * behind the call.
 *
 *	.quad	the site's kprobe
 *	.long	address + 1
 *	lea, popf, pop			as above
 *	the probed instruction
 *	push, push, pushf, push		as above
 *	push	$(address behind the instruction)
 *	call	kprobe_detour_post	which runs the handlers
 *	lea, popf, pop
 *	jmp	the copy in the detour of the next instruction
 *
 * The slot of a pun, a jump whose last bytes are those of instructions that stay in place, is
 * where the jump leads to. Other slots are where there is room. If there is neither room for a jump
 * nor a slot for a pun, a jump of two bytes leads to the detour by way of a relay, see relay.c.
 *
 * No task may be at one of the displaced instructions when the jump is written. For that, the
 * core first lets all hits of the breakpoint continue at the detour's copies, and then waits
 * for tasks that were there before. A breakpoint becomes a jump in two writes, the tail and
 * the first byte, with a sync of all CPUs after each. The way back is the same in reverse
 * order.
 */
#include <linux/errno.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/perf_event.h>
#include <linux/memory.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/text-patching.h>

#include "detour.h"
#include "private.h"

static const u8 detour_frame[DETOUR_COPIES - DETOUR_START] = {
	0x6a, __KERNEL_DS,
	0x54,
	0x9c,
	0x6a, __KERNEL_CS,
	0x68, 0, 0, 0, 0,
	CALL_INSN_OPCODE, 0, 0, 0, 0,
	0x48, 0x8d, 0x64, 0x24, 0x10,
	0x9d,
	0x5c,
};

static_assert(DETOUR_CALL + CALL_INSN_SIZE == DETOUR_BACK);
static_assert(POST_CALL + CALL_INSN_SIZE == POST_BACK);
static_assert(POST_COPY(MAX_INSN_SIZE - 1) + POST_ENTRY >= POST_IP + (int)sizeof(s32));
static_assert(POST_GO_ON + JMP32_INSN_SIZE <= KPROBE_OPTINSN_SLOT_SIZE);
static_assert(KPROBE_FAR_SLOT_SIZE == KPROBE_OPTINSN_SLOT_SIZE);

/**
 * struct detour_code - the code of a detour, before it is written
 * @slot: address of the slot
 * @nr_slots: number of slots
 * @size: size of the slots
 * @len: bytes so far
 * @far: a branch does not reach its target
 * @copies: offsets of the copies
 * @code: the code
 */
struct detour_code {
	unsigned long slot;
	unsigned int nr_slots;
	unsigned int size;
	unsigned int len;
	bool far;
	struct kprobe_copies copies;
	u8 code[MAX_OPTINSN_SIZE];
};

static void *room(struct detour_code *d, unsigned int len)
{
	void *at = d->code + d->len;

	/* emit_region() returns an error in the end if it is too long. */
	if (d->len + len > d->size)
		at = d->code;
	d->len += len;
	return at;
}

static void emit(struct detour_code *d, const u8 *bytes, unsigned int len)
{
	memcpy(room(d, len), bytes, len);
}

/* Emit an instruction that ends in a displacement of 32 bits to @target. */
static void emit_branch(struct detour_code *d, const u8 *opcode, unsigned int len,
			unsigned long target)
{
	long distance;
	s32 disp;

	emit(d, opcode, len);
	distance = target - (d->slot + d->len + sizeof(disp));
	disp = distance;
	d->far |= disp != distance;
	emit(d, (const u8 *)&disp, sizeof(disp));
}

static void emit_jump(struct detour_code *d, unsigned long target)
{
	static const u8 jmp = JMP32_INSN_OPCODE;

	emit_branch(d, &jmp, 1, target);
}

/* Addresses of kernel text are sign-extended. */
static void emit_push_address(struct detour_code *d, unsigned long addr)
{
	u8 push[5] = { 0x68 };
	s32 low = addr;

	memcpy(push + 1, &low, sizeof(low));
	emit(d, push, sizeof(push));
}

/* Conditional jumps become long ones. */
static void emit_jcc(struct detour_code *d, unsigned int cond, unsigned long target)
{
	u8 jcc[2] = { 0x0f, 0x80 | cond };

	emit_branch(d, jcc, sizeof(jcc), target);
}

/* loop and jcxz have no long form, so the copy jumps to a jump. */
static void emit_loop(struct detour_code *d, const struct probed_text *text,
		      unsigned long target)
{
	static const u8 over[2] = { JMP8_INSN_OPCODE, JMP32_INSN_SIZE };
	u8 *loop = room(d, text->insn.length);

	memcpy(loop, text->buf, text->insn.length);
	loop[text->insn.length - 1] = sizeof(over);
	emit(d, over, sizeof(over));
	emit_jump(d, target);
}

static void emit_relative(struct detour_code *d, const struct probed_text *text,
			  unsigned long addr)
{
	unsigned long next = addr + text->insn.length;
	unsigned long target = next + text->insn.immediate.value;
	unsigned int opcode = kprobe_insn_opcode(&text->insn);

	switch (opcode) {
	case 0xe0 ... 0xe3:
		emit_loop(d, text, target);
		break;
	case 0xe8:
		emit_push_address(d, next);
		emit_jump(d, target);
		break;
	case 0xe9:
	case 0xeb:
		emit_jump(d, target);
		break;
	default:
		emit_jcc(d, opcode & 0xf, target);
	}
}

/*
 * Where returns and indirect branches are predicted from the lower half of a cache line (ITS), the
 * kernel has none there, but thunks in their place. Those in the upper half may be copied to
 * wherever the detour is.
 */
static bool is_misplaced_return(const struct detour_code *d, const struct probed_text *text,
				unsigned long addr)
{
	return kprobe_insn_opcode(&text->insn) == RET_INSN_OPCODE &&
	       !cpu_wants_rethunk_at((void *)addr) &&
	       cpu_wants_rethunk_at((void *)d->slot + d->len);
}

static bool is_misplaced_branch(const struct probed_text *text, unsigned long to)
{
	return cpu_feature_enabled(X86_FEATURE_INDIRECT_THUNK_ITS) && !(to & 0x20) &&
	       kprobe_insn_is_indirect(&text->insn);
}

static int emit_copy(struct detour_code *d, const struct probed_text *text, unsigned long addr)
{
	unsigned long to = d->slot + d->len;

	if (is_misplaced_branch(text, to))
		return -EINVAL;
	return kprobe_insn_copy(room(d, text->insn.length), text, addr, to);
}

/* Push the return address and jump. Not possible if the operand depends on the stack pointer. */
static int emit_indirect_call(struct detour_code *d, const struct probed_text *text,
			      unsigned long addr)
{
	struct probed_text jump = *text;
	u8 *modrm = &jump.buf[insn_offset_modrm(&jump.insn)];

	if (kprobe_insn_uses_stack_pointer(&text->insn))
		return -EINVAL;
	/* /2 is the call, /4 the jump. */
	*modrm = (*modrm & ~0x38) | 4 << 3;
	emit_push_address(d, addr + text->insn.length);
	return emit_copy(d, &jump, addr);
}

static int emit_insn(struct detour_code *d, const struct probed_text *text, unsigned long addr)
{
	const struct insn *insn = &text->insn;

	if (kprobe_insn_is_relative(insn)) {
		emit_relative(d, text, addr);
		return 0;
	}
	if (kprobe_insn_is_call(insn))
		return emit_indirect_call(d, text, addr);
	if (is_misplaced_return(d, text, addr)) {
		emit_jump(d, (unsigned long)x86_return_thunk);
		return 0;
	}
	return emit_copy(d, text, addr);
}

/* The copy that is emitted next is of the instruction at @offset from the probed one. */
static void note_copy(struct detour_code *d, unsigned int offset, bool call)
{
	struct kprobe_copies *copies = &d->copies;

	copies->copy[copies->nr++] = (struct kprobe_copy){
		.at = d->len,
		.of = offset,
		.call = call,
	};
}

static int emit_region(struct detour_code *d, const struct kprobe_region *r)
{
	struct probed_text text;
	unsigned long pos;
	int ret;

	for (pos = r->start; pos < r->end; pos += text.insn.length) {
		ret = kprobe_insn_read(&text, pos, r->end);
		if (ret < 0)
			return ret;
		note_copy(d, pos - r->start, kprobe_insn_is_call(&text.insn));
		ret = emit_insn(d, &text, pos);
		if (ret)
			return ret;
	}
	note_copy(d, r->end - r->start, false);
	if (r->runs_on)
		emit_jump(d, r->end);
	if (d->far)
		return -ERANGE;
	return d->len > d->size ? -E2BIG : 0;
}

static int write_detour(struct detour_code *d, const struct kprobe_region *r, struct kprobe *p)
{
	s32 ip = r->start + INT3_INSN_SIZE;
	int ret;

	memset(d->code, INT3_INSN_OPCODE, sizeof(d->code));
	emit(d, (const u8 *)&p, sizeof(p));
	emit(d, detour_frame, sizeof(detour_frame));
	memcpy(d->code + DETOUR_IP, &ip, sizeof(ip));
	__text_gen_insn(d->code + DETOUR_CALL, CALL_INSN_OPCODE, (void *)d->slot + DETOUR_CALL,
			kprobe_detour, CALL_INSN_SIZE);
	scoped_guard(mutex, &text_mutex)
		ret = emit_region(d, r);
	if (ret)
		return ret;
	/* No sync: it is reached only from text that is synced later. */
	text_poke_copy((void *)d->slot, d->code, d->size);
	return 0;
}

/* Each step writes the text of all sites of a list, and then syncs all CPUs. */

static void write_text(struct optimized_kprobe *op, unsigned int at, const u8 *bytes,
		       unsigned int len)
{
	kprobe_test_step();
	text_poke(op->kp.addr + at, bytes, len);
	kprobe_delay_point(DELAY_JUMP_BYTES_WRITTEN);
	kprobe_test_step();
}

static u8 jump_opcode(const struct optimized_kprobe *op)
{
	return op->optinsn.relay ? JMP8_INSN_OPCODE : JMP32_INSN_OPCODE;
}

static unsigned int jump_size(const struct optimized_kprobe *op)
{
	return op->optinsn.relay ? JMP8_INSN_SIZE : JMP32_INSN_SIZE;
}

static void write_first_bytes(struct list_head *ops, bool jump)
{
	struct optimized_kprobe *op;
	u8 opcode;

	list_for_each_entry(op, ops, list) {
		opcode = jump ? jump_opcode(op) : INT3_INSN_OPCODE;
		write_text(op, 0, &opcode, 1);
		cond_resched();
	}
	text_poke_sync();
}

static void jump_to_detour(const struct optimized_kprobe *op, u8 *jump)
{
	__text_gen_insn(jump, jump_opcode(op), op->kp.addr,
			op->optinsn.relay ?: op->optinsn.insn + DETOUR_START, jump_size(op));
}

static void tell_perf(struct optimized_kprobe *op, bool jump)
{
	u8 to[JMP32_INSN_SIZE], with[JMP32_INSN_SIZE];
	unsigned int size = jump_size(op);

	jump_to_detour(op, to);
	with[0] = INT3_INSN_OPCODE;
	memcpy(with + 1, op->optinsn.copied_insn, DISP32_SIZE);
	if (jump)
		perf_event_text_poke(op->kp.addr, with, size, to, size);
	else
		perf_event_text_poke(op->kp.addr, to, size, with, size);
}

/**
 * arch_optimize_kprobes - replace breakpoints by jumps
 * @ops: prepared sites, linked by their list member, planted as breakpoints; no CPU or task
 *	is at an instruction that a jump displaces, and hits continue in the detours
 *
 * Context: cpus_read_lock and text_mutex held; may sleep.
 */
void arch_optimize_kprobes(struct list_head *ops)
{
	struct optimized_kprobe *op;
	u8 jump[JMP32_INSN_SIZE];

	list_for_each_entry(op, ops, list) {
		tell_perf(op, true);
		jump_to_detour(op, jump);
		write_text(op, 1, jump + 1, jump_size(op) - 1);
		cond_resched();
	}
	text_poke_sync();
	write_first_bytes(ops, true);
}

/**
 * arch_unoptimize_kprobes - replace jumps by breakpoints
 * @ops: sites planted as jumps, linked by their list member
 * @done: receives the sites
 *
 * Hits continue in the detours until the core clears KPROBE_FLAG_OPTIMIZED.
 *
 * Context: as arch_optimize_kprobes().
 */
void arch_unoptimize_kprobes(struct list_head *ops, struct list_head *done)
{
	struct optimized_kprobe *op;

	write_first_bytes(ops, false);
	list_for_each_entry(op, ops, list) {
		write_text(op, 1, op->optinsn.copied_insn, jump_size(op) - 1);
		tell_perf(op, false);
		cond_resched();
	}
	text_poke_sync();
	list_splice_tail_init(ops, done);
}

/* Preparing */

/* The call in the slot must reach kprobe_detour(), which is far below the highest address. */
static unsigned long lowest_slot(void)
{
	return (unsigned long)kprobe_detour - SZ_2G + PAGE_SIZE;
}

static kprobe_opcode_t *get_slots(const struct kprobe_region *r, unsigned int nr)
{
	if (!kprobe_is_pun(r))
		return kprobe_get_slots(&kprobe_optinsn_slots, nr);
	return kprobe_far_slot_get(max(r->first - DETOUR_START, lowest_slot()),
				   r->last - DETOUR_START);
}

static void put_slots(kprobe_opcode_t *slot, unsigned int nr)
{
	if (!kprobe_far_slot_put(slot))
		kprobe_put_slots(&kprobe_optinsn_slots, slot, nr);
}

static int make_detour(struct detour_code *d, const struct kprobe_region *r, struct kprobe *p,
		       unsigned int nr_slots)
{
	kprobe_opcode_t *slot = get_slots(r, nr_slots);
	int ret;

	if (!slot)
		return kprobe_is_pun(r) ? -ENOSPC : -ENOMEM;
	*d = (struct detour_code){
		.slot = (unsigned long)slot,
		.nr_slots = nr_slots,
		.size = kprobe_is_pun(r) ? KPROBE_FAR_SLOT_SIZE :
					   nr_slots * KPROBE_OPTINSN_SLOT_SIZE,
	};
	ret = write_detour(d, r, p);
	if (ret)
		put_slots(slot, nr_slots);
	return ret;
}

/* For tests: jumps have two bytes if the instructions have. */
VISIBLE_IF_KUNIT bool kprobe_relay_always;

static int prepare_jump(struct optimized_kprobe *op, const struct kprobe_region *r,
			struct detour_code *d)
{
	int ret = make_detour(d, r, &op->kp, 1);

	if (ret == -E2BIG && !kprobe_is_pun(r))
		ret = make_detour(d, r, &op->kp, MAX_DETOUR_SLOTS);
	if (ret)
		return ret;
	guard(mutex)(&text_mutex);
	kprobe_text_read(op->optinsn.copied_insn, r->start + 1, DISP32_SIZE);
	op->optinsn.copies = d->copies;
	op->optinsn.insn = (kprobe_opcode_t *)d->slot;
	op->optinsn.nr_slots = d->nr_slots;
	op->optinsn.size = max_t(u8, r->end - r->start, JMP32_INSN_SIZE);
	return 0;
}

static int prepare_by_relay(struct optimized_kprobe *op, struct detour_code *d)
{
	unsigned long addr = (unsigned long)op->kp.addr;
	struct kprobe_region region;
	kprobe_opcode_t *relay;
	int ret;

	scoped_guard(mutex, &text_mutex)
		relay = kprobe_relay_find(addr);
	if (!relay)
		return -ENOSPC;
	ret = kprobe_region_of_insn(addr, &region) ?: prepare_jump(op, &region, d);
	if (ret)
		return ret;
	kprobe_relay_write(relay, op->optinsn.insn + DETOUR_START);
	op->optinsn.relay = relay;
	op->optinsn.size = region.end - region.start;
	return 0;
}

static int prepare_directly(struct optimized_kprobe *op, struct detour_code *d)
{
	struct kprobe_region region;

	if (kprobe_relay_always)
		return -ENOSPC;
	return kprobe_region_find((unsigned long)op->kp.addr, &region) ?:
	       prepare_jump(op, &region, d);
}

/**
 * arch_prepare_optimized_kprobe - check whether there can be a jump, and prepare for it
 * @op: the site; its kp is prepared
 * @orig: the site's kprobe
 *
 * Context: kprobe_mutex held; takes text_mutex, may sleep.
 * Return: 0; -ENOMEM if there is no memory now; or, if there is no room for a relay either: the
 * error of kprobe_region_find(); -ENOSPC if a pun has no slot where it has to lead to, for want of
 * room or of memory; -ERANGE or -EINVAL if operands or targets of the instructions are out of
 * reach; -E2BIG if the detour would be too long.
 */
int arch_prepare_optimized_kprobe(struct optimized_kprobe *op, struct kprobe *orig)
{
	struct detour_code *d __free(kfree) = kzalloc(sizeof(*d), GFP_KERNEL);
	int direct, ret;

	if (!d)
		return -ENOMEM;
	direct = prepare_directly(op, d);
	if (!direct || direct == -ENOMEM)
		return direct;
	ret = prepare_by_relay(op, d);
	return !ret || ret == -ENOMEM ? ret : direct;
}

/* Post handlers */

/* In reach of the detour, which may be that of a pun. */
static kprobe_opcode_t *get_post_slot(const struct optimized_kprobe *op)
{
	unsigned long near = (unsigned long)op->optinsn.insn;

	if (!kprobe_far_slot_find(near))
		return kprobe_get_slots(&kprobe_optinsn_slots, 1);
	return kprobe_far_slot_get(max(near - SZ_1G, lowest_slot()),
				   min(near, ULONG_MAX - SZ_1G) + SZ_1G);
}

static void emit_post_frame(struct detour_code *d, const struct kprobe *p)
{
	s32 behind = (unsigned long)p->addr + p->ainsn.size;

	d->len = POST_FRAME;
	emit(d, detour_frame, sizeof(detour_frame));
	memcpy(d->code + POST_FRAME + DETOUR_IP - DETOUR_START, &behind, sizeof(behind));
	__text_gen_insn(d->code + POST_CALL, CALL_INSN_OPCODE, (void *)d->slot + POST_CALL,
			kprobe_detour_post, CALL_INSN_SIZE);
}

static int emit_post(struct detour_code *d, struct optimized_kprobe *op)
{
	const struct kprobe_copies *copies = &op->optinsn.copies;
	unsigned long addr = (unsigned long)op->kp.addr;
	s32 ip = addr + INT3_INSN_SIZE;
	struct kprobe *p = &op->kp;
	struct probed_text text;
	int ret;

	memset(d->code, INT3_INSN_OPCODE, sizeof(d->code));
	memcpy(d->code + POST_KPROBE, &p, sizeof(p));
	memcpy(d->code + POST_IP, &ip, sizeof(ip));
	d->len = POST_COPY(p->ainsn.size) + POST_ENTRY;
	emit(d, detour_frame + DETOUR_BACK - DETOUR_START, DETOUR_COPIES - DETOUR_BACK);
	scoped_guard(mutex, &text_mutex) {
		ret = kprobe_insn_read(&text, addr, addr + p->ainsn.size);
		if (ret >= 0)
			ret = emit_copy(d, &text, addr);
	}
	if (ret < 0)
		return ret;
	emit_post_frame(d, p);
	emit_jump(d, (unsigned long)op->optinsn.insn + copies->copy[1].at);
	return d->far ? -ERANGE : 0;
}

static void write_post(struct detour_code *d, struct optimized_kprobe *op)
{
	text_poke_copy((void *)d->slot, d->code, d->size);
	WRITE_ONCE(op->optinsn.post, d->slot + POST_COPY(op->kp.ainsn.size) -
				     (unsigned long)op->optinsn.insn);
}

/**
 * arch_prepare_post_jump - prepare a jump for post handlers
 * @op: a prepared site, which may be hit meanwhile
 *
 * Hits use the post slot when the core has called arch_sync_post_jumps() and told them, also if
 * the site is not planted as a jump any more.
 *
 * Context: kprobe_mutex held; takes text_mutex, may sleep.
 * Return: 0; -EOPNOTSUPP if the instruction has to be stepped; -ENOMEM; -ERANGE if its operand is
 * out of reach.
 */
int arch_prepare_post_jump(struct optimized_kprobe *op)
{
	struct detour_code *d __free(kfree) = NULL;
	kprobe_opcode_t *slot;
	int ret;

	if (!op->kp.ainsn.boosted && !kprobe_emulation_is_optional(&op->kp.ainsn))
		return op->kp.ainsn.emulate ? 0 : -EOPNOTSUPP;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	slot = d ? get_post_slot(op) : NULL;
	if (!slot)
		return -ENOMEM;
	d->slot = (unsigned long)slot;
	d->nr_slots = 1;
	d->size = KPROBE_OPTINSN_SLOT_SIZE;
	ret = emit_post(d, op);
	if (ret)
		put_slots(slot, 1);
	else
		write_post(d, op);
	return ret;
}

/**
 * arch_sync_post_jumps - let no CPU execute what was in post slots before they were written
 *
 * Context: may sleep.
 */
void arch_sync_post_jumps(void)
{
	text_poke_sync();
}

/**
 * arch_remove_optimized_kprobe - undo arch_prepare_optimized_kprobe()
 * @op: the site; no task is in its detour or in its post slot
 */
void arch_remove_optimized_kprobe(struct optimized_kprobe *op)
{
	kprobe_opcode_t *post = kprobe_copy_before_post(op);

	if (!op->optinsn.size)
		return;
	op->optinsn.size = 0;
	if (op->optinsn.relay)
		kprobe_relay_put(op->optinsn.relay);
	op->optinsn.relay = NULL;
	if (post)
		put_slots(post - POST_COPY(op->kp.ainsn.size), 1);
	put_slots(op->optinsn.insn, op->optinsn.nr_slots);
}

/**
 * arch_prepared_optinsn - is a site prepared for a jump?
 * @optinsn: part of the site
 *
 * Return: non-zero if arch_prepare_optimized_kprobe() has succeeded.
 */
int arch_prepared_optinsn(struct arch_optimized_insn *optinsn)
{
	return optinsn->size;
}

/**
 * arch_check_optimized_kprobe - may a prepared site become a jump now?
 * @op: the site
 *
 * Return: 0; the core checks for other sites among the displaced instructions.
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
	return addr >= op->kp.addr && addr < op->kp.addr + op->optinsn.size;
}

/**
 * kprobe_detour_undo - remove jumps from a copy of text
 * @buf: the copy
 * @addr: address of the text, the start of an instruction
 * @len: length of the text
 *
 * Context: text_mutex held.
 */
void kprobe_detour_undo(u8 *buf, unsigned long addr, int len)
{
	const struct optimized_kprobe *op;
	const struct kprobe *p;
	int back, i;

	for (back = 0; back < JMP32_INSN_SIZE; back++) {
		p = get_kprobe((void *)addr - back);
		if (!p || !kprobe_optimized(p))
			continue;
		op = container_of(p, struct optimized_kprobe, kp);
		for (i = 0; i < len && back + i < jump_size(op); i++)
			buf[i] = back + i ? op->optinsn.copied_insn[back + i - 1] : p->opcode;
	}
}
