// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe events: parse lists of functions, and find the functions.
 *
 *	[!][MOD:]NAME[,[!][MOD:]NAME]...
 *
 * NAME is a name or a pattern. Functions that match an item with a ! are excluded, also if other
 * items match them, in any order. The module MOD need not be loaded.
 */
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/glob.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../fprobe_internal.h"
#include "fprobe.h"

/**
 * fprobe_list_free - free a list
 * @list: the list, or NULL
 */
void fprobe_list_free(struct fprobe_list *list)
{
	if (list)
		kfree(list->text);
	kfree(list);
}

static unsigned int count_items(const char *text)
{
	unsigned int nr = 1;

	for (; *text; text++)
		nr += *text == ',';
	return nr;
}

/* The end of "MOD:", if MOD can be the name of a module; else NULL. */
static char *end_of_module(char *word)
{
	char *end = word;

	while (isalnum(*end) || *end == '_' || *end == '-')
		end++;
	return end > word && *end == ':' && end[1] ? end : NULL;
}

/* Parse an item. On success @word is cut. */
static int read_item(struct fprobe_item *item, char *word, unsigned int at,
		     struct probe_flaw *flaw)
{
	char *colon;

	item->at = at;
	item->but = *word == '!';
	if (item->but)
		word++;
	colon = end_of_module(word);
	item->module = colon ? word : NULL;
	item->name = colon ? colon + 1 : word;
	item->plain = fprobe_is_name(item->name);
	if (!*item->name || strchr(item->name, ':') || *item->name == '!')
		return probe_flawed(flaw, TP_ERR_LIST_NO_NAME, at);
	if (colon)
		*colon = '\0';
	return 0;
}

/*
 * A single word is parsed as in 6.12. If it cannot be an item, it is taken for a name, which no
 * function has, so that planting fails.
 */
static int read_single(struct fprobe_item *item, char *word)
{
	struct probe_flaw ignored;

	if (*word != '!' && !read_item(item, word, 0, &ignored))
		return 0;
	*item = (struct fprobe_item){ .name = word, .plain = true };
	return 0;
}

static int read_items(struct fprobe_list *list, struct probe_flaw *flaw)
{
	char *rest = list->text, *word;
	bool any = false;
	int err;

	if (!strchr(rest, ','))
		return read_single(&list->item[list->nr++], rest);
	while ((word = strsep(&rest, ","))) {
		struct fprobe_item *item = &list->item[list->nr++];

		err = read_item(item, word, word - list->text, flaw);
		if (err)
			return err;
		any |= !item->but;
	}
	return any ? 0 : probe_flawed(flaw, TP_ERR_LIST_ONLY_EXCEPT, 0);
}

/**
 * fprobe_list_read - parse a list
 * @text: the list
 * @flaw: receives the error
 *
 * Return: the list, or an ERR_PTR(): -EINVAL, -ENOMEM.
 */
struct fprobe_list *fprobe_list_read(const char *text, struct probe_flaw *flaw)
{
	unsigned int nr = count_items(text);
	struct fprobe_list *list;
	int err;

	if (nr > FPROBE_LIST_MAX)
		return ERR_PTR(probe_flawed(flaw, TP_ERR_LIST_TOO_LONG, 0));
	list = kzalloc(struct_size(list, item, nr), GFP_KERNEL);
	if (!list)
		return ERR_PTR(-ENOMEM);
	list->text = kstrdup(text, GFP_KERNEL);
	err = list->text ? read_items(list, flaw) : -ENOMEM;
	if (!err)
		return list;
	fprobe_list_free(list);
	return ERR_PTR(err);
}

/* Does an item match a function? @module is NULL for functions of the kernel. */
static bool matches(const struct fprobe_item *item, const char *module, const char *name)
{
	if (item->module && (!module || strcmp(item->module, module)))
		return false;
	return item->plain ? !strcmp(item->name, name) : glob_match(item->name, name);
}

static bool is_excepted(const struct fprobe_list *list, const char *module, const char *name)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (list->item[i].but && matches(&list->item[i], module, name))
			return true;
	}
	return false;
}

static bool has_exceptions(const struct fprobe_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (list->item[i].but)
			return true;
	}
	return false;
}

static bool is_excepted_at(const struct fprobe_list *list, unsigned long ip)
{
	char name[KSYM_NAME_LEN], *module = NULL;

	/* The module's name is in the module, which cannot be freed while preemption is off. */
	guard(preempt)();
	return kallsyms_lookup(ip, NULL, NULL, &module, name) && is_excepted(list, module, name);
}

static unsigned int drop_excepted(const struct fprobe_list *list, unsigned long *ips,
				  unsigned int nr)
{
	unsigned int i, kept = 0;

	if (!has_exceptions(list))
		return nr;
	for (i = 0; i < nr; i++) {
		if (!is_excepted_at(list, ips[i]))
			ips[kept++] = ips[i];
		cond_resched();
	}
	return kept;
}

/**
 * struct list_search - the functions of a list that have been found
 * @ips:	addresses of ftrace's calls in the functions
 * @nr:		number of @ips
 * @waits:	the list names a module that is not loaded
 */
struct list_search {
	unsigned long	*ips;
	unsigned int	nr;
	bool		waits;
};

static int add_ips(struct list_search *search, const unsigned long *ips, unsigned int nr)
{
	unsigned long *all;

	all = kvmalloc_array(size_add(search->nr, nr), sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	memcpy(all, search->ips, array_size(search->nr, sizeof(*all)));
	memcpy(all + search->nr, ips, array_size(nr, sizeof(*all)));
	kvfree(search->ips);
	search->ips = all;
	search->nr = fprobe_sort_ips(all, search->nr + nr);
	return 0;
}

static bool match_item(const void *data, const char *name)
{
	const struct fprobe_item *item = data;

	return matches(item, item->module, name);
}

/* The functions that one item matches; NULL if there are none. */
static unsigned long *find_item(const struct fprobe_item *item, unsigned int *nr)
{
	unsigned long *ips;

	if (item->module)
		return fprobe_find_in(item->module, match_item, item, nr);
	ips = fprobe_find(item->name, NULL, nr);
	if (ips == ERR_PTR(-EINVAL))
		return NULL;
	return ips;
}

/* Is it an item for a module that is not loaded? */
static bool module_is_to_come(const struct fprobe_item *item)
{
	size_t len;

	if (!item->module || !IS_ENABLED(CONFIG_MODULES))
		return false;
	len = strlen(item->module);
	return len < MODULE_NAME_LEN && !symbol_module_present(item->module, len);
}

/* Is it an item for a module that is being loaded? */
static bool module_comes(const struct fprobe_item *item)
{
	return item->module && symbol_module_comes(item->module, strlen(item->module));
}

/* A name must match a function, and so must the only item of a list. */
static int add_item(struct list_search *search, const struct fprobe_item *item, bool needed)
{
	unsigned long *ips;
	unsigned int nr;
	int err = 0;

	ips = find_item(item, &nr);
	if (IS_ERR(ips))
		return PTR_ERR(ips);
	if (ips)
		nr = fprobe_skip_going(ips, nr);
	if (ips && nr)
		err = add_ips(search, ips, nr);
	else if (module_is_to_come(item) || (ips && module_comes(item)))
		search->waits = true;
	else if (needed)
		err = ips ? -ENOENT : -EINVAL;
	kvfree(ips);
	return err;
}

static int find_symbol(void *unused, unsigned long addr)
{
	return 1;
}

static int find_module_symbol(void *data, const char *name, unsigned long addr)
{
	const char **sought = data;

	return !strcmp(name, *sought);
}

/* An exception may match functions that cannot be traced, but it must match some function. */
static bool exception_makes_sense(const struct fprobe_item *item)
{
	const char *name = item->name;

	if (!item->plain)
		return true;
	if (!item->module && kallsyms_on_each_match_symbol(find_symbol, name, NULL))
		return true;
	if (module_is_to_come(item))
		return true;
	return module_kallsyms_on_each_symbol(item->module, find_module_symbol, &name);
}

static int look_for(const struct fprobe_list *list, struct list_search *search, unsigned int *at)
{
	const struct fprobe_item *item = list->item, *end = item + list->nr;
	int err = 0;

	for (; !err && item < end; item++) {
		*at = item->at;
		if (!item->but)
			err = add_item(search, item, item->plain || list->nr == 1);
	}
	/* Exceptions may match functions of a module that is not loaded. */
	if (err || search->waits)
		return err;
	for (item = list->item; item < end; item++) {
		*at = item->at;
		if (item->but && !exception_makes_sense(item))
			return -ENOENT;
	}
	return 0;
}

/**
 * fprobe_list_find - find the functions of a list
 * @list: the list
 * @nr: set to their number; 0 if all are in modules that are not loaded
 * @at: set to the position of an error in the list
 *
 * Context: may sleep.
 * Return: the addresses of ftrace's calls, to be freed by kvfree(), NULL if there are none; or an
 * ERR_PTR(): -EINVAL if no function can be traced, -ENOENT if they are in modules that are going,
 * if all are excluded, or if an exception matches no function; -ENOMEM.
 */
unsigned long *fprobe_list_find(const struct fprobe_list *list, unsigned int *nr,
				unsigned int *at)
{
	struct list_search search = { };
	int err;

	err = look_for(list, &search, at);
	if (!err) {
		*at = 0;
		search.nr = drop_excepted(list, search.ips, search.nr);
		if (!search.nr && !search.waits)
			err = -ENOENT;
	}
	if (err) {
		kvfree(search.ips);
		return ERR_PTR(err);
	}
	*nr = search.nr;
	return search.ips;
}

#ifdef CONFIG_MODULES
/* A search for functions of a list in one module. */
struct list_for {
	const struct fprobe_list	*list;
	const char			*module;
};

static bool match_list(const void *data, const char *name)
{
	const struct list_for *of = data;
	unsigned int i;

	for (i = 0; i < of->list->nr; i++) {
		if (!of->list->item[i].but && matches(&of->list->item[i], of->module, name))
			return !is_excepted(of->list, of->module, name);
	}
	return false;
}

/**
 * fprobe_list_find_in - find the functions of a list that are in a module
 * @list: the list
 * @module: name of the module, which must not go meanwhile
 * @nr: set to their number
 *
 * Context: may sleep.
 * Return: as fprobe_list_find(), NULL if there is none.
 */
unsigned long *fprobe_list_find_in(const struct fprobe_list *list, const char *module,
				   unsigned int *nr)
{
	const struct list_for of = { .list = list, .module = module };

	return fprobe_find_in(module, match_list, &of, nr);
}
#endif /* CONFIG_MODULES */
