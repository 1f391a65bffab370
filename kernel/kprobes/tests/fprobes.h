/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers for the tests of fprobes: functions to hook, and fprobes that count.
 */
#ifndef _KERNEL_KPROBES_TESTS_FPROBES_H
#define _KERNEL_KPROBES_TESTS_FPROBES_H

#include <linux/atomic.h>
#include <linux/fprobe.h>
#include <linux/kallsyms.h>

#include "tests.h"

/* fprobe_targets.c. Each returns its argument plus one. */

unsigned long fprobe_test_one(unsigned long x);
unsigned long fprobe_test_two(unsigned long x);
unsigned long fprobe_test_three(unsigned long x);

/* A notrace function. */
unsigned long fprobe_test_hidden(unsigned long x);

/* Calls itself with x - 1 unless x is 0. */
unsigned long fprobe_test_recurse(unsigned long x);

/* Ends in a jump to fprobe_test_one(). */
unsigned long fprobe_test_tail(unsigned long x);

/* Calls a function and returns its result. The call is not a tail call. */
unsigned long fprobe_test_call(target_fn fn, unsigned long x);

/* Each returns its argument plus one; "fprobe_many_*" matches all of them and nothing else. */
#define NR_FPROBE_MANY	1000
extern const target_fn fprobe_many[NR_FPROBE_MANY];

static inline unsigned long fprobe_test_address(target_fn fn)
{
	return (unsigned long)dereference_kernel_function_descriptor(fn);
}

/* test_fprobes.c */

/**
 * struct test_fprobe - an fprobe that counts
 * @fp:		the fprobe
 * @entries:	runs of the entry handler
 * @exits:	runs of the exit handler
 * @bad:	runs of either with a wrong argument, result or state
 * @in_irq:	exits in hard interrupts
 * @in_nmi:	exits in NMI context
 * @only:	count calls of this task only; NULL for all tasks
 * @veto:	number of entries at which the entry handler returns non-zero
 * @any_value:	the function does not return its argument plus one
 * @gone:	no handler may run any more
 * @entry_ip:	@entry_ip of the last entry
 * @caller:	@ret_ip of the last entry
 * @when_entry:	order of the last entry among all test fprobes
 * @when_exit:	the same of its last exit
 * @in_entry:	called by the entry handler, unless NULL
 * @in_exit:	called by the exit handler, unless NULL
 */
struct test_fprobe {
	struct fprobe fp;
	atomic_t entries;
	atomic_t exits;
	atomic_t bad;
	atomic_t in_irq;
	atomic_t in_nmi;
	struct task_struct *only;
	int veto;
	bool any_value;
	bool gone;
	unsigned long entry_ip;
	unsigned long caller;
	int when_entry;
	int when_exit;
	target_fn in_entry;
	target_fn in_exit;
};

/* Data that the two handlers share; it is at both ends of a larger entry_data. */
struct test_call_data {
	unsigned long arg;
	unsigned long entry_ip;
	unsigned long ret_ip;
	unsigned long pad[20];
	unsigned long arg_again;
};

#define WITH_ENTRY	BIT(0)
#define WITH_EXIT	BIT(1)
#define WITH_DATA	BIT(2)
#define WITH_ALL	(WITH_ENTRY | WITH_EXIT | WITH_DATA)

struct test_fprobe *test_fprobe_make(struct kunit *test, unsigned int with);
struct test_fprobe *test_fprobe_on(struct kunit *test, const char *filter,
				   unsigned int with);
struct test_fprobe *test_fprobe_at(struct kunit *test, target_fn fn, unsigned int with);
void test_fprobe_expect(struct kunit *test, struct test_fprobe *tf, int entries,
			int exits, unsigned long nmissed);
void test_fprobe_reset(struct test_fprobe *tf);
int test_fprobe_now(void);

#endif /* _KERNEL_KPROBES_TESTS_FPROBES_H */
