// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: the event class. Tracefs and perf call it to enable and disable
 * events, to describe records and to print them.
 */
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "event_point.h"

/*
 * Does not wait for handlers that still write to the instance. The event's files, and instances,
 * are freed after an RCU grace period.
 */
static void forget_file(struct trace_probe *tp, struct event_file_link *link)
{
	if (trace_probe_has_single_file(tp))
		trace_probe_clear_flag(tp, TP_FLAG_TRACE);
	list_del_rcu(&link->list);
	kfree_rcu_mightsleep(link);
}

static int event_detach(struct probe_point *pp, struct trace_event_file *from)
{
	struct trace_probe *tp = &pp->tp;
	struct event_file_link *link;

	if (from) {
		link = trace_probe_get_file_link(tp, from);
		if (!link)
			return -ENOENT;
		forget_file(tp, link);
	} else {
		trace_probe_clear_flag(tp, TP_FLAG_PROFILE);
	}

	if (!trace_probe_is_enabled(tp))
		points_turn(tp->event, false);
	return 0;
}

static int event_attach(struct probe_point *pp, struct trace_event_file *file)
{
	struct trace_probe *tp = &pp->tp;
	bool armed = trace_probe_is_enabled(tp);
	int err;

	if (file) {
		err = trace_probe_add_file(tp, file);
		if (err)
			return err;
	} else {
		trace_probe_set_flag(tp, TP_FLAG_PROFILE);
	}

	/*
	 * Handlers may run before this returns. All that they need is set up, but perf may need
	 * more registers than armed points bring.
	 */
	err = armed && file ? 0 : points_turn(tp->event, true);
	if (err)
		event_detach(pp, file);
	return err;
}

#ifdef CONFIG_PERF_EVENTS
/* There is nothing to do to open, close or schedule a perf event. */
static int perf_reg(struct probe_point *pp, enum trace_reg what)
{
	if (what == TRACE_REG_PERF_REGISTER)
		return event_attach(pp, NULL);
	if (what == TRACE_REG_PERF_UNREGISTER)
		return event_detach(pp, NULL);
	return 0;
}
#else
static int perf_reg(struct probe_point *pp, enum trace_reg what)
{
	return 0;
}
#endif

/* trace_event_class::reg. @data is the file of an instance. Context: event_mutex held. */
static int event_reg(struct trace_event_call *call, enum trace_reg what, void *data)
{
	struct probe_point *pp = point_of_call(call);

	if (!pp)
		return -ENODEV;
	if (what == TRACE_REG_REGISTER)
		return event_attach(pp, data);
	if (what == TRACE_REG_UNREGISTER)
		return event_detach(pp, data);
	return perf_reg(pp, what);
}

static int define_address(struct trace_event_call *call, const char *name,
			  size_t at)
{
	return trace_define_field(call, "unsigned long", name, at,
				  sizeof(unsigned long), false, FILTER_OTHER);
}

static int define_entry_fields(struct trace_event_call *call)
{
	struct probe_point *pp = point_of_call(call);
	size_t ip = offsetof(struct kprobe_trace_entry_head, ip);

	if (!pp)
		return -ENOENT;
	return define_address(call, FIELD_STRING_IP, ip) ?:
	       traceprobe_define_arg_fields(call, pp->head, &pp->tp);
}

static int define_return_fields(struct trace_event_call *call)
{
	struct probe_point *pp = point_of_call(call);
	size_t func = offsetof(struct kretprobe_trace_entry_head, func);
	size_t to = offsetof(struct kretprobe_trace_entry_head, ret_ip);

	if (!pp)
		return -ENOENT;
	return define_address(call, FIELD_STRING_FUNC, func) ?:
	       define_address(call, FIELD_STRING_RETIP, to) ?:
	       traceprobe_define_arg_fields(call, pp->head, &pp->tp);
}

/* Print the part behind the parenthesis, which is the same for entries and returns. */
static enum print_line_t print_rest(struct trace_iterator *it,
				    struct probe_point *pp)
{
	void *record = it->ent;

	trace_seq_putc(&it->seq, ')');
	if (trace_probe_print_args(&it->seq, pp->tp.args, pp->tp.nr_args,
				   record + pp->head, record) >= 0)
		trace_seq_puts(&it->seq, "\n");
	return trace_handle_return(&it->seq);
}

static struct probe_point *print_name(struct trace_iterator *it,
				      struct trace_event *event)
{
	struct probe_point *pp;

	pp = point_of_call(container_of(event, struct trace_event_call, event));
	if (pp)
		trace_seq_printf(&it->seq, "%s: (", trace_probe_name(&pp->tp));
	return pp;
}

static enum print_line_t print_entry(struct trace_iterator *it, int flags,
				     struct trace_event *event)
{
	struct kprobe_trace_entry_head *rec = (void *)it->ent;
	struct probe_point *pp = print_name(it, event);

	if (!pp || !seq_print_ip_sym(&it->seq, rec->ip,
				     flags | TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	return print_rest(it, pp);
}

static enum print_line_t print_return(struct trace_iterator *it, int flags,
				      struct trace_event *event)
{
	struct kretprobe_trace_entry_head *rec = (void *)it->ent;
	struct probe_point *pp = print_name(it, event);

	if (!pp || !seq_print_ip_sym(&it->seq, rec->ret_ip,
				     flags | TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	trace_seq_puts(&it->seq, " <- ");
	if (!seq_print_ip_sym(&it->seq, rec->func,
			      flags & ~TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	return print_rest(it, pp);
}

/**
 * struct record_form - differences between records of entries and of returns
 * @head:	size of the fields before the arguments
 * @print_fmt:	the kind of format string
 * @funcs:	functions that print the event
 * @fields:	the event's fields
 */
struct record_form {
	size_t				head;
	enum probe_print_type		print_fmt;
	struct trace_event_functions	funcs;
	struct trace_event_fields	fields[2];
};

static struct record_form record_forms[2] = {
	[false] = {
		.head		= sizeof(struct kprobe_trace_entry_head),
		.print_fmt	= PROBE_PRINT_NORMAL,
		.funcs.trace	= print_entry,
		.fields[0]	= {
			.type		= TRACE_FUNCTION_TYPE,
			.define_fields	= define_entry_fields,
		},
	},
	[true] = {
		.head		= sizeof(struct kretprobe_trace_entry_head),
		.print_fmt	= PROBE_PRINT_RETURN,
		.funcs.trace	= print_return,
		.fields[0]	= {
			.type		= TRACE_FUNCTION_TYPE,
			.define_fields	= define_return_fields,
		},
	},
};

/**
 * point_init_event - set the class of a new point's event
 * @pp: the point, with an event of its own
 */
void point_init_event(struct probe_point *pp)
{
	struct trace_event_call *call = trace_probe_event_call(&pp->tp);
	struct record_form *form = &record_forms[point_is_return(pp)];

	pp->head = form->head;
	call->flags = pp->kind->class->event_flags;
	call->event.funcs = &form->funcs;
	call->class->fields_array = form->fields;
	call->class->reg = event_reg;
}

/**
 * point_set_print_fmt - set the format string of an event
 * @pp: the event's first point, with all its arguments
 *
 * Return: 0 or -ENOMEM.
 */
int point_set_print_fmt(struct probe_point *pp)
{
	return traceprobe_set_print_fmt(&pp->tp,
					record_forms[point_is_return(pp)].print_fmt);
}
