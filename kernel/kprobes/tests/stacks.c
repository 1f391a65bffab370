// SPDX-License-Identifier: GPL-2.0-only
/* Stack traces: functions that take one, and checks of traces taken while they are hooked. */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/stacktrace.h>

#include "tests.h"

static struct test_trace *trace_inside;

static noinline void trace_take(struct test_trace *tr)
{
	tr->nr = stack_trace_save(tr->entries, ARRAY_SIZE(tr->entries), 0);
}

noinline __noclone unsigned long test_trace_inner(unsigned long x)
{
	trace_take(trace_inside);
	OPTIMIZER_HIDE_VAR(x);
	return x + 1;
}

noinline __noclone notrace unsigned long test_trace_middle(unsigned long x)
{
	x = test_trace_inner(x);
	OPTIMIZER_HIDE_VAR(x);
	return x;
}

noinline __noclone unsigned long test_trace_outer(unsigned long x)
{
	x = test_trace_middle(x) + 1;
	OPTIMIZER_HIDE_VAR(x);
	return x - 1;
}

/* Call the functions, always from the same address. @tr receives the trace taken inside. */
noinline unsigned long test_trace_call(struct test_trace *tr)
{
	trace_inside = tr;
	return test_trace_outer(1);
}

struct test_trace *test_trace_make(struct kunit *test)
{
	struct test_trace *tr = kunit_kzalloc(test, sizeof(*tr), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tr);
	return tr;
}

static void expect_no_trampoline(struct kunit *test, const struct test_trace *tr)
{
	unsigned int i;

	for (i = 0; i < tr->nr; i++)
		KUNIT_EXPECT_FALSE(test, is_kretprobe_trampoline(tr->entries[i]));
}

/* Is @addr in the function @fn? */
bool test_is_inside(unsigned long addr, void *fn)
{
	unsigned long size, offset;

	return kallsyms_lookup_size_offset(addr, &size, &offset) &&
	       addr - offset == (unsigned long)dereference_kernel_function_descriptor(fn);
}

/*
 * Two traces of the same calls have the same addresses. Only the address in @caller, which makes
 * the calls, may differ, because it makes them at two places.
 */
void test_trace_expect_same(struct kunit *test, const struct test_trace *tr,
			    const struct test_trace *good, void *caller)
{
	unsigned int i, same = 0;

	KUNIT_EXPECT_GT(test, good->nr, 5);
	KUNIT_ASSERT_EQ(test, tr->nr, good->nr);
	expect_no_trampoline(test, tr);
	for (i = 0; i < good->nr; i++) {
		if (test_is_inside(good->entries[i], caller))
			continue;
		KUNIT_EXPECT_EQ_MSG(test, tr->entries[i], good->entries[i],
				    "%pS instead of %pS", (void *)tr->entries[i],
				    (void *)good->entries[i]);
		same++;
	}
	KUNIT_EXPECT_GT(test, same, 4);
}

/* @tr, but for the @skip innermost, is the outer part of @good. */
void test_trace_expect_tail(struct kunit *test, const struct test_trace *tr,
			    unsigned int skip, const struct test_trace *good)
{
	unsigned int i, at;

	KUNIT_ASSERT_GT(test, tr->nr, skip + 3);
	KUNIT_ASSERT_GE(test, good->nr, tr->nr - skip);
	expect_no_trampoline(test, tr);
	at = good->nr - tr->nr;
	for (i = skip; i < tr->nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, tr->entries[i], good->entries[at + i],
				    "%pS instead of %pS", (void *)tr->entries[i],
				    (void *)good->entries[at + i]);
}
