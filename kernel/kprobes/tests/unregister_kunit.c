// SPDX-License-Identifier: GPL-2.0-only
/* When unregistration has returned, no handler runs, not even on another CPU. */
#include <linux/kprobes.h>

#include "jumps.h"

/**
 * struct place - a probe that takes long
 * @name:	how it is planted
 * @fn:		the function to call
 * @method:	the method of its site; where it depends on the configuration, SITE_UNPLANTED
 */
struct place {
	const char *name;
	target_fn fn;
	enum site_method method;
};

static const struct place places[] = {
	{ "breakpoint", kprobe_test_load_one, SITE_BREAKPOINT },
	{ "jump", kprobe_test_plain, SITE_JUMP },
	{ "traced", kprobe_test_traced, SITE_UNPLANTED },
};

KUNIT_ARRAY_PARAM_DESC(place, places, name);

static void *addr_of(const struct place *pl)
{
	return pl->method == SITE_BREAKPOINT ? test_load_insn() : (void *)pl->fn;
}

static int long_pre(struct kprobe *p, struct pt_regs *regs)
{
	test_take_long();
	return 0;
}

NOKPROBE_SYMBOL(long_pre);

static void long_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	test_take_long();
}

NOKPROBE_SYMBOL(long_post);

static void unregister_this(void *kp)
{
	unregister_kprobe(kp);
}

/* Another probe stays there. Otherwise text is patched, which takes time. */
static void probe_waits(struct kunit *test, const struct place *pl, struct kprobe *kp)
{
	enum site_method method;
	struct test_probe *stays;

	test_needs_two_cpus(test);
	stays = test_probe_new(test, addr_of(pl), WITH_PRE | WITH_POST);
	kp->addr = addr_of(pl);
	KUNIT_ASSERT_EQ(test, register_kprobe(kp), 0);
	method = test_method_in_the_end(stays->kp.addr);
	if (pl->method != SITE_UNPLANTED)
		KUNIT_EXPECT_EQ(test, method, pl->method);
	KUNIT_EXPECT_TRUE(test, test_is_waited_for(pl->fn, unregister_this, kp));
	KUNIT_EXPECT_EQ(test, test_pre_hits(stays), 1);
}

static void pre_handler(struct kunit *test)
{
	struct kprobe kp = { .pre_handler = long_pre };

	probe_waits(test, test->param_value, &kp);
}

static void post_handler(struct kunit *test)
{
	struct kprobe kp = { .post_handler = long_post };

	probe_waits(test, test->param_value, &kp);
}

static int long_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	test_take_long();
	return 0;
}

NOKPROBE_SYMBOL(long_return);

/* The return is not hooked. */
static int long_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	test_take_long();
	return 1;
}

NOKPROBE_SYMBOL(long_entry);

static void unregister_return(void *rp)
{
	unregister_kretprobe(rp);
}

static void return_waits(struct kunit *test, struct kretprobe *rp)
{
	const struct test_target *t = test->param_value;

	test_needs_two_cpus(test);
	test_probe_new(test, t->fn, WITH_PRE);
	rp->kp.addr = (kprobe_opcode_t *)t->fn;
	KUNIT_ASSERT_EQ(test, register_kretprobe(rp), 0);
	wait_for_kprobe_optimizer();
	KUNIT_EXPECT_TRUE(test, test_is_waited_for(t->fn, unregister_return, rp));
}

static void return_handler(struct kunit *test)
{
	struct kretprobe rp = { .handler = long_return };

	return_waits(test, &rp);
}

static void entry_handler(struct kunit *test)
{
	struct kretprobe rp = { .handler = long_return, .entry_handler = long_entry };

	return_waits(test, &rp);
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case unregister_cases[] = {
	KUNIT_CASE_PARAM(pre_handler, place_gen_params),
	KUNIT_CASE_PARAM(post_handler, place_gen_params),
	KUNIT_CASE_PARAM(return_handler, target_gen_params),
	KUNIT_CASE_PARAM(entry_handler, target_gen_params),
	{}
};

static struct kunit_suite unregister_suite = {
	.name = "kprobes_unregister",
	.test_cases = unregister_cases,
};

kunit_test_suite(unregister_suite);
