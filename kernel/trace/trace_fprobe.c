// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: commands.
 *
 *	f[:[GRP/][EVENT]] LIST[:entry]
 *	f[MAXACTIVE][:[GRP/][EVENT]] LIST%return, LIST:exit, or with $retval among the arguments
 *	t[:[GRP/][EVENT]] TRACEPOINT
 *
 * See Documentation/trace/fprobetrace.rst for what they do.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "probes/fprobe.h"

#define FPROBE_EVENT_GROUP	"fprobes"
#define TPROBE_EVENT_GROUP	"tracepoints"

#define RETVAL	"$retval"

/* Prefix of the function that a tracepoint calls for probes on it. BTF has its type. */
#define PROBESTUB_PREFIX	"__probestub_"

/* Parse commands */

static bool for_tracepoint(const struct probe_spec *spec)
{
	return spec->scope & TPARG_FL_TPOINT;
}

/* Returns false if the suffix is not there. */
static bool cut_suffix(char *symbol, const char *suffix)
{
	size_t len = strlen(symbol), cut = strlen(suffix);

	if (len < cut || strcmp(symbol + len - cut, suffix))
		return false;
	symbol[len - cut] = '\0';
	return true;
}

static void cut_entry_or_exit(struct probe_spec *spec)
{
	spec->is_return = cut_suffix(spec->symbol, FPROBE_EXIT_SUFFIX);
	spec->colon = spec->is_return || cut_suffix(spec->symbol, FPROBE_ENTRY_SUFFIX);
}

/* Whether there are functions of these names is checked when the point is planted. */
static int parse_functions(struct probe_spec *spec, struct probe_flaw *flaw)
{
	int err, suffixed = strcspn(spec->symbol, "%");
	struct fprobe_list *list;
	bool returns;

	err = probe_spec_cut_return(spec, flaw);
	if (err)
		return err;
	returns = spec->is_return;
	cut_entry_or_exit(spec);
	if (returns && spec->colon)
		return probe_flawed(flaw, TP_ERR_BAD_ADDR_SUFFIX, suffixed);
	spec->is_return |= returns;
	list = fprobe_list_read(spec->symbol, flaw);
	if (IS_ERR(list))
		return PTR_ERR(list);
	fprobe_list_free(list);
	return 0;
}

static int parse_tracepoint(struct probe_spec *spec, struct probe_flaw *flaw)
{
	const char *at = strchr(spec->symbol, '%');

	if (at)
		return probe_flawed(flaw, TP_ERR_BAD_ADDR_SUFFIX, at - spec->symbol);
	for (at = spec->symbol; *at; at++)
		if (!isalnum(*at) && *at != '_')
			return probe_flawed(flaw, TP_ERR_BAD_TP_NAME,
					    at - spec->symbol);

	spec->function = kasprintf(GFP_KERNEL, PROBESTUB_PREFIX "%s", spec->symbol);
	return spec->function ? 0 : -ENOMEM;
}

static int parse_place(struct probe_spec *spec, const char *text,
		       struct probe_flaw *flaw)
{
	spec->symbol = kstrdup(text, GFP_KERNEL);
	if (!spec->symbol)
		return -ENOMEM;
	return for_tracepoint(spec) ? parse_tracepoint(spec, flaw) :
				      parse_functions(spec, flaw);
}

/* Find $retval as a word of its own in an argument. */
static const char *find_retval(const char *arg)
{
	const char *at = arg;
	char next;

	while ((at = strstr(at, RETVAL))) {
		next = at[strlen(RETVAL)];
		if (!isalnum(next) && next != '_')
			return at;
		at += strlen(RETVAL);
	}
	return NULL;
}

/*
 * $retval among the arguments makes the event one of the function's return. Returns the number of
 * the first word with $retval if that is not possible, else 0.
 */
static int look_for_retval(struct probe_spec *spec, int argc, const char **argv,
			   struct probe_flaw *flaw)
{
	const char *at;
	int i;

	for (i = WORD_ARGS; i < argc; i++) {
		at = find_retval(argv[i]);
		if (!at)
			continue;
		if (for_tracepoint(spec) || (spec->colon && !spec->is_return)) {
			probe_flawed(flaw, TP_ERR_RETVAL_ON_PROBE, at - argv[i]);
			return i;
		}
		spec->is_return = true;
	}
	return 0;
}

/* No name can be generated from a list of functions. */
static int refuse_without_name(const char *head)
{
	trace_probe_log_set_index(WORD_HEAD);
	trace_probe_log_err(strlen(head), NO_EVENT_NAME);
	return -EINVAL;
}

/* Generate a name for events without one: "SYM__entry", "SYM__exit", "TRACEPOINT". */
static void invent_name(struct probe_spec *spec)
{
	const char *before = "", *behind = "";

	if (!for_tracepoint(spec))
		behind = spec->is_return ? "__exit" : "__entry";
	else if (isdigit(*spec->symbol))
		before = "_";
	snprintf(spec->event_buf, sizeof(spec->event_buf), "%s%s%s", before,
		 spec->symbol, behind);
	sanitize_event_name(spec->event_buf);
	spec->event = spec->event_buf;
}

/**
 * fprobe_spec_parse - parse the first two words of a command
 * @spec: the result; zeroed by the caller
 * @argc: number of words
 * @argv: the words; @spec->event may point into them
 *
 * Writes errors to error_log. The caller calls probe_spec_release() in the end, also on error.
 *
 * Context: may sleep; dyn_event_ops_mutex held, which guards error_log's state.
 * Return: 0; -ECANCELED if this is not a command of an fprobe event; -EINVAL if it has an error;
 * -ENOMEM.
 */
int fprobe_spec_parse(struct probe_spec *spec, int argc, const char **argv)
{
	const char *head = argv[WORD_HEAD];
	struct probe_flaw flaw = { };
	int err, word;

	if (argc <= WORD_PLACE || (*head != 't' && *head != 'f'))
		return -ECANCELED;
	spec->scope = TPARG_FL_KERNEL | TPARG_FL_FPROBE;
	if (*head == 't')
		spec->scope |= TPARG_FL_TPOINT;
	trace_probe_log_init("trace_fprobe", argc, argv);

	err = parse_place(spec, argv[WORD_PLACE], &flaw);
	if (err)
		return err == -ENOMEM ? err : probe_report(WORD_PLACE, &flaw);
	word = look_for_retval(spec, argc, argv, &flaw);
	if (word)
		return probe_report(word, &flaw);
	spec->scope |= spec->is_return ? TPARG_FL_RETURN : TPARG_FL_FENTRY;

	err = probe_spec_maxactive(spec, head, &flaw);
	if (!err && spec->maxactive && !spec->is_return)
		err = probe_flawed(&flaw, TP_ERR_BAD_MAXACT_TYPE, 1);
	if (err)
		return probe_report(WORD_HEAD, &flaw);

	err = probe_spec_names(spec, head, for_tracepoint(spec) ?
					   TPROBE_EVENT_GROUP : FPROBE_EVENT_GROUP);
	if (err || spec->event)
		return err;
	if (!for_tracepoint(spec) && strchr(spec->symbol, ','))
		return refuse_without_name(head);
	invent_name(spec);
	return 0;
}

/* dyn_event_operations. Context: dyn_event_ops_mutex for create, event_mutex for others. */

static int add_command(int argc, const char **argv)
{
	return probe_spec_run(&fprobe_class, argc, argv);
}

static int fprobe_event_create(const char *text)
{
	return trace_probe_create(text, add_command);
}

/**
 * fpoint_show_place - print the place of a point
 * @m: the output
 * @pp: the point
 */
void fpoint_show_place(struct seq_file *m, const struct probe_point *pp)
{
	seq_puts(m, fpoint_of(pp)->symbol);
}

static const char *suffix_of(const struct fpoint *pt)
{
	if (point_is_return(&pt->point))
		return pt->colon ? FPROBE_EXIT_SUFFIX : PROBE_RETURN_SUFFIX;
	return pt->colon ? FPROBE_ENTRY_SUFFIX : "";
}

static int fprobe_event_show(struct seq_file *m, struct dyn_event *ev)
{
	struct fpoint *pt = fpoint_of(point_of_dyn(ev));

	point_show_name(m, &pt->point, pt->maxactive);
	fpoint_show_place(m, &pt->point);
	seq_puts(m, suffix_of(pt));
	point_show_args(m, &pt->point);
	return 0;
}

struct dyn_event_operations fprobe_event_ops = {
	.create		= fprobe_event_create,
	.show		= fprobe_event_show,
	.is_busy	= point_stops_removal,
	.free		= point_retire,
	.match		= point_matches,
};

/* Before fs_initcall, so that those can create events. */
static int __init fprobe_events_init(void)
{
	return dyn_event_register(&fprobe_event_ops);
}
core_initcall(fprobe_events_init);
