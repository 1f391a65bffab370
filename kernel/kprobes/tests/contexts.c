// SPDX-License-Identifier: GPL-2.0-only
/* Calls in other contexts: in tasks that sleep, in many tasks, in interrupts. */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "tests.h"

noinline __noclone unsigned long test_sleep_here(unsigned long arg)
{
	struct sleepers *s = (struct sleepers *)arg;

	atomic_inc(&s->inside);
	wake_up_var(&s->inside);
	wait_for_completion(&s->go);
	if (s->exit) {
		atomic_inc(&s->back);
		wake_up_var(&s->back);
		kthread_exit(0);
	}
	return arg + 1;
}

int test_sleeper(void *data)
{
	struct sleepers *s = data;

	if (READ_ONCE(s)->exit)
		test_sleep_here((unsigned long)s);
	WARN_ON_ONCE(test_sleep_here((unsigned long)s) != (unsigned long)s + 1);
	atomic_inc(&s->back);
	wake_up_var(&s->back);
	return 0;
}

struct sleepers *sleepers_make(struct kunit *test)
{
	struct sleepers *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	init_completion(&s->go);
	return s;
}

/* Returns when @n tasks are asleep in test_sleep_here(). */
struct sleepers *sleepers_start(struct kunit *test, int n)
{
	struct sleepers *s = sleepers_make(test);
	int i;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(test_sleeper, s,
							    "kprobes_sleep")));
	wait_var_event(&s->inside, atomic_read(&s->inside) == n);
	return s;
}

/* Returns when they have come back. */
void sleepers_wake(struct sleepers *s, int n)
{
	complete_all(&s->go);
	wait_var_event(&s->back, atomic_read(&s->back) == n);
}

static int caller_thread(void *data)
{
	struct callers *c = data;
	unsigned long i;

	for (i = 0; i < CALLS_EACH; i++) {
		if (c->fn(i) != i + 1)
			atomic_inc(&c->wrong);
		/* So that other tasks run in between. */
		if (i % 8 == 0)
			schedule();
	}
	atomic_inc(&c->done);
	wake_up_var(&c->done);
	return 0;
}

/* @n threads, each of which calls @fn CALLS_EACH times. */
struct callers *callers_start(struct kunit *test, target_fn fn, int n)
{
	struct callers *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct task_struct *task;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->fn = fn;
	c->nr = n;
	for (i = 0; i < n; i++) {
		task = kthread_run(caller_thread, c, "kprobes_call");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	}
	return c;
}

void callers_wait(struct callers *c)
{
	wait_var_event(&c->done, !callers_busy(c));
}

/**
 * struct irq_call - calls a function in a hard interrupt
 * @work:	raises the interrupt
 * @fn:		the function
 * @x:		its argument
 * @result:	what it returned
 */
struct irq_call {
	struct irq_work work;
	target_fn fn;
	unsigned long x;
	unsigned long result;
};

static void call_in_irq(struct irq_work *work)
{
	struct irq_call *c = container_of(work, struct irq_call, work);

	c->result = c->fn(c->x);
}

/* fn(x), in a hard interrupt. */
unsigned long test_call_in_irq(target_fn fn, unsigned long x)
{
	struct irq_call c = {
		.work = IRQ_WORK_INIT_HARD(call_in_irq),
		.fn = fn,
		.x = x,
	};

	irq_work_queue(&c.work);
	irq_work_sync(&c.work);
	return c.result;
}

/* A handler that runs on another CPU while its probe is unregistered. Not locked: one at a time. */
static struct {
	target_fn fn;
	bool began;
	bool ends;
} long_handler;

/* Called by the handler. Takes so long that a function that does not wait returns earlier. */
void test_take_long(void)
{
	int i;

	WRITE_ONCE(long_handler.began, true);
	for (i = 0; i < 300000; i++)
		cpu_relax();
	WRITE_ONCE(long_handler.ends, true);
}

NOKPROBE_SYMBOL(test_take_long);

static int call_once(void *data)
{
	long_handler.fn(1);
	while (!kthread_should_stop())
		schedule();
	return 0;
}

/* Before a probe is registered that is not unregistered at the end of the test. */
void test_needs_two_cpus(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
}

/* A hang is a failure after so long. */
#define TIME_LIMIT	(60 * HZ)

/**
 * test_is_waited_for - is a handler on another CPU waited for?
 * @fn: a call of it runs the handler, which calls test_take_long()
 * @unregister: unregisters the probe; it is always called
 * @probe: its argument
 *
 * The caller has called test_needs_two_cpus().
 *
 * Return: false if @unregister returned while the handler ran, or if the handler did not run.
 */
bool test_is_waited_for(target_fn fn, void (*unregister)(void *probe), void *probe)
{
	unsigned long last = jiffies + TIME_LIMIT;
	struct task_struct *task;
	unsigned int cpu;
	bool waited;

	long_handler.fn = fn;
	long_handler.began = false;
	long_handler.ends = false;
	migrate_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	task = kthread_run_on_cpu(call_once, NULL, cpu, "kprobes_long/%u");
	if (IS_ERR(task)) {
		migrate_enable();
		unregister(probe);
		return false;
	}
	while (!READ_ONCE(long_handler.began) && time_before(jiffies, last))
		cond_resched();
	unregister(probe);
	waited = READ_ONCE(long_handler.ends);
	migrate_enable();
	kthread_stop(task);
	return waited;
}
