// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module of functions with equal names, and with names that compilers give to clones of a
 * function, for tools/testing/selftests/kprobes/all_of_a_name.sh.
 *
 * See kprobe_test_calls.h for its parameters. Loading it calls each function once.
 */
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "kprobe_test_calls.h"
#include "kprobe_test_names.h"

/* A unique symbol, before the ambiguous ones. */
NAMED(first, "names_first");

static unsigned long first(unsigned long x)
{
	return names_plus_one(x, 2);
}

NAMED(same, "names_same");

static unsigned long same(unsigned long x)
{
	return names_plus_one(x, 3);
}

NAMED(cloned, "names_cloned");

static unsigned long cloned(unsigned long x)
{
	return names_plus_one(x, 5);
}

NAMED(cloned_isra, "names_cloned.isra.0");

static unsigned long cloned_isra(unsigned long x)
{
	return names_plus_one(x, 6);
}

NAMED(cloned_both, "names_cloned.isra.0.constprop.12");

static unsigned long cloned_both(unsigned long x)
{
	return names_plus_one(x, 7);
}

NAMED(cloned_part, "names_cloned.part.1");

static unsigned long cloned_part(unsigned long x)
{
	return names_plus_one(x, 8);
}

NAMED(cloned_llvm, "names_cloned.llvm.11847363542");

static unsigned long cloned_llvm(unsigned long x)
{
	return names_plus_one(x, 9);
}

/* These are others. */
NAMED(cloned_more, "names_cloned_more");

static unsigned long cloned_more(unsigned long x)
{
	return names_plus_one(x, 11);
}

NAMED(cloned_odd, "names_cloned.isra.x");

static unsigned long cloned_odd(unsigned long x)
{
	return names_plus_one(x, 12);
}

NAMED(only_part, "names_only.part.0");

static unsigned long only_part(unsigned long x)
{
	return names_plus_one(x, 13);
}

/* Events refuse notrace functions. */
NAMED(mixed, "names_mixed");

static unsigned long mixed(unsigned long x)
{
	return names_plus_one(x, 14);
}

NAMED(dark, "names_dark");

static notrace unsigned long dark(unsigned long x)
{
	return names_plus_one(x, 15);
}

NAMED(black, "names_black");

static unsigned long black(unsigned long x)
{
	return names_plus_one(x, 16);
}

NOKPROBE_SYMBOL(black);

NAMED(early, "names_early");

static __init unsigned long early(unsigned long x)
{
	return names_plus_one(x, 17);
}

static void call_all(unsigned int n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		wrong += first(i) != i + 1;
		wrong += same(i) != i + 1;
		wrong += cloned(i) != i + 1;
		wrong += cloned_isra(i) != i + 1;
		wrong += cloned_both(i) != i + 1;
		wrong += cloned_part(i) != i + 1;
		wrong += cloned_llvm(i) != i + 1;
		wrong += cloned_more(i) != i + 1;
		wrong += cloned_odd(i) != i + 1;
		wrong += only_part(i) != i + 1;
		wrong += mixed(i) != i + 1;
		wrong += dark(i) != i + 1;
		wrong += black(i) != i + 1;
		wrong += names_call_second(i);
	}
}

static int __init names_init(void)
{
	wrong += early(1) != 2;
	call_all(1);
	return 0;
}

static void __exit names_exit(void)
{
}

module_init(names_init);
module_exit(names_exit);
MODULE_DESCRIPTION("Functions of the same name for the kprobes selftests to probe");
MODULE_LICENSE("GPL");
