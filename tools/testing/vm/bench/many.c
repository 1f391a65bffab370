// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many kprobes: as a crowd for one that is hit, and what it costs to attach and detach them.
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

/* Up to so many are one in a function. More are in all places of fewer functions. */
#define ONE_EACH	4096

static struct kprobe *many_kp;
struct kprobe **many;		/* those of them that are registered, or will be */
unsigned int nr_many;

/**
 * free_many - forget about them
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
 * alloc_many - make room for kprobes
 * @n: so many
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
 * add_many - one more, not registered
 * @addr: where it is to go
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
 * clear_many - unregister them all, and forget about them
 */
void clear_many(void)
{
	if (nr_many)
		unregister_kprobes(many, nr_many);
	free_many();
}

/* Register one if an instruction begins there that may be probed. */
static bool try_many(void *addr)
{
	add_many(addr);
	if (!register_kprobe(many[nr_many - 1]))
		return true;
	nr_many--;
	return false;
}

/* Where a function ends of which ftrace knows this place, at its start. */
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

/* Breakpoints behind the instruction that is ftrace's, one or as many of n as go there. */
static void fill_function(unsigned long place, unsigned int n, bool one)
{
	unsigned long addr, end = function_end(place);

	for (addr = place + MCOUNT_INSN_SIZE; addr < end && nr_many < n; addr++) {
		if (try_many((void *)addr) && one)
			return;
	}
}

/**
 * set_many_inside - breakpoints inside of functions
 * @n: how many
 *
 * Return: 0, -ENOSPC if there are not as many places, -ENOMEM.
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

/* Probes at the entries of n functions, not yet registered. */
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

/* An instruction inside of each of n functions. Which ones may be probed is found by trying. */
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

/* Functions of this module. */
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
 * @name: what it is called
 * @number: how many; the fewer the longer one takes
 * @prepare: have the probes in many[], not registered; 0 or an errno
 * @attach: register the probes in many[]; 0, or an errno and none is registered
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
 * measure_attach - what it takes to attach and to detach many
 * @name: in which way
 * @result: receives the lines to read
 * @size: room there
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
