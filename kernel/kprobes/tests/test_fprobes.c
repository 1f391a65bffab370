// SPDX-License-Identifier: GPL-2.0-only
/* Fprobes that count and check their hits, and are unregistered at the end of the test. */
#include <linux/fprobe.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rethook.h>

#include "fprobes.h"

static atomic_t test_clock;

/* Order of an event, to be compared with when_entry and when_exit of an fprobe. */
notrace int test_fprobe_now(void)
{
	return atomic_inc_return(&test_clock);
}

NOKPROBE_SYMBOL(test_fprobe_now);

static __always_inline struct test_fprobe *to_test(struct fprobe *fp)
{
	return container_of(fp, struct test_fprobe, fp);
}

/* Checks of both handlers. Returns false if something is wrong. */
static __always_inline bool hit_is_good(struct test_fprobe *tf, unsigned long ret_ip,
					void *entry_data)
{
	bool has_data = tf->fp.exit_handler && tf->fp.entry_data_size;

	return !READ_ONCE(tf->gone) && !preemptible() && !!entry_data == has_data &&
	       !is_rethook_trampoline(ret_ip);
}

static notrace int test_entered(struct fprobe *fp, unsigned long entry_ip,
				unsigned long ret_ip, struct pt_regs *regs, void *entry_data)
{
	struct test_fprobe *tf = to_test(fp);
	struct test_call_data *data = entry_data;

	if (tf->only && tf->only != current)
		return 1;
	if (!hit_is_good(tf, ret_ip, entry_data))
		atomic_inc(&tf->bad);
	tf->entry_ip = entry_ip;
	tf->caller = ret_ip;
	tf->when_entry = test_fprobe_now();
	if (data) {
		data->arg = test_first_argument(regs);
		data->entry_ip = entry_ip;
		data->ret_ip = ret_ip;
		data->arg_again = data->arg;
	}
	if (tf->in_entry)
		tf->in_entry(7);
	return atomic_inc_return(&tf->entries) <= tf->veto;
}

NOKPROBE_SYMBOL(test_entered);

static notrace void test_returned(struct fprobe *fp, unsigned long entry_ip,
				  unsigned long ret_ip, struct pt_regs *regs, void *entry_data)
{
	struct test_fprobe *tf = to_test(fp);
	struct test_call_data *data = entry_data;

	if (!hit_is_good(tf, ret_ip, entry_data) || instruction_pointer(regs) != ret_ip)
		atomic_inc(&tf->bad);
	if (data && fp->entry_handler &&
	    (data->entry_ip != entry_ip || data->ret_ip != ret_ip || data->arg != data->arg_again ||
	     (!tf->any_value && regs_return_value(regs) != data->arg + 1)))
		atomic_inc(&tf->bad);
	tf->when_exit = test_fprobe_now();
	if (in_nmi())
		atomic_inc(&tf->in_nmi);
	else if (in_hardirq())
		atomic_inc(&tf->in_irq);
	if (tf->in_exit)
		tf->in_exit(7);
	atomic_inc(&tf->exits);
}

NOKPROBE_SYMBOL(test_returned);

static void test_fprobe_gone(void *data)
{
	struct test_fprobe *tf = data;

	if (fprobe_is_registered(&tf->fp))
		unregister_fprobe(&tf->fp);
}

/**
 * test_fprobe_make - an fprobe, not registered
 * @test: the fprobe is unregistered, if it is registered, and freed at its end
 * @with: WITH_ENTRY, WITH_EXIT, WITH_DATA
 *
 * Return: the fprobe; does not return without memory.
 */
struct test_fprobe *test_fprobe_make(struct kunit *test, unsigned int with)
{
	struct test_fprobe *tf = kunit_kzalloc(test, sizeof(*tf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tf);
	if (with & WITH_ENTRY)
		tf->fp.entry_handler = test_entered;
	if (with & WITH_EXIT)
		tf->fp.exit_handler = test_returned;
	if (with & WITH_DATA)
		tf->fp.entry_data_size = sizeof(struct test_call_data);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, test_fprobe_gone, tf), 0);
	return tf;
}

/* As test_fprobe_make(), and registered for the functions that match @filter. */
struct test_fprobe *test_fprobe_on(struct kunit *test, const char *filter,
				   unsigned int with)
{
	struct test_fprobe *tf = test_fprobe_make(test, with);

	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, filter, NULL), 0);
	return tf;
}

/* As test_fprobe_make(), and registered for exactly one function. */
struct test_fprobe *test_fprobe_at(struct kunit *test, target_fn fn, unsigned int with)
{
	struct test_fprobe *tf = test_fprobe_make(test, with);
	unsigned long addr = fprobe_test_address(fn);

	KUNIT_ASSERT_EQ(test, register_fprobe_ips(&tf->fp, &addr, 1), 0);
	return tf;
}

/* Expect these numbers of runs of the handlers, without errors, and of misses. */
void test_fprobe_expect(struct kunit *test, struct test_fprobe *tf, int entries,
			int exits, unsigned long nmissed)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->entries), entries);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->exits), exits);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->bad), 0);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, nmissed);
}

/* No hit so far. */
void test_fprobe_reset(struct test_fprobe *tf)
{
	atomic_set(&tf->entries, 0);
	atomic_set(&tf->exits, 0);
	atomic_set(&tf->in_irq, 0);
	atomic_set(&tf->in_nmi, 0);
}
