// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many kprobes: register them beside a probe that is hit, and measure the cost
 * of registering and unregistering them.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "probe_bench.h"

/*
 * Up to this number, put each probe in another function. For more probes, fill
 * each function with probes.
 */
#define ONE_EACH	4096

static struct kprobe *many_kp;
struct kprobe **many;		/* probes that are registered, or will be */
unsigned int nr_many;

/**
 * free_many - free the array of kprobes
 */
void free_many(void)
{
	kvfree(many_kp);
	kvfree(many);
	many_kp = NULL;
	many = NULL;
	nr_many = 0;
}

/**
 * alloc_many - allocate kprobes
 * @n: number of kprobes
 *
 * Return: 0 or -ENOMEM.
 */
int alloc_many(unsigned int n)
{
	many_kp = kvcalloc(n, sizeof(*many_kp), GFP_KERNEL);
	many = kvcalloc(n, sizeof(*many), GFP_KERNEL);
	if (many_kp && many)
		return 0;
	free_many();
	return -ENOMEM;
}

/**
 * add_many - add a kprobe without registering it
 * @addr: its address
 */
void add_many(void *addr)
{
	struct kprobe *kp = &many_kp[nr_many];

	memset(kp, 0, sizeof(*kp));
	kp->addr = addr;
	kp->pre_handler = bench_pre;
	many[nr_many++] = kp;
}

/**
 * clear_many - unregister all, and free the array
 */
void clear_many(void)
{
	if (nr_many)
		unregister_kprobes(many, nr_many);
	free_many();
}

/* Register a kprobe, if the address is an instruction that can be probed. */
static bool try_many(void *addr)
{
	add_many(addr);
	if (!register_kprobe(many[nr_many - 1]))
		return true;
	nr_many--;
	return false;
}

/* The end of a function, by the address that ftrace has for it. */
static unsigned long function_end(unsigned long place)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned long offset, size;
	char *where;

	sprint_symbol(text, place);
	where = strchr(text, '+');
	if (!where || sscanf(where, "+0x%lx/0x%lx", &offset, &size) != 2)
		return place;
	return place - offset + size;
}

/* Register one breakpoint, or up to n, after the instruction ftrace patches. */
static void fill_function(unsigned long place, unsigned int n, bool one)
{
	unsigned long addr, end = function_end(place);

	for (addr = place + MCOUNT_INSN_SIZE; addr < end && nr_many < n; addr++) {
		if (try_many((void *)addr) && one)
			return;
	}
}

/**
 * set_many_inside - register breakpoints inside of functions
 * @n: number of breakpoints
 *
 * Return: 0, -ENOSPC if there are fewer places, or -ENOMEM.
 */
int set_many_inside(unsigned int n)
{
	unsigned int i;
	int ret;

	ret = alloc_many(n);
	if (ret)
		return ret;
	for (i = 0; i < nr_places && nr_many < n; i++) {
		fill_function(places[i], n, n <= ONE_EACH);
		cond_resched();
	}
	if (nr_many == n)
		return 0;
	clear_many();
	return -ENOSPC;
}

/* Add probes at the entries of n functions, without registering them. */
static int prepare_entries(unsigned int n)
{
	int ret;

	if (n > nr_places)
		return -ENOSPC;
	ret = alloc_many(n);
	if (ret)
		return ret;
	while (nr_many < n)
		add_many((void *)places[nr_many]);
	return 0;
}

/*
 * Add a probe inside of each of n functions. Try which instructions can be
 * probed.
 */
static int prepare_inside(unsigned int n)
{
	unsigned int i;
	int ret;

	ret = set_many_inside(n);
	if (ret)
		return ret;
	unregister_kprobes(many, n);
	for (i = 0; i < n; i++)
		*many[i] = (struct kprobe) { .addr = many[i]->addr, .pre_handler = bench_pre };
	return 0;
}

/* Add probes at n functions of this module, without registering them. */
static int prepare_crowd(unsigned int n)
{
	int ret;

	ret = alloc_many(n);
	if (ret)
		return ret;
	while (nr_many < n)
		add_many(crowd_member(nr_many));
	return 0;
}

static int attach_batch(void)
{
	return register_kprobes(many, nr_many);
}

static void detach_batch(void)
{
	unregister_kprobes(many, nr_many);
}

static void detach_single(void)
{
	unsigned int i;

	for (i = 0; i < nr_many; i++)
		unregister_kprobe(many[i]);
}

static int attach_single(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr_many; i++) {
		ret = register_kprobe(many[i]);
		if (ret) {
			nr_many = i;
			detach_single();
			return ret;
		}
	}
	return 0;
}

/**
 * struct bench_attach - a way to attach many probes, and to detach them
 * @name: its name
 * @number: number of probes, fewer if each takes long
 * @prepare: add probes to many[] without registering them; returns 0 or an errno
 * @attach: register the probes in many[]; returns 0, or an errno if none is registered
 * @detach: unregister them
 */
struct bench_attach {
	const char *name;
	unsigned int number;
	int (*prepare)(unsigned int n);
	int (*attach)(void);
	void (*detach)(void);
};

static const struct bench_attach attaches[] = {
	{ "batch", 512, prepare_entries, attach_batch, detach_batch },
	{ "single", 64, prepare_entries, attach_single, detach_single },
	{ "batch-inside", 512, prepare_inside, attach_batch, detach_batch },
	{ "batch-module", CROWD, prepare_crowd, attach_batch, detach_batch },
	{ "single-module", 64, prepare_crowd, attach_single, detach_single },
	{ "single-inside", 64, prepare_inside, attach_single, detach_single },
};

static const struct bench_attach *find_attach(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attaches); i++) {
		if (!strcmp(name, attaches[i].name))
			return &attaches[i];
	}
	return NULL;
}

/**
 * measure_attach - measure what attaching and detaching many probes costs
 * @name: name of the way
 * @result: receives the lines of the results
 * @size: size of @result
 *
 * Return: 0, -ENOENT if there is no such way, or an errno from registration.
 */
int measure_attach(const char *name, char *result, size_t size)
{
	const struct bench_attach *how = find_attach(name);
	u64 start, between, end;
	int ret;

	if (!how)
		return -ENOENT;
	ret = how->prepare(how->number);
	if (ret)
		return ret;
	start = bench_ticks();
	ret = how->attach();
	between = bench_ticks();
	if (!ret) {
		how->detach();
		end = bench_ticks();
		scnprintf(result, size, "row register-%s %llu %u 0\nrow unregister-%s %llu %u 0",
			  how->name, between - start, nr_many,
			  how->name, end - between, nr_many);
	}
	free_many();
	return ret;
}
