// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test functions for which ftrace saves only arguments, because no hook needs more, and their move
 * to all registers while they are called.
 */
#include <linux/completion.h>
#include <linux/entry_hook.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rethook.h>

#include "../../trace/fprobe_internal.h"
#include "fprobes.h"

#define MAGIC	0x0bad5eed

/* Call @fn with MAGIC in BX, which is not the register of an argument. */
static unsigned long call_with_magic(target_fn fn, unsigned long x)
{
	unsigned long result;

	asm volatile("movl	%[magic], %%ebx\n\t"
		     CALL_NOSPEC
		     : "=a" (result), "+D" (x), ASM_CALL_CONSTRAINT
		     : [magic] "i" (MAGIC), THUNK_TARGET(fn)
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
	return result;
}

/**
 * struct seen - a probe that checks registers
 * @fp: the probe if it is an fprobe
 * @rp: the probe if it is a kretprobe
 * @kp: the probe if it is a kprobe
 * @hits: number of calls of the handler: at the entry, for a kretprobe at the return
 * @args: hits with only arguments
 * @magic: hits with MAGIC in BX
 * @wrong: hits without the argument, or whose stack pointer is not at the return address
 */
struct seen {
	struct fprobe fp;
	struct kretprobe rp;
	struct kprobe kp;
	atomic_t hits;
	atomic_t args;
	atomic_t magic;
	atomic_t wrong;
};

static void note(struct seen *s, struct pt_regs *regs)
{
	atomic_inc(&s->hits);
	if (arch_entry_regs_are_args(regs))
		atomic_inc(&s->args);
	else if (regs->bx == MAGIC)
		atomic_inc(&s->magic);
}

NOKPROBE_SYMBOL(note);

static int fprobe_seen(struct fprobe *fp, unsigned long ip, unsigned long caller,
		       struct pt_regs *regs, void *data)
{
	struct seen *s = container_of(fp, struct seen, fp);

	note(s, regs);
	if (regs->di > 1 || *(unsigned long *)regs->sp != caller)
		atomic_inc(&s->wrong);
	return 0;
}

NOKPROBE_SYMBOL(fprobe_seen);

static int kprobe_seen(struct kprobe *kp, struct pt_regs *regs)
{
	note(container_of(kp, struct seen, kp), regs);
	return 0;
}

NOKPROBE_SYMBOL(kprobe_seen);

static int return_seen(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	note(container_of(get_kretprobe(ri), struct seen, rp), regs);
	return 0;
}

NOKPROBE_SYMBOL(return_seen);

static struct seen *seen_make(struct kunit *test)
{
	struct seen *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->fp.entry_handler = fprobe_seen;
	s->rp.handler = return_seen;
	s->kp.pre_handler = kprobe_seen;
	return s;
}

/* Register an fprobe for all functions that match. */
static struct seen *fprobe_on(struct kunit *test, const char *filter, unsigned int flags)
{
	struct seen *s = seen_make(test);

	s->fp.flags = flags;
	KUNIT_ASSERT_EQ(test, register_fprobe(&s->fp, filter, NULL), 0);
	return s;
}

static struct seen *kretprobe_on(struct kunit *test, const char *name)
{
	struct seen *s = seen_make(test);

	s->rp.kp.symbol_name = name;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&s->rp), 0);
	return s;
}

static struct seen *kprobe_on(struct kunit *test, const char *name)
{
	struct seen *s = seen_make(test);

	s->kp.symbol_name = name;
	KUNIT_ASSERT_EQ(test, register_kprobe(&s->kp), 0);
	return s;
}

/* One hit since the last check, with only arguments or with all registers. */
static void expect(struct kunit *test, struct seen *s, bool args)
{
	KUNIT_EXPECT_EQ(test, atomic_xchg(&s->hits, 0), 1);
	KUNIT_EXPECT_EQ(test, atomic_xchg(&s->args, 0), args);
	KUNIT_EXPECT_EQ(test, atomic_xchg(&s->magic, 0), !args);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->wrong), 0);
}

static void call_one(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, call_with_magic(fprobe_test_one, 1), 2);
}

static void arguments_only(struct kunit *test)
{
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);

	call_one(test);
	expect(test, args, true);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/* An fprobe without FPROBE_FL_ARGS gets all registers, whether it joins before others or after. */
static void all_for_others(struct kunit *test)
{
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	struct seen *all = fprobe_on(test, "fprobe_test_one", 0);
	struct seen *again;

	call_one(test);
	expect(test, args, false);
	expect(test, all, false);
	again = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	call_one(test);
	expect(test, args, false);
	expect(test, all, false);
	expect(test, again, false);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&all->fp), 0);
	call_one(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&all->hits), 0);
	KUNIT_EXPECT_EQ(test, atomic_xchg(&args->hits, 0), 1);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&again->fp), 0);
	/* All hooks have left, so ftrace saves only arguments again. */
	args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	call_one(test);
	expect(test, args, true);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/* An event on a function calls fprobe_widen() when perf opens it. */
static void widened_later(struct kunit *test)
{
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	struct seen *other = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);

	call_one(test);
	expect(test, args, true);
	expect(test, other, true);
	KUNIT_EXPECT_EQ(test, fprobe_widen(&args->fp), 0);
	call_one(test);
	expect(test, args, false);
	expect(test, other, false);
	KUNIT_EXPECT_EQ(test, fprobe_widen(&args->fp), 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&other->fp), 0);
	/* fprobe_widen() has cleared the flag. */
	KUNIT_EXPECT_EQ(test, args->fp.flags & FPROBE_FL_ARGS, 0);
}

/* A kretprobe needs only arguments at the entry. Its handler gets all registers at the return. */
static void kprobe_at_a_kretprobe(struct kunit *test)
{
	struct seen *ret = kretprobe_on(test, "fprobe_test_one");
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	struct seen *second, *kp;

	call_one(test);
	expect(test, args, true);
	expect(test, ret, false);
	second = kretprobe_on(test, "fprobe_test_one");
	call_one(test);
	expect(test, args, true);
	expect(test, ret, false);
	expect(test, second, false);
	kp = kprobe_on(test, "fprobe_test_one");
	call_one(test);
	expect(test, args, false);
	expect(test, ret, false);
	expect(test, second, false);
	expect(test, kp, false);
	unregister_kretprobe(&second->rp);
	unregister_kprobe(&kp->kp);
	call_one(test);
	KUNIT_EXPECT_EQ(test, atomic_xchg(&args->hits, 0), 1);
	expect(test, ret, false);
	unregister_kretprobe(&ret->rp);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/* A disabled kprobe needs no registers. When it is enabled, it needs all. */
static void kprobe_enabled_at_a_kretprobe(struct kunit *test)
{
	struct seen *ret = kretprobe_on(test, "fprobe_test_one");
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	struct seen *kp = seen_make(test);

	kp->kp.symbol_name = "fprobe_test_one";
	kp->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&kp->kp), 0);
	call_one(test);
	expect(test, args, true);
	expect(test, ret, false);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&kp->kp), 0);
	call_one(test);
	expect(test, args, false);
	expect(test, ret, false);
	expect(test, kp, false);
	unregister_kprobe(&kp->kp);
	unregister_kretprobe(&ret->rp);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/* Other ftrace_ops, each with its own filter. */

static void others_callback(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
	if (arch_ftrace_get_regs(fregs))
		atomic_inc(ops->private);
}

static const struct others {
	const char *name;
	bool there;
	unsigned long flags;
} others[] = {
	{ "alone" },
	{ "beside arguments", true, 0 },
	{ "beside all registers", true, FTRACE_OPS_FL_SAVE_REGS },
};

static void others_desc(const struct others *o, char *desc)
{
	strscpy(desc, o->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(others, others, others_desc);

static void others_begin(struct kunit *test, const struct others *o, struct ftrace_ops *ops,
			 atomic_t *with_all)
{
	char pattern[] = "fprobe_many_*";

	if (!o->there)
		return;
	ops->func = others_callback;
	ops->flags = o->flags;
	ops->private = with_all;
	KUNIT_ASSERT_EQ(test, ftrace_set_filter(ops, pattern, strlen(pattern), 1), 0);
	KUNIT_ASSERT_EQ(test, register_ftrace_function(ops), 0);
}

static void others_end(const struct others *o, struct ftrace_ops *ops)
{
	if (!o->there)
		return;
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

#define NR_MOVES	40
#define NR_CALLERS	2

/**
 * struct hammer - threads that call the first functions of fprobe_many
 * @calls: number of calls that they made
 * @stop: makes them end
 * @running: number of threads that run
 */
struct hammer {
	atomic_t calls;
	bool stop;
	atomic_t running;
};

static int hammer_thread(void *data)
{
	struct hammer *h = data;
	int i;

	while (!READ_ONCE(h->stop)) {
		for (i = 0; i < NR_MOVES; i++)
			call_with_magic(fprobe_many[i], 1);
		atomic_add(NR_MOVES, &h->calls);
		cond_resched();
	}
	if (atomic_dec_and_test(&h->running))
		wake_up_var(&h->running);
	return 0;
}

/* Wait until each function was called at least once more. */
static void hammer_wait(struct hammer *h)
{
	int had = atomic_read(&h->calls);

	while (atomic_read(&h->calls) - had < 2 * NR_CALLERS * NR_MOVES)
		cond_resched();
}

/* Functions get a hook that needs all registers, one by one. Each call is seen once. */
static void moves_while_called(struct kunit *test)
{
	const struct others *o = test->param_value;
	struct hammer *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	struct ftrace_ops *ops = kunit_kzalloc(test, sizeof(*ops), GFP_KERNEL);
	struct seen *args, *all = seen_make(test);
	atomic_t with_all = ATOMIC_INIT(0);
	unsigned long at;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_ASSERT_NOT_NULL(test, ops);
	others_begin(test, o, ops, &with_all);
	args = fprobe_on(test, "fprobe_many_*", FPROBE_FL_ARGS);
	atomic_set(&h->running, NR_CALLERS);
	for (i = 0; i < NR_CALLERS; i++) {
		if (IS_ERR(kthread_run(hammer_thread, h, "entry_args")))
			atomic_dec(&h->running);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&h->running), NR_CALLERS);
	for (i = 0; i < NR_MOVES; i++) {
		at = fprobe_test_address(fprobe_many[i]);
		KUNIT_EXPECT_EQ(test, register_fprobe_ips(&all->fp, &at, 1), 0);
		if (i % 16 == 0)
			hammer_wait(h);
		KUNIT_EXPECT_EQ(test, unregister_fprobe(&all->fp), 0);
	}
	/* Also test calls after the functions have moved. */
	hammer_wait(h);
	WRITE_ONCE(h->stop, true);
	wait_var_event(&h->running, !atomic_read(&h->running));
	others_end(o, ops);
	if (o->flags)
		KUNIT_EXPECT_GT(test, atomic_read(&with_all), 0);
	else
		KUNIT_EXPECT_GT(test, atomic_read(&args->args), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&args->hits), atomic_read(&h->calls));
	KUNIT_EXPECT_EQ(test, atomic_read(&all->args), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&all->hits), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&all->magic), atomic_read(&all->hits));
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/**
 * struct comer - a thread that registers and unregisters an fprobe for all functions, in a loop
 * @s: the fprobe
 * @stop: makes the thread end
 * @rounds: number of rounds
 * @failed: number of errors
 * @done: completed when the thread ends
 */
struct comer {
	struct seen *s;
	bool stop;
	int rounds;
	int failed;
	struct completion done;
};

static int comer_thread(void *data)
{
	struct comer *c = data;

	while (!READ_ONCE(c->stop)) {
		c->failed += !!register_fprobe(&c->s->fp, "fprobe_many_*", NULL);
		c->failed += !!unregister_fprobe(&c->s->fp);
		WRITE_ONCE(c->rounds, c->rounds + 1);
	}
	complete(&c->done);
	return 0;
}

/* Hooks of different users join and leave in batches at the same functions, which move. */
static void users_come_and_go(struct kunit *test)
{
	struct comer *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct seen *kp = seen_make(test), *args;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->s = seen_make(test);
	c->s->fp.flags = FPROBE_FL_ARGS;
	init_completion(&c->done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(comer_thread, c, "entry_comer")));
	for (i = 0; i < NR_MOVES || READ_ONCE(c->rounds) < 3; i++) {
		kp->kp.addr = (void *)fprobe_test_address(fprobe_many[i % NR_MOVES]);
		KUNIT_EXPECT_EQ(test, register_kprobe(&kp->kp), 0);
		unregister_kprobe(&kp->kp);
	}
	WRITE_ONCE(c->stop, true);
	wait_for_completion(&c->done);
	KUNIT_EXPECT_EQ(test, c->failed, 0);
	/* All hooks have left, so ftrace saves only arguments again, even where functions moved. */
	args = fprobe_on(test, "fprobe_many_*", FPROBE_FL_ARGS);
	for (i = 0; i < NR_MOVES; i++) {
		call_with_magic(fprobe_many[i], 1);
		expect(test, args, true);
	}
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

/*
 * Make a hit of a call that was preempted before it. The registers are those that ftrace saved
 * before that: only arguments.
 */
static void hit_late(struct kunit *test, unsigned long *stack)
{
	ftrace_func_t hit = (ftrace_func_t)kallsyms_lookup_name("entry_args_hit");
	unsigned long ip = ftrace_location(fprobe_test_address(fprobe_test_one));
	struct pt_regs regs = { .di = 1, .sp = (unsigned long)stack };

	KUNIT_ASSERT_NOT_NULL(test, hit);
	hit(ip, stack[0], NULL, (struct ftrace_regs *)&regs);
}

/* The hit comes when other hooks need all registers. They do not see the call. */
static void late_call(struct kunit *test)
{
	unsigned long stack[] = { (unsigned long)late_call };
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	struct seen *all = fprobe_on(test, "fprobe_test_one", 0);
	struct seen *kp = kprobe_on(test, "fprobe_test_one");

	hit_late(test, stack);
	KUNIT_EXPECT_EQ(test, atomic_read(&all->hits), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kp->hits), 0);
	expect(test, args, true);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&all->fp), 0);
	unregister_kprobe(&kp->kp);
}

/* The return is hooked for the kretprobe. The kprobe was registered later and misses the call. */
static void late_call_of_a_kretprobe(struct kunit *test)
{
	unsigned long stack[] = { (unsigned long)late_call };
	struct seen *ret = kretprobe_on(test, "fprobe_test_one");
	struct seen *kp = kprobe_on(test, "fprobe_test_one");

	hit_late(test, stack);
	KUNIT_EXPECT_EQ(test, atomic_read(&kp->hits), 0);
	/* The call does not return, so the next hooked return of this task gives the node back. */
	KUNIT_EXPECT_TRUE(test, is_rethook_trampoline(stack[0]));
	unregister_kretprobe(&ret->rp);
	unregister_kprobe(&kp->kp);
}

/* A call with arguments only finds that its function is about to move. */
static void call_before_a_move(struct kunit *test)
{
	entry_hit_t moving = (entry_hit_t)kallsyms_lookup_name("moving_hit");
	struct seen *args = fprobe_on(test, "fprobe_test_one", FPROBE_FL_ARGS);
	unsigned long stack[] = { (unsigned long)call_before_a_move };
	struct pt_regs regs = { .di = 1, .sp = (unsigned long)stack, .ssx = ~0UL };
	struct entry_hook *hook = &args->fp.targets->hook[0];

	KUNIT_ASSERT_NOT_NULL(test, moving);
	/* As hits are. */
	preempt_disable_notrace();
	moving(hook, hook->ip, stack[0], &regs);
	preempt_enable_notrace();
	expect(test, args, true);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&args->fp), 0);
}

static struct kunit_case entry_args_cases[] = {
	KUNIT_CASE(arguments_only),
	KUNIT_CASE(all_for_others),
	KUNIT_CASE(widened_later),
	KUNIT_CASE(kprobe_at_a_kretprobe),
	KUNIT_CASE(kprobe_enabled_at_a_kretprobe),
	KUNIT_CASE_PARAM(moves_while_called, others_gen_params),
	KUNIT_CASE(users_come_and_go),
	KUNIT_CASE(late_call),
	KUNIT_CASE(late_call_of_a_kretprobe),
	KUNIT_CASE(call_before_a_move),
	{}
};

static struct kunit_suite entry_args_suite = {
	.name = "kprobes_entry_args",
	.test_cases = entry_args_cases,
};

kunit_test_suite(entry_args_suite);
