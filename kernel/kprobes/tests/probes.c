// SPDX-License-Identifier: GPL-2.0-only
/* Probes that count their hits and go away with the test that made them. */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>

#include "tests.h"

static atomic_t test_clock;

/* Handlers must not be probed, because hitpath_kunit.c probes all functions. */
int test_probe_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->pre);
	tp->arg = test_first_argument(regs);
	tp->ip = instruction_pointer(regs);
	tp->when_pre = atomic_inc_return(&test_clock);
	if (in_hardirq())
		atomic_inc(&tp->in_irq);
	return 0;
}

NOKPROBE_SYMBOL(test_probe_pre);

void test_probe_post(struct kprobe *p, struct pt_regs *regs,
		     unsigned long flags)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->post);
	tp->when_post = atomic_inc_return(&test_clock);
}

NOKPROBE_SYMBOL(test_probe_post);

#ifdef CONFIG_DYNAMIC_FTRACE
#define FTRACE_INSNS_SIZE	MCOUNT_INSN_SIZE
#else
#define FTRACE_INSNS_SIZE	0
#endif

/**
 * test_entry_of - find the address of a probe on a function's entry
 * @fn: the function
 *
 * Return: the address behind a landing pad, and behind the instructions that ftrace patches if
 * probes are not planted through ftrace.
 */
unsigned long test_entry_of(target_fn fn)
{
	unsigned long addr;
	bool on_entry;

	addr = (unsigned long)arch_adjust_kprobe_addr((unsigned long)fn, 0, &on_entry);
	if (!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE) && ftrace_location(addr) == addr)
		addr += FTRACE_INSNS_SIZE;
	return addr;
}

static void test_probe_gone(void *kp)
{
	unregister_kprobe(kp);
}

/**
 * test_probe_at - a probe, not registered
 * @test: the probe is unregistered, if it is registered, and freed at its end
 * @addr: the address to probe
 * @handlers: WITH_PRE, WITH_POST
 *
 * Return: the probe; does not return without memory.
 */
struct test_probe *test_probe_at(struct kunit *test, void *addr,
				 unsigned int handlers)
{
	struct test_probe *tp = kunit_kzalloc(test, sizeof(*tp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tp);
	tp->kp.addr = addr;
	if (handlers & WITH_PRE)
		tp->kp.pre_handler = test_probe_pre;
	if (handlers & WITH_POST)
		tp->kp.post_handler = test_probe_post;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, test_probe_gone,
						  &tp->kp));
	return tp;
}

/* As test_probe_at(), and registered. */
struct test_probe *test_probe_new(struct kunit *test, void *addr,
				  unsigned int handlers)
{
	struct test_probe *tp = test_probe_at(test, addr, handlers);

	KUNIT_ASSERT_EQ(test, 0, register_kprobe(&tp->kp));
	return tp;
}

static void expect_refused(struct kunit *test, const char *name, unsigned long addr)
{
	struct kprobe kp = { .symbol_name = name };
	int ret = register_kprobe(&kp);
	unsigned long size, offset;

	KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "%s", name);
	if (!ret)
		unregister_kprobe(&kp);
	KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr), "%s", name);
	if (kallsyms_lookup_size_offset(addr, &size, &offset) && size)
		KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr + size - 1),
				      "the end of %s", name);
}

/* No probe may be in these functions, from end to end. Returns how many of them are there. */
unsigned int test_expect_refused(struct kunit *test, const char * const *names, unsigned int nr)
{
	unsigned int i, found = 0;
	unsigned long addr;

	for (i = 0; i < nr; i++) {
		addr = kallsyms_lookup_name(names[i]);
		if (!addr)
			continue;
		found++;
		expect_refused(test, names[i], addr);
	}
	kunit_info(test, "%u of %u functions are there", found, nr);
	return found;
}

/* What the architecture keeps about the instruction of the site at @addr. */
struct arch_specific_insn test_insn_at(struct kunit *test, void *addr)
{
	struct arch_specific_insn ainsn = {};
	struct kprobe *p;

	preempt_disable();
	p = get_kprobe(addr);
	if (p)
		ainsn = p->ainsn;
	preempt_enable();

	KUNIT_ASSERT_NOT_NULL(test, p);
	return ainsn;
}
