// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the state that a handler sees and can change: it is the same with all
 * methods by which the handler is called.
 *
 * A method is a way for a handler to be called: a kind of breakpoint, a jump, a function's
 * entry, a return. Each test is run with each method.
 */
#include <kunit/test.h>
#include <linux/fprobe.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include <asm/cpufeature.h>

#include "../../../../kernel/kprobes/internal.h"
#include "../../../../kernel/kprobes/tests/fprobes.h"

#include "insn_kunit.h"
#include "private.h"

/* Flags that may be set in assembly, but not in handlers, which are C. AC needs SMAP. */
#define FOREIGN_FLAGS	((cpu_feature_enabled(X86_FEATURE_SMAP) ? X86_EFLAGS_AC : 0) | \
			 X86_EFLAGS_DF)

#define STATE_SIZE	sizeof(((struct insn_test_state *)0)->regs)
#define NR_REGS		(STATE_SIZE / sizeof(u64))

/* Offsets in struct pt_regs of the registers in insn_test_state::regs. */
static const u8 reg_offset[NR_REGS] = {
	offsetof(struct pt_regs, ax), offsetof(struct pt_regs, bx),
	offsetof(struct pt_regs, cx), offsetof(struct pt_regs, dx),
	offsetof(struct pt_regs, si), offsetof(struct pt_regs, di),
	offsetof(struct pt_regs, bp), offsetof(struct pt_regs, r8),
	offsetof(struct pt_regs, r9), offsetof(struct pt_regs, r10),
	offsetof(struct pt_regs, r11), offsetof(struct pt_regs, r12),
	offsetof(struct pt_regs, r13), offsetof(struct pt_regs, r14),
	offsetof(struct pt_regs, r15),
};

#define REG_CHANGE	0x1122334455667788ULL

/* Flags that interrupts and unwinders ignore. */
#define FLAGS_CHANGE	(X86_EFLAGS_CF | X86_EFLAGS_SF)

/**
 * struct hit - the tested handler, and the state that it saw
 * @change:	changes the registers; NULL: nothing is changed
 * @reg:	the register that @change changes
 * @hits:	number of runs
 * @foreign:	hits with one of FOREIGN_FLAGS on
 * @depth:	preempt_count() less that of the caller, without what is about interrupts
 * @unwatched:	hits with RCU not watching
 * @irqs_untold: hits in which lockdep was wrong about interrupts
 * @bad_sp:	hits with another stack pointer than the probed code's
 * @sp:		the stack pointer of the probed code at the hit
 *
 * Accessed by the handler, and by the test while there is no hit.
 */
static struct hit {
	int (*change)(struct pt_regs *regs);
	unsigned int reg;
	unsigned int hits;
	unsigned int foreign;
	unsigned int depth;
	unsigned int unwatched;
	unsigned int irqs_untold;
	unsigned int bad_sp;
	unsigned long sp;
} hit;

static bool lockdep_is_right(void)
{
#ifdef CONFIG_PROVE_LOCKING
	return this_cpu_read(hardirqs_enabled) == !raw_irqs_disabled();
#else
	return true;
#endif
}

static int at_hit(struct pt_regs *regs)
{
	hit.hits++;
	hit.foreign += !!(native_save_fl() & FOREIGN_FLAGS);
	hit.depth = preempt_count() & PREEMPT_MASK;
	hit.unwatched += !rcu_is_watching();
	hit.irqs_untold += !lockdep_is_right();
	hit.bad_sp += regs->sp != insn_test_sp + hit.sp;
	return hit.change ? hit.change(regs) : 0;
}

NOKPROBE_SYMBOL(at_hit);

static int pre_at_hit(struct kprobe *p, struct pt_regs *regs)
{
	return at_hit(regs);
}

NOKPROBE_SYMBOL(pre_at_hit);

static void post_at_hit(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	at_hit(regs);
}

NOKPROBE_SYMBOL(post_at_hit);

static int no_pre(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

NOKPROBE_SYMBOL(no_pre);

static void no_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(no_post);

static int call_at_hit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return at_hit(regs);
}

NOKPROBE_SYMBOL(call_at_hit);

static int no_call(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

NOKPROBE_SYMBOL(no_call);

/* Planting. The end of a test removes all probes. */

static void drop_kprobe(void *kp)
{
	unregister_kprobe(kp);
}

static void drop_kretprobe(void *rp)
{
	unregister_kretprobe(rp);
}

static void add_kprobe(struct kunit *test, void *addr, kprobe_pre_handler_t pre,
		       kprobe_post_handler_t post)
{
	struct kprobe *kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->addr = addr;
	kp->pre_handler = pre;
	kp->post_handler = post;
	KUNIT_ASSERT_EQ(test, register_kprobe(kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kprobe, kp));
}

static void add_kretprobe(struct kunit *test, void *addr, kretprobe_handler_t entry,
			  kretprobe_handler_t handler)
{
	struct kretprobe *rp = kunit_kzalloc(test, sizeof(*rp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rp);
	rp->kp.addr = addr;
	rp->entry_handler = entry;
	rp->handler = handler;
	KUNIT_ASSERT_EQ(test, register_kretprobe(rp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kretprobe, rp));
}

static enum site_method method_at(void *addr)
{
	struct kprobe_site *site;

	lockdep_assert_held(&kprobe_mutex);
	site = site_lookup((unsigned long)addr);
	return site ? site->method : SITE_UNPLANTED;
}

/* Methods */

/**
 * struct target - code that is run, and its probed instruction
 * @entry:	address of a snippet or function
 * @addr:	address of the probed instruction or function
 */
struct target {
	void *entry;
	void *addr;
};

/**
 * struct method - a way for a handler to be called
 * @name:	its name
 * @plant:	registers the probe that calls the handler
 * @snippet:	the snippet to run: index in insn_test_states, or PUN; not used with @function
 * @function:	the function to run; it is entered without FOREIGN_FLAGS
 * @planted:	how the instruction is planted
 * @after:	the handler runs after the instruction or function
 * @listens:	the handler is a kprobe's pre handler, which may change where execution continues
 * @sp_fixed:	changes of the stack pointer have no effect, except that the handler may drop
 *		the return address
 */
struct method {
	const char *name;
	void (*plant)(struct kunit *test, void *addr);
	unsigned int snippet;
	target_fn function;
	enum site_method planted;
	bool after;
	bool listens;
	bool sp_fixed;
};

enum { EMULATED, BOOSTED, BRANCH, PUN };

/* A snippet in which a jump is a pun, if there is memory where it leads to. */
static const struct insn_test_case *find_pun(struct kunit *test)
{
	const struct insn_test_case *c;
	struct kprobe_region region;
	void *slot;

	guard(mutex)(&kprobe_mutex);
	for (c = insn_test_states + PUN; c < insn_test_states_end; c++) {
		if (kprobe_region_find((unsigned long)c->entry + c->offset, &region) ||
		    !kprobe_is_pun(&region))
			continue;
		slot = kprobe_far_slot_get(region.first, region.last - KPROBE_FAR_SLOT_SIZE);
		if (slot) {
			kprobe_far_slot_put(slot);
			return c;
		}
	}
	return NULL;
}

static struct target find_target(struct kunit *test, const struct method *m)
{
	const struct insn_test_case *c = insn_test_states + m->snippet;

	if (m->function)
		return (struct target){ m->function, m->function };
	if (m->snippet == PUN)
		c = find_pun(test);
	if (!c)
		kunit_skip(test, "no memory where a pun leads to");
	return (struct target){ c->entry, c->entry + c->offset };
}

static void plant_pre(struct kunit *test, void *addr)
{
	add_kprobe(test, addr, pre_at_hit, NULL);
}

static void plant_second_pre(struct kunit *test, void *addr)
{
	add_kprobe(test, addr, no_pre, NULL);
	add_kprobe(test, addr, pre_at_hit, NULL);
}

static void plant_pre_with_post(struct kunit *test, void *addr)
{
	add_kprobe(test, addr, pre_at_hit, no_post);
}

static void plant_post(struct kunit *test, void *addr)
{
	add_kprobe(test, addr, no_pre, post_at_hit);
}

static void plant_kretprobe_entry(struct kunit *test, void *addr)
{
	add_kretprobe(test, addr, call_at_hit, no_call);
}

static void plant_return(struct kunit *test, void *addr)
{
	add_kretprobe(test, addr, NULL, call_at_hit);
}

#ifdef CONFIG_FPROBE
static int entry_at_hit(struct fprobe *fp, unsigned long ip, unsigned long ret,
			struct pt_regs *regs, void *data)
{
	at_hit(regs);
	return 0;
}

NOKPROBE_SYMBOL(entry_at_hit);

static void exit_at_hit(struct fprobe *fp, unsigned long ip, unsigned long ret,
			struct pt_regs *regs, void *data)
{
	at_hit(regs);
}

NOKPROBE_SYMBOL(exit_at_hit);

static void drop_fprobe(void *fp)
{
	unregister_fprobe(fp);
}

static void add_fprobe(struct kunit *test, fprobe_entry_t entry, fprobe_exit_t exit)
{
	struct fprobe *fp = kunit_kzalloc(test, sizeof(*fp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fp);
	fp->entry_handler = entry;
	fp->exit_handler = exit;
	KUNIT_ASSERT_EQ(test, register_fprobe(fp, "fprobe_test_one", NULL), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_fprobe, fp));
}

static void plant_fprobe_entry(struct kunit *test, void *addr)
{
	add_fprobe(test, entry_at_hit, NULL);
}

static void plant_fprobe_exit(struct kunit *test, void *addr)
{
	add_fprobe(test, NULL, exit_at_hit);
}
#endif

static const struct method methods[] = {
	{ "breakpoint, emulated", plant_pre, EMULATED, NULL, SITE_BREAKPOINT, .listens = true },
	{ "breakpoint, emulated, behind it", plant_post, EMULATED, NULL, SITE_BREAKPOINT,
	  .after = true },
	{ "breakpoint, boosted", plant_pre, BOOSTED, NULL, SITE_BREAKPOINT, .listens = true },
	{ "breakpoint, stepped", plant_pre_with_post, BOOSTED, NULL, SITE_BREAKPOINT,
	  .listens = true },
	{ "breakpoint, stepped, behind it", plant_post, BOOSTED, NULL, SITE_BREAKPOINT,
	  .after = true },
	{ "breakpoint, second listener", plant_second_pre, BOOSTED, NULL, SITE_BREAKPOINT,
	  .listens = true },
	{ "jump", plant_pre, BOOSTED, NULL, SITE_JUMP, .listens = true },
	{ "jump, second listener", plant_second_pre, BOOSTED, NULL, SITE_JUMP, .listens = true },
	{ "jump, emulated, with post handler", plant_pre_with_post, BRANCH, NULL, SITE_JUMP,
	  .listens = true },
	{ "jump, emulated, behind it", plant_post, BRANCH, NULL, SITE_JUMP, .after = true },
	{ "jump, no-op, behind it", plant_post, EMULATED, NULL, SITE_JUMP, .after = true },
	{ "jump, with post handler", plant_pre_with_post, BOOSTED, NULL, SITE_JUMP,
	  .listens = true },
	{ "jump, behind it", plant_post, BOOSTED, NULL, SITE_JUMP, .after = true },
	{ "pun", plant_pre, PUN, NULL, SITE_JUMP, .listens = true },
	{ "pun, with post handler", plant_pre_with_post, PUN, NULL, SITE_JUMP, .listens = true },
	{ "entry", plant_pre, 0, kprobe_test_traced, SITE_FTRACE, .listens = true,
	  .sp_fixed = true },
	{ "entry, second listener", plant_second_pre, 0, kprobe_test_traced, SITE_FTRACE,
	  .listens = true, .sp_fixed = true },
	{ "entry, with post handler", plant_pre_with_post, 0, kprobe_test_traced, SITE_FTRACE_IP,
	  .listens = true, .sp_fixed = true },
	{ "entry, post handler", plant_post, 0, kprobe_test_traced, SITE_FTRACE_IP,
	  .sp_fixed = true },
	{ "kretprobe, entry", plant_kretprobe_entry, 0, kprobe_test_traced, SITE_FTRACE,
	  .sp_fixed = true },
	{ "kretprobe, return", plant_return, 0, kprobe_test_traced, SITE_FTRACE, .after = true,
	  .sp_fixed = true },
	{ "kretprobe, return behind a breakpoint", plant_return, 0, kprobe_test_plain,
	  SITE_BREAKPOINT, .after = true, .sp_fixed = true },
	{ "kretprobe, return behind a jump", plant_return, 0, kprobe_test_plain, SITE_JUMP,
	  .after = true, .sp_fixed = true },
#ifdef CONFIG_FPROBE
	{ "fprobe, entry", plant_fprobe_entry, 0, fprobe_test_one, SITE_UNPLANTED,
	  .sp_fixed = true },
	{ "fprobe, exit", plant_fprobe_exit, 0, fprobe_test_one, SITE_UNPLANTED, .after = true,
	  .sp_fixed = true },
#endif
};

KUNIT_ARRAY_PARAM_DESC(method, methods, name);

/* Methods whose handlers may change the execution path. */
static const void *listener_gen_params(const void *prev, char *desc)
{
	const struct method *m = method_gen_params(prev, desc);

	while (m && !m->listens)
		m = method_gen_params(m, desc);
	return m;
}

/* Runs */

static void set_input(void)
{
	struct insn_test_state *in = &insn_test_in;
	unsigned int top = INSN_TEST_STACK_WORDS - INSN_TEST_STACK_FILLED, i;

	for (i = 0; i < NR_REGS; i++)
		in->regs[i] = 0x0123456789abcdefULL * (2 * i + 1);
	for (i = 0; i < INSN_TEST_STACK_WORDS; i++)
		in->stack[i] = 0x5aa5c33c0ff00000ULL + 0x1001 * i;
	/* The return address of functions, and of snippets whose handler drops a word. */
	in->stack[top] = (u64)insn_test_exit;
	in->flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
}

static struct insn_test_state run(const struct target *t)
{
	insn_test_run(t->entry);
	/* Compare the use of the stack, not its address. */
	insn_test_out.sp -= insn_test_sp;
	memset(insn_test_out.stack, 0, sizeof(insn_test_out.stack));
	return insn_test_out;
}

static void set_hit(const struct method *m, int (*change)(struct pt_regs *regs))
{
	hit = (struct hit) {
		.change = change,
		.sp = m->after && m->function ? sizeof(long) : 0,
	};
}

/* A probe is behind the landing pad, if there is one. */
static void *probed_address(const struct target *t)
{
	bool on_entry;

	return arch_adjust_kprobe_addr((unsigned long)t->addr, 0, &on_entry);
}

/* One hit. */
static struct insn_test_state hit_once(struct kunit *test, const struct method *m,
				       const struct target *t)
{
	struct insn_test_state out;
	int count = preempt_count();

	if (m->planted == SITE_JUMP)
		wait_for_kprobe_optimizer();
	scoped_guard(mutex, &kprobe_mutex) {
		if (m->planted != SITE_UNPLANTED)
			KUNIT_EXPECT_EQ(test, method_at(probed_address(t)), m->planted);
		hit.hits = 0;
		out = run(t);
	}
	KUNIT_EXPECT_EQ(test, hit.hits, 1);
	KUNIT_EXPECT_EQ(test, hit.bad_sp, 0);
	KUNIT_EXPECT_EQ(test, preempt_count(), count);
	return out;
}

/*
 * Ftrace does not restore registers that functions neither receive nor preserve: R11, and R10 where
 * only the return is hooked, which needs few registers.
 */
static bool is_lost(const struct method *m, unsigned int reg)
{
	if (!m->function || m->planted == SITE_BREAKPOINT || m->planted == SITE_JUMP)
		return false;
	return reg == STATE_R11 / sizeof(u64) || (m->after && reg == STATE_R10 / sizeof(u64));
}

/* With call depth tracking, a function's return counts, which sets flags. */
static u64 lost_flags(const struct method *m)
{
	return m->function && cpu_feature_enabled(X86_FEATURE_CALL_DEPTH) ?
	       INSN_TEST_RESULT_FLAGS : 0;
}

static void expect_same(struct kunit *test, const struct method *m,
			const struct insn_test_state *now, const struct insn_test_state *good,
			const char *what, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		if (!is_lost(m, i))
			KUNIT_EXPECT_EQ_MSG(test, now->regs[i], good->regs[i],
					    "register %u, %s %u", i, what, nr);
	}
	KUNIT_EXPECT_EQ_MSG(test, now->flags | lost_flags(m), good->flags | lost_flags(m),
			    "%s %u", what, nr);
	KUNIT_EXPECT_EQ_MSG(test, now->sp, good->sp, "%s %u", what, nr);
}

/* Handlers are C code, so AC and DF must be clear. */
static void sees_one_state(struct kunit *test)
{
	const struct method *m = test->param_value;
	struct target t = find_target(test, m);
	struct insn_test_state good, now;

	set_input();
	if (!m->function || m->after)
		insn_test_in.flags |= X86_EFLAGS_AC;
	if (!m->function)
		insn_test_in.flags |= X86_EFLAGS_DF;
	good = run(&t);
	m->plant(test, t.addr);
	set_hit(m, NULL);
	now = hit_once(test, m, &t);
	expect_same(test, m, &now, &good, "with flags", 0);
	KUNIT_EXPECT_EQ(test, hit.foreign, 0);
	/* Records of events rely on that. */
	KUNIT_EXPECT_EQ(test, hit.depth, IS_ENABLED(CONFIG_PREEMPT_COUNT));
	KUNIT_EXPECT_EQ(test, hit.unwatched, 0);
	KUNIT_EXPECT_EQ(test, hit.irqs_untold, 0);
}

static int change_reg(struct pt_regs *regs)
{
	*(unsigned long *)((void *)regs + reg_offset[hit.reg]) ^= REG_CHANGE;
	return 0;
}

NOKPROBE_SYMBOL(change_reg);

/* A handler's change of a register is visible to the probed code, or to its caller. */
static void changes_registers(struct kunit *test)
{
	const struct method *m = test->param_value;
	struct target t = find_target(test, m);
	struct insn_test_state *good, now;
	unsigned int i;

	good = kunit_kcalloc(test, NR_REGS, sizeof(*good), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, good);
	for (i = 0; i < NR_REGS; i++) {
		set_input();
		if (!m->after)
			insn_test_in.regs[i] ^= REG_CHANGE;
		good[i] = run(&t);
		if (m->after)
			good[i].regs[i] ^= REG_CHANGE;
	}
	m->plant(test, t.addr);
	set_hit(m, change_reg);
	for (i = 0; i < NR_REGS; i++) {
		if (is_lost(m, i))
			continue;
		hit.reg = i;
		set_input();
		now = hit_once(test, m, &t);
		expect_same(test, m, &now, &good[i], "change of register", i);
	}
}

static int change_flags(struct pt_regs *regs)
{
	regs->flags ^= FLAGS_CHANGE;
	return 0;
}

NOKPROBE_SYMBOL(change_flags);

static void changes_flags(struct kunit *test)
{
	const struct method *m = test->param_value;
	struct target t = find_target(test, m);
	struct insn_test_state good, now;

	set_input();
	if (!m->after)
		insn_test_in.flags ^= FLAGS_CHANGE;
	good = run(&t);
	if (m->after)
		good.flags ^= FLAGS_CHANGE;
	m->plant(test, t.addr);
	set_hit(m, change_flags);
	set_input();
	now = hit_once(test, m, &t);
	expect_same(test, m, &now, &good, "change of flags", 0);
}

/* Words above the top of the stack that is given to a snippet. */
#define WORDS_DROPPED	3

static int drop_words(struct pt_regs *regs)
{
	regs->sp += WORDS_DROPPED * sizeof(long);
	return 0;
}

NOKPROBE_SYMBOL(drop_words);

static void changes_stack_pointer(struct kunit *test)
{
	const struct method *m = test->param_value;
	struct target t = find_target(test, m);
	struct insn_test_state good, now;

	set_input();
	good = run(&t);
	if (!m->sp_fixed)
		good.sp += WORDS_DROPPED * sizeof(long);
	m->plant(test, t.addr);
	set_hit(m, drop_words);
	set_input();
	now = hit_once(test, m, &t);
	expect_same(test, m, &now, &good, "change of the stack pointer", 0);
}

static int return_at_once(struct pt_regs *regs)
{
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(long);
	regs->r14 ^= REG_CHANGE;
	regs->flags ^= FLAGS_CHANGE;
	return 1;
}

NOKPROBE_SYMBOL(return_at_once);

static int drop_words_and_leave(struct pt_regs *regs)
{
	regs->ip = (unsigned long)insn_test_exit;
	regs->sp += WORDS_DROPPED * sizeof(long);
	return 1;
}

NOKPROBE_SYMBOL(drop_words_and_leave);

static int push_word_and_leave(struct pt_regs *regs)
{
	regs->ip = (unsigned long)insn_test_exit;
	regs->sp -= sizeof(long);
	*(unsigned long *)regs->sp = REG_CHANGE;
	return 1;
}

NOKPROBE_SYMBOL(push_word_and_leave);

static int leave(struct pt_regs *regs)
{
	regs->ip = (unsigned long)insn_test_exit;
	return 1;
}

NOKPROBE_SYMBOL(leave);

/*
 * The handler applies @change, which skips the instruction and moves the stack pointer up by @up
 * words. Except for what @change does, the output must be the same as the input.
 */
static void expect_left(struct kunit *test, const struct method *m, const struct target *t,
			int (*change)(struct pt_regs *regs), int up)
{
	struct insn_test_state good, now;

	set_hit(m, change);
	set_input();
	now = hit_once(test, m, t);
	good = insn_test_in;
	good.sp = up * (int)sizeof(long);
	if (change == return_at_once) {
		good.regs[STATE_R14 / sizeof(u64)] ^= REG_CHANGE;
		good.flags ^= FLAGS_CHANGE;
	}
	expect_same(test, m, &now, &good, "stack pointer up by words:", up);
}

/* A handler skips the instruction or the function. */
static void goes_elsewhere(struct kunit *test)
{
	const struct method *m = test->param_value;
	struct target t = find_target(test, m);

	m->plant(test, t.addr);
	expect_left(test, m, &t, return_at_once, 1);
	if (m->sp_fixed)
		return;
	expect_left(test, m, &t, leave, 0);
	expect_left(test, m, &t, drop_words_and_leave, WORDS_DROPPED);
	expect_left(test, m, &t, push_word_and_leave, -1);
}

static int state_init(struct kunit *test)
{
	const struct method *m = test->param_value;

	guard(mutex)(&kprobe_mutex);
	jumps_allow(m->planted == SITE_JUMP);
	return 0;
}

static void state_exit(struct kunit *test)
{
	guard(mutex)(&kprobe_mutex);
	jumps_allow(true);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(sees_one_state, method_gen_params),
	KUNIT_CASE_PARAM(changes_registers, method_gen_params),
	KUNIT_CASE_PARAM(changes_flags, method_gen_params),
	KUNIT_CASE_PARAM(changes_stack_pointer, method_gen_params),
	KUNIT_CASE_PARAM(goes_elsewhere, listener_gen_params),
	{}
};

static struct kunit_suite state_suite = {
	.name = "kprobes_x86_state",
	.init = state_init,
	.exit = state_exit,
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
