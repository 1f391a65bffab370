// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the state that handlers of arm64 kernel probes see and change: exception masks,
 * other bits of PSTATE, and registers. With each kind of hit.
 */
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/mman.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>
#include <asm/daifflags.h>
#include <asm/sysreg.h>

#include "../../../../kernel/kprobes/internal.h"

#include "insn_kunit.h"
#include "private.h"

void __user *insn_test_user;

/* No register of a snippet has this value. */
#define CHANGE	0x1122334455667788UL

/**
 * struct seen - the state that a handler saw
 * @hits: runs of the handler
 * @pstate: PSTATE in the saved registers
 * @daif: the exception masks of the CPU
 * @sp: sp in the saved registers, relative to insn_test_sp
 * @pan: PSTATE.PAN of the CPU
 * @preemptible: runs with preemption on
 * @unwatched: runs with RCU not watching
 */
struct seen {
	int hits;
	u64 pstate;
	u64 daif;
	u64 sp;
	u64 pan;
	int preemptible;
	int unwatched;
};

/* Written by the handlers, and by the test while nothing is hit. */
static struct seen pre_saw, post_saw;

/* Changes registers in a handler, or NULL; and the number of the register. */
static void (*change)(struct pt_regs *regs);
static bool change_behind;
static unsigned int changed_reg;

static void note(struct seen *seen, struct pt_regs *regs)
{
	seen->hits++;
	seen->pstate = regs->pstate;
	seen->daif = read_sysreg(daif);
	seen->sp = regs->sp - insn_test_sp;
	if (system_uses_hw_pan())
		seen->pan = read_sysreg_s(SYS_PSTATE_PAN);
	seen->preemptible += !preempt_count();
	seen->unwatched += !rcu_is_watching();
}

NOKPROBE_SYMBOL(note);

static int note_pre(struct kprobe *kp, struct pt_regs *regs)
{
	note(&pre_saw, regs);
	if (change && !change_behind)
		change(regs);
	return regs->pc != (unsigned long)kp->addr;
}

NOKPROBE_SYMBOL(note_pre);

static void note_post(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
	note(&post_saw, regs);
	if (change && change_behind)
		change(regs);
}

NOKPROBE_SYMBOL(note_post);

/**
 * struct method - how handlers are called, and how the instruction is run
 * @name: its name
 * @snippet: name of the snippet
 * @post: the probe has a post handler
 * @jump: it is planted as a jump
 */
struct method {
	const char *name;
	const char *snippet;
	bool post;
	bool jump;
};

static const struct method methods[] = {
	{ "breakpoint, simulated", "simulated" },
	{ "breakpoint, simulated, post handler", "simulated", .post = true },
	{ "breakpoint, boosted", "boosted" },
	{ "breakpoint, stepped", "boosted", .post = true },
#ifdef CONFIG_OPTPROBES
	{ "jump, simulated", "simulated", .jump = true },
	{ "jump, boosted", "boosted", .jump = true },
	{ "jump, simulated, post handler", "simulated", .post = true, .jump = true },
	{ "jump, boosted, post handler", "boosted", .post = true, .jump = true },
#endif
};

KUNIT_ARRAY_PARAM_DESC(method, methods, name);

static const struct insn_test_case *find_snippet(struct kunit *test, const char *name)
{
	const struct insn_test_case *c;

	for (c = insn_test_states; c < insn_test_states_end; c++) {
		if (!strcmp(c->name + strlen("insn_test_state_"), name))
			return c;
	}
	KUNIT_FAIL_AND_ABORT(test, "no snippet %s", name);
	return NULL;
}

static void drop_kprobe(void *kp)
{
	unregister_kprobe(kp);
	insn_test_allow_jumps(true);
}

static struct kprobe *plant(struct kunit *test, const struct insn_test_case *c, bool post,
			    bool jump)
{
	struct kprobe *kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->addr = insn_test_addr(c);
	kp->pre_handler = note_pre;
	kp->post_handler = post ? note_post : NULL;
	insn_test_allow_jumps(jump);
	KUNIT_ASSERT_EQ(test, register_kprobe(kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kprobe, kp));
	KUNIT_ASSERT_EQ(test, aarch64_insn_is_b(le32_to_cpu(*(__le32 *)kp->addr)), jump);
	return kp;
}

static struct kprobe *running_kprobe(void)
{
	guard(preempt)();
	return kprobe_running();
}

static void forget(void)
{
	pre_saw = (struct seen){ };
	post_saw = (struct seen){ };
	insn_test_simd = 0;
}

/*
 * The output without the stack and its depth, which depend on the caller. insn_kunit.c compares
 * these.
 */
static struct insn_test_state run(const struct insn_test_case *c)
{
	struct insn_test_state out;

	forget();
	insn_test_out = (struct insn_test_state){ };
	insn_test_run(c->entry);
	out = insn_test_out;
	out.sp -= insn_test_sp;
	out.regs[18] = 0;
	memset(out.stack, 0, sizeof(out.stack));
	return out;
}

/* One hit. */
static struct insn_test_state hit_once(struct kunit *test, const struct insn_test_case *c,
				       bool post)
{
	struct insn_test_state out;
	int count = preempt_count();

	out = run(c);
	KUNIT_EXPECT_EQ(test, pre_saw.hits, 1);
	KUNIT_EXPECT_EQ(test, post_saw.hits, post);
	KUNIT_EXPECT_EQ(test, preempt_count(), count);
	KUNIT_EXPECT_PTR_EQ(test, running_kprobe(), NULL);
	return out;
}

static void expect_same(struct kunit *test, const struct insn_test_state *now,
			const struct insn_test_state *good, const char *what)
{
	const u64 *a = (const u64 *)now, *b = (const u64 *)good;
	unsigned int i;

	for (i = 0; i < sizeof(*now) / sizeof(*a); i++)
		KUNIT_EXPECT_EQ_MSG(test, a[i], b[i], "word %u, %s", i, what);
}

static void expect_proper(struct kunit *test, const struct seen *seen, u64 daif)
{
	KUNIT_EXPECT_EQ(test, seen->preemptible, 0);
	KUNIT_EXPECT_EQ(test, seen->unwatched, 0);
	KUNIT_EXPECT_EQ(test, seen->sp, 0);
	KUNIT_EXPECT_EQ(test, seen->daif, daif);
	if (system_uses_hw_pan())
		KUNIT_EXPECT_EQ(test, seen->pan, PSR_PAN_BIT);
}

/* Exceptions mask more, so only faults can interrupt a handler. */
static u64 masks_in_handler(const struct method *m, u64 masks)
{
	return m->jump ? masks : DAIF_MASK;
}

static void hit_with_masks(struct kunit *test, const struct insn_test_case *c,
			   const struct method *m, u64 masks)
{
	struct insn_test_state out;
	unsigned long flags;

	insn_test_set_input(5);
	/* All in C, so that lockdep knows, and then each alone. */
	flags = local_daif_save();
	write_sysreg(masks, daif);
	out = run(c);
	write_sysreg(DAIF_MASK, daif);
	local_daif_restore(flags);

	KUNIT_EXPECT_EQ(test, pre_saw.hits, 1);
	KUNIT_EXPECT_EQ(test, post_saw.hits, m->post);
	KUNIT_EXPECT_EQ(test, out.daif, masks);
	KUNIT_EXPECT_EQ(test, pre_saw.pstate & DAIF_MASK, masks);
	expect_proper(test, &pre_saw, masks_in_handler(m, masks));
	if (!m->post)
		return;
	KUNIT_EXPECT_EQ(test, post_saw.pstate & DAIF_MASK, masks);
	expect_proper(test, &post_saw, masks_in_handler(m, masks));
}

/* Masks that include interrupts. Others would enable them, and lockdep knows that they are off. */
static void keeps_masks(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);
	unsigned int others;
	u64 masks;

	plant(test, c, m->post, m->jump);
	for (others = 0; others < 8; others++) {
		masks = PSR_I_BIT;
		masks |= others & 1 ? PSR_F_BIT : 0;
		masks |= others & 2 ? PSR_A_BIT : 0;
		masks |= others & 4 ? PSR_D_BIT : 0;
		hit_with_masks(test, c, m, masks);
	}
}

/* The same with interrupts on. */
static void keeps_interrupts_on(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);
	struct insn_test_state out;

	plant(test, c, m->post, m->jump);
	insn_test_set_input(10);
	out = hit_once(test, c, m->post);
	KUNIT_EXPECT_EQ(test, out.daif & PSR_I_BIT, 0);
	KUNIT_EXPECT_EQ(test, out.daif, pre_saw.pstate & DAIF_MASK);
	expect_proper(test, &pre_saw, masks_in_handler(m, out.daif));
	if (m->post)
		KUNIT_EXPECT_EQ(test, out.daif, post_saw.pstate & DAIF_MASK);
}

/* The pre handler sees the flags before the instruction, the post handler those after it. */
static void sees_flags(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);
	struct insn_test_state out;
	unsigned int nr;
	u64 nzcv;

	plant(test, c, m->post, m->jump);
	for (nr = 0; nr < 16; nr++) {
		insn_test_set_input(nr);
		nzcv = insn_test_in.nzcv;
		out = hit_once(test, c, m->post);
		KUNIT_EXPECT_EQ(test, out.nzcv, nzcv);
		KUNIT_EXPECT_EQ(test, pre_saw.pstate & (0xfUL << 28), nzcv);
		if (m->post)
			KUNIT_EXPECT_EQ(test, post_saw.pstate & (0xfUL << 28), nzcv);
	}
}

static void change_register(struct pt_regs *regs)
{
	regs->regs[changed_reg] ^= CHANGE;
}

NOKPROBE_SYMBOL(change_register);

static void change_flags(struct pt_regs *regs)
{
	regs->pstate ^= PSR_N_BIT | PSR_C_BIT;
}

NOKPROBE_SYMBOL(change_flags);

static void change_sp(struct pt_regs *regs)
{
	regs->sp += 16;
}

NOKPROBE_SYMBOL(change_sp);

static void stop_changing(void *unused)
{
	change = NULL;
}

/* Change one register after the other, before or after an instruction that changes none. */
static void change_all(struct kunit *test, const struct insn_test_case *c, bool post)
{
	struct insn_test_state good, now;

	for (changed_reg = 0; changed_reg < 31; changed_reg++) {
		/* Exceptions use x18. */
		if (changed_reg == 18)
			continue;
		insn_test_set_input(3);
		change = NULL;
		good = hit_once(test, c, post);
		good.regs[changed_reg] ^= CHANGE;
		change = change_register;
		now = hit_once(test, c, post);
		expect_same(test, &now, &good, "register");
	}
	insn_test_set_input(3);
	change = change_flags;
	now = hit_once(test, c, post);
	KUNIT_EXPECT_EQ(test, now.nzcv, insn_test_in.nzcv ^ (PSR_N_BIT | PSR_C_BIT));
	change = change_sp;
	now = hit_once(test, c, post);
	/* A return from an exception in the kernel does not change it, so no method does. */
	KUNIT_EXPECT_EQ(test, now.sp, 0);
}

static void changes_take_effect(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);

	plant(test, c, m->post, m->jump);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, stop_changing, NULL));
	change_behind = false;
	change_all(test, c, m->post);
	change_behind = true;
	if (m->post)
		change_all(test, c, m->post);
}

static void leave_snippet(struct pt_regs *regs)
{
	regs->regs[27] = CHANGE;
	regs->pc = (unsigned long)insn_test_elsewhere;
}

NOKPROBE_SYMBOL(leave_snippet);

/* A pre handler may skip the instruction and the post handler, and continue elsewhere. */
static void goes_elsewhere(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);
	struct insn_test_state good, now;

	insn_test_set_input(6);
	good = run(c);
	good.regs[26] = INSN_TEST_WAS_ELSEWHERE;
	good.regs[27] = CHANGE;

	plant(test, c, m->post, m->jump);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, stop_changing, NULL));
	change_behind = false;
	change = leave_snippet;
	now = hit_once(test, c, false);
	expect_same(test, &now, &good, m->name);
	/* No state is left behind. */
	change = NULL;
	hit_once(test, c, m->post);
}

#define PSTATE_DIT_REG	sys_reg(3, 3, 4, 2, 5)
#define PSTATE_SSBS_REG	sys_reg(3, 3, 4, 2, 6)

/* Bits of PSTATE that handlers do not see. Compilers and mitigations set them. */
static unsigned long hidden_bits(void)
{
	unsigned long bits = 0;

	if (cpus_have_final_cap(ARM64_HAS_DIT))
		bits |= read_sysreg_s(PSTATE_DIT_REG) & PSR_DIT_BIT;
	if (cpus_have_final_cap(ARM64_SSBS))
		bits |= read_sysreg_s(PSTATE_SSBS_REG) & PSR_SSBS_BIT;
	return bits;
}

static void set_hidden_bits(unsigned long bits)
{
	if (cpus_have_final_cap(ARM64_HAS_DIT))
		write_sysreg_s(bits & PSR_DIT_BIT, PSTATE_DIT_REG);
	if (cpus_have_final_cap(ARM64_SSBS))
		write_sysreg_s(bits & PSR_SSBS_BIT, PSTATE_SSBS_REG);
}

static void expect_hidden_bits(struct kunit *test, const struct insn_test_case *c,
			       unsigned long bits)
{
	unsigned long before, behind;

	insn_test_set_input(6);
	scoped_guard(preempt) {
		before = hidden_bits();
		set_hidden_bits(bits);
		bits = hidden_bits();
		run(c);
		behind = hidden_bits();
		set_hidden_bits(before);
	}
	KUNIT_EXPECT_EQ(test, pre_saw.hits, 1);
	KUNIT_EXPECT_EQ(test, behind, bits);
}

static void keeps_hidden_bits(struct kunit *test)
{
	const struct method *m = test->param_value;
	const struct insn_test_case *c = find_snippet(test, m->snippet);

	plant(test, c, m->post, m->jump);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, stop_changing, NULL));
	change_behind = false;
	expect_hidden_bits(test, c, 0);
	expect_hidden_bits(test, c, PSR_DIT_BIT | PSR_SSBS_BIT);
	change = leave_snippet;
	expect_hidden_bits(test, c, 0);
	expect_hidden_bits(test, c, PSR_DIT_BIT | PSR_SSBS_BIT);
}

/* PSTATE.BTYPE is cleared, as after a landing pad. Only a probe at the pad itself sees it. */
static void passes_landing_pads(struct kunit *test)
{
	static const struct {
		const char *snippet;
		u64 btype;
		bool faults;	/* if the kernel has BTI: it does not lead to a landing pad */
	} ways[] = {
		{ "by_blr", PSR_BTYPE_C, .faults = true },
		{ "by_blr_bti", PSR_BTYPE_C },
		{ "by_br", PSR_BTYPE_JC, .faults = true },
		{ "by_ret", PSR_BTYPE_NONE },
	};
	const struct insn_test_case *c;
	struct insn_test_state good, now;
	struct kprobe *kp;
	unsigned int i, how;
	bool post, jump;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (ways[i].faults && system_supports_bti_kernel())
			continue;
		c = find_snippet(test, ways[i].snippet);
		insn_test_set_input(1);
		good = run(c);
		for (how = 0; how < (IS_ENABLED(CONFIG_OPTPROBES) ? 3 : 2); how++) {
			post = how == 1;
			/* If the kernel has BTI, a landing pad is no jump. */
			jump = how == 2 && !system_supports_bti_kernel();
			kp = plant(test, c, post, jump);
			now = hit_once(test, c, post);
			kunit_release_action(test, drop_kprobe, kp);
			expect_same(test, &now, &good, ways[i].snippet);
			if (system_supports_bti() && !jump)
				KUNIT_EXPECT_EQ_MSG(test, pre_saw.pstate & PSR_BTYPE_MASK,
						    ways[i].btype, "%s", ways[i].snippet);
			if (post)
				KUNIT_EXPECT_EQ(test, post_saw.pstate & PSR_BTYPE_MASK, 0);
		}
	}
}

/* Page faults of the task, and those with interrupts off, which must not sleep. */
static struct task_struct *faulting_task;
static int faults, masked_faults;

static int note_fault(struct kprobe *kp, struct pt_regs *regs)
{
	if (current != faulting_task)
		return 0;
	faults++;
	masked_faults += !interrupts_enabled(regs);
	return 0;
}

NOKPROBE_SYMBOL(note_fault);

static struct insn_test_state run_on_user_memory(const struct insn_test_case *c)
{
	struct insn_test_state out;

	insn_test_set_input(0);
	uaccess_ttbr0_enable();
	out = run(c);
	uaccess_ttbr0_disable();
	return out;
}

/*
 * The first access to user memory faults in the copy, and the page is read in. Then the instruction
 * is run again, which is another hit.
 */
static void user_memory(struct kunit *test)
{
	const struct insn_test_case *c = find_snippet(test, "user");
	struct insn_test_state out;
	unsigned long addr;
	u64 value = CHANGE;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	insn_test_user = (void __user *)addr;
	plant(test, c, true, false);

	out = run_on_user_memory(c);
	KUNIT_EXPECT_EQ(test, out.regs[27], 0x600d);
	KUNIT_EXPECT_EQ(test, out.regs[0], 0);
	KUNIT_EXPECT_EQ(test, pre_saw.hits, 2);
	KUNIT_EXPECT_EQ(test, post_saw.hits, 1);

	KUNIT_ASSERT_EQ(test, copy_to_user(insn_test_user, &value, sizeof(value)), 0);
	out = run_on_user_memory(c);
	KUNIT_EXPECT_EQ(test, out.regs[27], 0x600d);
	KUNIT_EXPECT_EQ(test, out.regs[0], value);
	KUNIT_EXPECT_EQ(test, pre_saw.hits, 1);
	KUNIT_EXPECT_EQ(test, post_saw.hits, 1);

	/* Unmapped memory. */
	insn_test_user += 16 * PAGE_SIZE;
	out = run_on_user_memory(c);
	KUNIT_EXPECT_NE(test, out.regs[27], 0x600d);
	KUNIT_EXPECT_EQ(test, pre_saw.hits, 1);
	KUNIT_EXPECT_EQ(test, post_saw.hits, 0);
	KUNIT_EXPECT_PTR_EQ(test, running_kprobe(), NULL);
}

/* Reading the page in may sleep, and probes that it hits are not hits inside a hit. */
static void user_memory_is_got_as_without_a_probe(struct kunit *test)
{
	const struct insn_test_case *c = find_snippet(test, "user");
	struct kprobe *kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL), *user;
	unsigned long addr;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->symbol_name = "handle_mm_fault";
	kp->pre_handler = note_fault;
	KUNIT_ASSERT_EQ(test, register_kprobe(kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kprobe, kp));
	addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);

	for (i = 0; i < 2; i++) {
		user = plant(test, c, i, false);
		insn_test_user = (void __user *)addr + i * PAGE_SIZE;
		faults = 0;
		masked_faults = 0;
		faulting_task = current;
		run_on_user_memory(c);
		faulting_task = NULL;
		KUNIT_EXPECT_EQ(test, pre_saw.hits, 2);
		KUNIT_EXPECT_EQ(test, faults, 1);
		KUNIT_EXPECT_EQ(test, masked_faults, 0);
		KUNIT_EXPECT_EQ(test, kp->nmissed, 0);
		kunit_release_action(test, drop_kprobe, user);
	}
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(keeps_masks, method_gen_params),
	KUNIT_CASE_PARAM(keeps_interrupts_on, method_gen_params),
	KUNIT_CASE_PARAM(sees_flags, method_gen_params),
	KUNIT_CASE_PARAM(changes_take_effect, method_gen_params),
	KUNIT_CASE_PARAM(goes_elsewhere, method_gen_params),
	KUNIT_CASE_PARAM(keeps_hidden_bits, method_gen_params),
	KUNIT_CASE(passes_landing_pads),
	KUNIT_CASE(user_memory),
	KUNIT_CASE(user_memory_is_got_as_without_a_probe),
	{}
};

static struct kunit_suite state_suite = {
	.name = "kprobes_arm64_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
