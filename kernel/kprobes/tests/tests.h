/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers for the tests: functions to probe, and probes that count.
 */
#ifndef _KERNEL_KPROBES_TESTS_H
#define _KERNEL_KPROBES_TESTS_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

/* targets.c */

typedef unsigned long (*target_fn)(unsigned long x);

/**
 * struct test_target - a function to probe
 * @name:	its symbol
 * @traced:	ftrace patches its entry, and so plants probes there
 * @fn:		returns its argument plus one
 */
struct test_target {
	const char *name;
	bool traced;
	target_fn fn;
};

/* The same function twice: probed by breakpoint, and through ftrace if it can. */
#define NR_TARGETS	2
extern const struct test_target test_targets[NR_TARGETS];

unsigned long kprobe_test_plain(unsigned long x);
unsigned long kprobe_test_traced(unsigned long x);

/* Not probed unless a test says so: handlers call these. */
unsigned long kprobe_test_inner(unsigned long x);

/* Handlers let execution continue here in place of one of the above. Returns 1000 + x. */
unsigned long kprobe_test_elsewhere(unsigned long x);

/* A function with an entry in the exception table: *dst = *src, or -EFAULT. */
int kprobe_test_load(unsigned long *dst, const unsigned long *src);
void *test_load_insn(void);
unsigned long kprobe_test_load_one(unsigned long x);

/* Many functions; the even ones are traced, each returns its argument plus one. */
#define NR_MANY		32
extern const target_fn test_many[NR_MANY];

/* probes.c */

/**
 * struct test_probe - a kprobe that counts
 * @kp:		the kprobe
 * @pre:	how often its pre handler ran
 * @post:	how often its post handler ran
 * @arg:	the first argument of the function, at the last hit of its entry
 * @ip:		the instruction pointer at the last hit
 * @when_pre:	order of the last run of its pre handler among all test probes
 * @when_post:	the same of its post handler
 * @in_irq:	hits in hard interrupts
 * @in_nmi:	hits in NMI context
 */
struct test_probe {
	struct kprobe kp;
	atomic_t pre;
	atomic_t post;
	unsigned long arg;
	unsigned long ip;
	int when_pre;
	int when_post;
	atomic_t in_irq;
	atomic_t in_nmi;
};

#define WITH_PRE	BIT(0)
#define WITH_POST	BIT(1)

static nokprobe_inline unsigned long test_first_argument(struct pt_regs *regs)
{
#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
	return regs_get_kernel_argument(regs, 0);
#else
	return 0;
#endif
}

struct test_probe *test_probe_at(struct kunit *test, void *addr,
				 unsigned int handlers);
struct test_probe *test_probe_new(struct kunit *test, void *addr,
				  unsigned int handlers);
int test_probe_pre(struct kprobe *p, struct pt_regs *regs);
void test_probe_post(struct kprobe *p, struct pt_regs *regs,
		     unsigned long flags);
unsigned long test_entry_of(target_fn fn);

unsigned int test_expect_refused(struct kunit *test, const char * const *names, unsigned int nr);
struct arch_specific_insn test_insn_at(struct kunit *test, void *addr);

static inline int test_pre_hits(const struct test_probe *tp)
{
	return atomic_read(&tp->pre);
}

static inline int test_post_hits(const struct test_probe *tp)
{
	return atomic_read(&tp->post);
}

/* A call that the compiler cannot inline. */
static inline unsigned long call_target(target_fn fn, unsigned long x)
{
	OPTIMIZER_HIDE_VAR(fn);
	return fn(x);
}

/*
 * With PREEMPT_RT, pools grow in a thread. Let them grow for calls of @fn that recurse @x times. If
 * this returns true, forget what was missed meanwhile.
 */
static inline bool test_pool_grows_later(target_fn fn, unsigned long x)
{
	int i;

	for (i = 0; i < 4 && IS_ENABLED(CONFIG_PREEMPT_RT); i++) {
		call_target(fn, x);
		msleep(20);
	}
	return i;
}

/* Call a target @n times, and check the results. */
static inline void test_call(struct kunit *test, target_fn fn, int n)
{
	int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, call_target(fn, i), (unsigned long)i + 1);
}

/* slots_kunit.c */
bool test_page_is_named(unsigned long page, const char *want);
unsigned int test_nr_slot_pages(void);

/* contexts.c */

/**
 * struct sleepers - tasks that sleep in test_sleep_here()
 * @inside:	tasks that have entered it
 * @back:	tasks that have come back
 * @go:		lets them return
 * @exit:	let them exit in there instead
 */
struct sleepers {
	atomic_t inside;
	atomic_t back;
	struct completion go;
	bool exit;
};

struct sleepers *sleepers_make(struct kunit *test);
struct sleepers *sleepers_start(struct kunit *test, int n);
void sleepers_wake(struct sleepers *s, int n);
unsigned long test_sleep_here(unsigned long sleepers);
int test_sleeper(void *sleepers);

#define CALLS_EACH	500

/**
 * struct callers - threads that make CALLS_EACH calls each
 * @fn:		of this function
 * @nr:		threads
 * @done:	threads that have made theirs
 * @wrong:	calls with a wrong result
 */
struct callers {
	target_fn fn;
	int nr;
	atomic_t done;
	atomic_t wrong;
};

struct callers *callers_start(struct kunit *test, target_fn fn, int n);
void callers_wait(struct callers *c);

static inline bool callers_busy(const struct callers *c)
{
	return atomic_read(&c->done) < c->nr;
}

unsigned long test_call_in_irq(target_fn fn, unsigned long x);
void test_needs_two_cpus(struct kunit *test);
void test_take_long(void);
bool test_is_waited_for(target_fn fn, void (*unregister)(void *probe), void *probe);

/* nmi.c */
#ifdef CONFIG_KPROBES_KUNIT_NMI
int test_nmi_begin(void);
void test_nmi_end(void);
bool test_nmis_are_there(void);
int test_nmis_taken(void);
unsigned long test_call_in_nmi(target_fn fn, unsigned long x);
unsigned long test_nmi_result(void);
bool test_nmi_take(void);

/*
 * For architectures to provide. The first one returns -EOPNOTSUPP if this boot has no NMIs.
 */
int arch_test_nmi_begin(void);
void arch_test_nmi_end(void);
void arch_test_nmi_send(void);
bool arch_test_nmis_masked(void);
extern const bool arch_test_traps_mask_nmis;
#else
/* Without a way to raise one, in the context of the caller. */
static inline int test_nmi_begin(void)
{
	return 0;
}

static inline void test_nmi_end(void) { }

static inline unsigned long test_call_in_nmi(target_fn fn, unsigned long x)
{
	return fn(x);
}
#endif

/* stacks.c */

/**
 * struct test_trace - a call chain
 * @entries:	return addresses
 * @nr:		entries used
 */
struct test_trace {
	unsigned long entries[32];
	unsigned int nr;
};

struct test_trace *test_trace_make(struct kunit *test);
unsigned long test_trace_call(struct test_trace *tr);
void test_trace_expect_same(struct kunit *test, const struct test_trace *tr,
			    const struct test_trace *good, void *caller);
void test_trace_expect_tail(struct kunit *test, const struct test_trace *tr,
			    unsigned int skip, const struct test_trace *good);
bool test_is_inside(unsigned long addr, void *fn);

/* They call each other in this order. The second one is notrace. */
unsigned long test_trace_outer(unsigned long x);
unsigned long test_trace_middle(unsigned long x);
unsigned long test_trace_inner(unsigned long x);

#endif /* _KERNEL_KPROBES_TESTS_H */
