// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes: which functions a name or a pattern means.
 *
 * What is found is where ftrace calls from, in ascending order, each once.
 */
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "fprobe_internal.h"
#include "trace.h"

static int compare_ips(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/**
 * fprobe_sort_ips - sort addresses, each once
 * @ips: the addresses
 * @nr: how many
 *
 * Return: how many are left.
 */
unsigned int fprobe_sort_ips(unsigned long *ips, unsigned int nr)
{
	unsigned int i, kept = 0;

	sort(ips, nr, sizeof(*ips), compare_ips, NULL);
	for (i = 0; i < nr; i++) {
		if (!kept || ips[kept - 1] != ips[i])
			ips[kept++] = ips[i];
	}
	return kept;
}

/**
 * struct namesakes - the functions of one name
 * @name: the name
 * @nr: how many there are
 * @ip: where ftrace calls from in them
 * @unsure: there may be more
 */
struct namesakes {
	const char	*name;
	unsigned int	nr;
	unsigned long	ip[8];
	bool		unsure;
};

/*
 * Not those that go by another name mostly. What is farther behind the address may belong
 * to a function that the linker dropped, without a name.
 */
static int add_namesake(void *data, unsigned long addr)
{
	unsigned long ip = ftrace_location(addr);
	struct namesakes *found = data;
	char name[KSYM_NAME_LEN];

	if (!ip || lookup_symbol_name(addr, name) || strcmp(name, found->name))
		return 0;
	found->unsure = ip - addr > ARCH_ENTRY_REACH || found->nr == ARRAY_SIZE(found->ip);
	if (!found->unsure)
		found->ip[found->nr++] = ip;
	return found->unsure;
}

static int add_module_namesake(void *data, const char *name, unsigned long addr)
{
	struct namesakes *found = data;

	return strcmp(name, found->name) ? 0 : add_namesake(found, addr);
}

/**
 * fprobe_is_name - is it a name, and no pattern?
 * @filter: what it may be
 *
 * Return: true if so.
 */
bool fprobe_is_name(const char *filter)
{
	const char *c;

	for (c = filter; *c; c++) {
		if (!isalnum(*c) && *c != '_' && *c != '.')
			return false;
	}
	return *filter && !isdigit(*filter);
}

static unsigned long *copy_sorted(const unsigned long *ips, unsigned int *nr)
{
	unsigned long *copy = kvmalloc_array(*nr, sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	memcpy(copy, ips, array_size(*nr, sizeof(*copy)));
	*nr = fprobe_sort_ips(copy, *nr);
	return copy;
}

/*
 * A pattern has to be compared to the name of each function that ftrace knows; for a name,
 * the few that have it are found at once, or that there is none. NULL if this way leads nowhere.
 */
static unsigned long *find_name(const char *name, unsigned int *nr)
{
	struct namesakes found = { .name = name };

	if (!fprobe_is_name(name))
		return NULL;
	kallsyms_on_each_match_symbol(add_namesake, name, &found);
	if (!found.unsure)
		module_kallsyms_on_each_symbol(NULL, add_module_namesake, &found);
	if (found.unsure)
		return NULL;
	if (!found.nr)
		return ERR_PTR(-EINVAL);
	*nr = found.nr;
	return copy_sorted(found.ip, nr);
}

/*
 * Patterns are ftrace's matter. An ftrace_ops that is never registered takes them and
 * holds the functions that match.
 */
static int set_patterns(struct ftrace_ops *scratch, const char *filter, const char *notfilter)
{
	char *pattern __free(kfree) = kstrdup(filter, GFP_KERNEL);
	char *but __free(kfree) = notfilter ? kstrdup(notfilter, GFP_KERNEL) : NULL;
	int ret;

	if (!pattern || (notfilter && !but))
		return -ENOMEM;
	ret = ftrace_set_filter(scratch, pattern, strlen(pattern), 0);
	if (!ret && but)
		ret = ftrace_set_notrace(scratch, but, strlen(but), 0);
	return ret;
}

/* What matched, into @ips; returns how many. */
static unsigned int selected(struct ftrace_ops *scratch, unsigned long *ips)
{
	struct ftrace_hash *set = rcu_dereference_raw(scratch->func_hash->filter_hash);
	struct ftrace_hash *but = rcu_dereference_raw(scratch->func_hash->notrace_hash);
	struct ftrace_func_entry *entry;
	unsigned int i, nr = 0;

	for (i = 0; i < 1U << set->size_bits; i++) {
		hlist_for_each_entry(entry, &set->buckets[i], hlist) {
			if (!ftrace_lookup_ip(but, entry->ip))
				ips[nr++] = entry->ip;
		}
	}
	return fprobe_sort_ips(ips, nr);
}

static unsigned long *find_selected(struct ftrace_ops *scratch, unsigned int *nr)
{
	struct ftrace_hash *set = rcu_dereference_raw(scratch->func_hash->filter_hash);
	unsigned long *ips;

	/* "!pattern" is a match, and selects nothing. */
	if (ftrace_hash_empty(set))
		return ERR_PTR(-EINVAL);
	ips = kvmalloc_array(set->count, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return ERR_PTR(-ENOMEM);
	*nr = selected(scratch, ips);
	return ips;
}

static unsigned long *find_matching(const char *filter, const char *notfilter, unsigned int *nr)
{
	struct ftrace_ops *scratch = kzalloc(sizeof(*scratch), GFP_KERNEL);
	unsigned long *ips;
	int ret;

	if (!scratch)
		return ERR_PTR(-ENOMEM);
	ret = set_patterns(scratch, filter, notfilter);
	ips = ret ? ERR_PTR(ret) : find_selected(scratch, nr);
	ftrace_free_filter(scratch);
	kfree(scratch);
	return ips;
}

/**
 * fprobe_find - find functions by their names
 * @filter: pattern as in set_ftrace_filter
 * @notfilter: pattern for names that @filter matches and are not meant, or NULL
 * @nr: set to how many there are, which may be none with @notfilter
 *
 * Context: process. Sleeps.
 * Return: where ftrace calls from in them, to be freed by kvfree(); or an ERR_PTR(): -EINVAL
 * if one of the two matches no function that can be traced; -ENOMEM.
 */
unsigned long *fprobe_find(const char *filter, const char *notfilter, unsigned int *nr)
{
	unsigned long *ips = notfilter ? NULL : find_name(filter, nr);

	return ips ?: find_matching(filter, notfilter, nr);
}

#ifdef CONFIG_MODULES
/* What to look for among a module's functions, and what was found. */
struct module_search {
	bool		(*match)(const void *data, const char *name);
	const void	*data;
	unsigned long	*ips;
	unsigned int	room;
	unsigned int	nr;
};

static int add_matching(void *data, const char *name, unsigned long addr)
{
	struct module_search *search = data;
	char mostly[KSYM_NAME_LEN];
	unsigned long ip;

	if (!search->match(search->data, name))
		return 0;
	ip = ftrace_location(addr);
	if (!ip || lookup_symbol_name(addr, mostly) || strcmp(mostly, name))
		return 0;
	if (search->nr < search->room)
		search->ips[search->nr] = ip;
	search->nr++;
	return 0;
}

/**
 * fprobe_find_in - find functions of a module by their names
 * @module: name of the module
 * @match: is a name one of those?
 * @data: for @match
 * @nr: set to how many there are
 *
 * Context: process. Sleeps.
 * Return: as fprobe_find(), but NULL if there is none.
 */
unsigned long *fprobe_find_in(const char *module,
			      bool (*match)(const void *data, const char *name),
			      const void *data, unsigned int *nr)
{
	struct module_search search = { .match = match, .data = data };

	module_kallsyms_on_each_symbol(module, add_matching, &search);
	*nr = 0;
	if (!search.nr)
		return NULL;
	search.ips = kvmalloc_array(search.nr, sizeof(*search.ips), GFP_KERNEL);
	if (!search.ips)
		return ERR_PTR(-ENOMEM);
	search.room = search.nr;
	search.nr = 0;
	module_kallsyms_on_each_symbol(module, add_matching, &search);
	*nr = fprobe_sort_ips(search.ips, min(search.nr, search.room));
	return search.ips;
}
#endif /* CONFIG_MODULES */
