// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: parse the first two words of a command.
 *
 *	p[:[GRP/][EVENT]] [MOD:]SYM[+OFFS][%return]|MEMADDR|[MOD:]SYM@*[%return]
 *	r[MAXACTIVE][:[GRP/][EVENT]] [MOD:]SYM[+0]|MEMADDR|[MOD:]SYM@*
 *
 * These functions only fill in a struct probe_spec, and write errors to error_log.
 */
#include <linux/ctype.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/probe_args.h>
#include <asm/sections.h>

#include "kprobe.h"

/* [MOD:]SYM@*. "@*" stays in the symbol. */
static int parse_all(struct probe_spec *spec, const char *suffix, struct probe_flaw *flaw)
{
	const char *end = suffix + strlen(KPROBE_ALL_SUFFIX);
	size_t len = strcspn(spec->symbol, "+-@");

	if (spec->symbol + len != suffix)
		return probe_flawed(flaw, TP_ERR_ALL_WITH_OFFS, len);
	if (*end == '+' || *end == '-')
		return probe_flawed(flaw, TP_ERR_ALL_WITH_OFFS, end - spec->symbol);
	if (*end)
		return probe_flawed(flaw, TP_ERR_BAD_ADDR_SUFFIX, end - spec->symbol);
	if (!len || suffix[-1] == ':')
		return probe_flawed(flaw, TP_ERR_BAD_PROBE_ADDR, 0);
	spec->all = true;
	return 0;
}

/* MEMADDR, [MOD:]SYM[+OFFS] or [MOD:]SYM@*; %return may follow. */
static int parse_place(struct probe_spec *spec, const char *text,
		       struct probe_flaw *flaw)
{
	const char *suffix;
	long offset = 0;
	int err;

	flaw->code = 0;
	spec->symbol = kstrdup(text, GFP_KERNEL);
	if (!spec->symbol)
		return -ENOMEM;

	err = probe_spec_cut_return(spec, flaw);
	if (err)
		return err;

	suffix = strstr(spec->symbol, KPROBE_ALL_SUFFIX);
	if (suffix)
		return parse_all(spec, suffix, flaw);

	if (!kstrtoul(spec->symbol, 0, &spec->addr)) {
		probe_spec_release(spec);
		return 0;
	}

	if (traceprobe_split_symbol_offset(spec->symbol, &offset) ||
	    offset < 0 || offset > UINT_MAX)
		return probe_flawed(flaw, TP_ERR_BAD_PROBE_ADDR, 0);
	spec->offset = offset;
	return 0;
}

/**
 * kprobe_spec_place - parse a place, to compare it with that of a point
 * @spec: receives symbol, offset, addr and is_return; zeroed by the caller
 * @text: the place as in a command
 *
 * Writes nothing to error_log. The caller calls probe_spec_release() in the end, also on error.
 *
 * Return: 0, -EINVAL if this is no place, or -ENOMEM.
 */
int kprobe_spec_place(struct probe_spec *spec, const char *text)
{
	struct probe_flaw ignored;

	return parse_place(spec, text, &ignored);
}

/* The number of symbols of a name. Counting ends at two. */
struct name_count {
	const char *name;
	unsigned int found;
	unsigned long addr;
};

static int count_match(void *data, unsigned long addr)
{
	struct name_count *count = data;

	count->addr = addr;
	return ++count->found > 1;
}

static int count_if_match(void *data, const char *name, unsigned long addr)
{
	struct name_count *count = data;

	return strcmp(name, count->name) ? 0 : count_match(data, addr);
}

/**
 * kprobe_spec_resolve - is there exactly one symbol of a name?
 * @symbol: "SYM", searched in the kernel and in all modules, or "MOD:SYM"
 * @base: set to its address if it is in the kernel's text, where it does not change; else to 0
 *
 * A symbol of a module that is not loaded counts as one.
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if there is no such symbol, -EADDRNOTAVAIL if there are
 * several, -EINVAL if MOD or SYM cannot be a name.
 */
int kprobe_spec_resolve(const char *symbol, unsigned long *base)
{
	struct name_count count = { .name = symbol };
	const char *colon = strchr(symbol, ':');
	char module[MODULE_NAME_LEN];

	*base = 0;
	if (colon) {
		if (colon == symbol || !colon[1] ||
		    colon - symbol >= sizeof(module))
			return -EINVAL;
		strscpy(module, symbol, colon - symbol + 1);
		if (!symbol_module_present(symbol, colon - symbol))
			return 0;
		count.name = colon + 1;
		module_kallsyms_on_each_symbol(module, count_if_match, &count);
		/* The module may have gone before the search. */
		if (!count.found &&
		    !symbol_module_present(symbol, colon - symbol))
			return 0;
	} else {
		kallsyms_on_each_match_symbol(count_match, symbol, &count);
		if (count.found < 2)
			module_kallsyms_on_each_symbol(NULL, count_if_match,
						       &count);
	}

	if (count.found > 1)
		return -EADDRNOTAVAIL;
	if (ARCH_SYMBOL_IS_PLACE && count.found && is_kernel_text(count.addr))
		*base = count.addr;
	return count.found ? 0 : -ENOENT;
}

/* Check a SYM@*: each function is probed at its entry, or at its return. */
static int judge_all(struct probe_spec *spec, struct probe_flaw *flaw)
{
	int err = kprobe_names_look(spec->symbol, &spec->function);

	if (err == -ENOMEM)
		return err;
	if (err)
		return probe_flawed(flaw, TP_ERR_BAD_PROBE_ADDR, 0);
	spec->scope = TPARG_FL_KERNEL;
	spec->scope |= spec->is_return ? TPARG_FL_RETURN : TPARG_FL_FENTRY;
	return 0;
}

static int judge_symbol(struct probe_spec *spec, struct probe_flaw *flaw)
{
	switch (kprobe_spec_resolve(spec->symbol, &spec->base)) {
	case 0:
		return 0;
	case -EADDRNOTAVAIL:
		kprobe_names_tell(spec->symbol, spec->offset);
		return probe_flawed(flaw, TP_ERR_NON_UNIQ_SYMBOL, 0);
	default:
		return probe_flawed(flaw, TP_ERR_BAD_PROBE_ADDR, 0);
	}
}

/* Check an address, and find its function for the arguments. */
static int judge_address(struct probe_spec *spec, struct probe_flaw *flaw)
{
	char name[KSYM_NAME_LEN];

	if (lookup_symbol_name(spec->addr, name))
		return probe_flawed(flaw, TP_ERR_BAD_PROBE_ADDR, 0);
	spec->function = kstrdup(name, GFP_KERNEL);
	return spec->function ? 0 : -ENOMEM;
}

/* Check the place, and find out which arguments are possible there. */
static int judge_place(struct probe_spec *spec, struct probe_flaw *flaw)
{
	int err;

	if (spec->all)
		return judge_all(spec, flaw);
	spec->scope = TPARG_FL_KERNEL;
	err = spec->symbol ? judge_symbol(spec, flaw) : judge_address(spec, flaw);
	if (err)
		return err;

	err = kprobe_on_func_entry((kprobe_opcode_t *)(spec->base ?: spec->addr),
				   spec->base ? NULL : spec->symbol, spec->offset);
	if (spec->is_return) {
		spec->scope |= TPARG_FL_RETURN;
		/*
		 * Not for -ENOENT: the module may be loaded later. Not for an address:
		 * registration reports its errors.
		 */
		if (err == -EINVAL && spec->symbol)
			return probe_flawed(flaw, TP_ERR_BAD_RETPROBE, 0);
	} else if (!err) {
		spec->scope |= TPARG_FL_FENTRY;
	}
	return 0;
}

/*
 * Generate a name for events without one: "r_SYM_OFFS", "r_SYM_all", "p_0xHASH". All users see
 * names, so it has a hash of an address.
 */
static void invent_name(struct probe_spec *spec)
{
	const char letter = kprobe_kinds[spec->is_return].letter;
	const size_t room = sizeof(spec->event_buf);

	if (spec->all)
		snprintf(spec->event_buf, room, "%c_%.*s_all", letter,
			 (int)strcspn(spec->symbol, "@"), spec->symbol);
	else if (spec->symbol)
		snprintf(spec->event_buf, room, "%c_%s_%lu", letter,
			 spec->symbol, spec->offset);
	else
		snprintf(spec->event_buf, room, "%c_0x%p", letter, (void *)spec->addr);
	sanitize_event_name(spec->event_buf);
	spec->event = spec->event_buf;
}

/* Is it PATH:OFFSET, a place for uprobes? */
static bool names_file(const char *place)
{
	return strchr(place, ':') && strchr(place, '/');
}

/**
 * kprobe_spec_parse - parse the first two words of a command
 * @spec: the result; zeroed by the caller
 * @argc: number of words
 * @argv: the words; @spec->event may point into them
 *
 * Calls trace_probe_log_init(), and writes errors to error_log. The caller calls
 * probe_spec_release() in the end, also on error.
 *
 * Context: may sleep; dyn_event_ops_mutex held, which guards error_log's state.
 * Return: 0; -ECANCELED if this is not a command of a kprobe event; -EINVAL if it has
 * an error; -ENOMEM.
 */
int kprobe_spec_parse(struct probe_spec *spec, int argc, const char **argv)
{
	struct probe_flaw flaw = { };
	int err;

	if (argc < 2 || (argv[0][0] != 'p' && argv[0][0] != 'r') ||
	    names_file(argv[1]))
		return -ECANCELED;

	spec->is_return = argv[0][0] == 'r';
	trace_probe_log_init("trace_kprobe", argc, argv);
	if (isdigit(argv[0][1]) && !spec->is_return)
		err = probe_flawed(&flaw, TP_ERR_BAD_MAXACT_TYPE, 1);
	else
		err = probe_spec_maxactive(spec, argv[0], &flaw);
	if (err)
		return probe_report(WORD_HEAD, &flaw);

	err = parse_place(spec, argv[1], &flaw) ?: judge_place(spec, &flaw);
	if (err == -ENOMEM)
		return err;
	if (err)
		return probe_report(WORD_PLACE, &flaw);

	err = probe_spec_names(spec, argv[0], KPROBE_EVENT_GROUP);
	if (!err && !spec->event)
		invent_name(spec);
	return err;
}
