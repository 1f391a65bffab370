// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: the event class. What tracefs and perf do with an event ends up
 * here: switching it on and off, describing its record, printing one.
 */
#include <linux/error-injection.h>
#include <linux/kallsyms.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "trace_kprobe.h"

/* How many probes are handed to the core at once; most events have one. */
#define SWITCH_BATCH	16

static int switch_batch(struct kprobe **batch, int n, bool on)
{
	int err = on ? enable_kprobes(batch, n) : disable_kprobes(batch, n);

	/* A module that just went takes its probes off; the others are still on. */
	while (err && !on && n--)
		disable_kprobe(batch[n]);
	return err;
}

/*
 * Arm or disarm what an event has planted. The one place where events do this,
 * hence where a batch of events would be collected.
 */
static int kpoints_switch(struct trace_probe_event *ev, bool on)
{
	struct kprobe *batch[SWITCH_BATCH];
	struct kpoint *pt;
	int err = 0, n = 0;

	for_each_kpoint(pt, ev) {
		/* Its module is not here, or went: nothing to switch. */
		if (!pt->planted || (pt->rp.kp.flags & KPROBE_FLAG_GONE))
			continue;
		batch[n++] = &pt->rp.kp;
		if (n < SWITCH_BATCH)
			continue;
		err = switch_batch(batch, n, on);
		n = 0;
		if (err && on)
			return err;
	}
	return n ? switch_batch(batch, n, on) : err;
}

/*
 * Does not wait for handlers that are still writing to the instance. Whoever frees
 * what they use (the files, with the event) waits for what @detached says.
 */
static void forget_file(struct trace_probe *tp, struct event_file_link *link)
{
	if (trace_probe_has_single_file(tp))
		trace_probe_clear_flag(tp, TP_FLAG_TRACE);
	list_del_rcu(&link->list);
	kfree_rcu_mightsleep(link);
}

static int event_detach(struct trace_probe *tp, struct trace_event_file *from)
{
	struct event_file_link *link;
	struct kpoint *pt;
	unsigned long gp;

	if (from) {
		link = trace_probe_get_file_link(tp, from);
		if (!link)
			return -ENOENT;
		forget_file(tp, link);
	} else {
		trace_probe_clear_flag(tp, TP_FLAG_PROFILE);
	}

	if (!trace_probe_is_enabled(tp))
		kpoints_switch(tp->event, false);

	gp = start_poll_synchronize_rcu();
	for_each_kpoint(pt, tp->event)
		pt->detached = gp;
	return 0;
}

static int event_attach(struct trace_probe *tp, struct trace_event_file *file)
{
	bool armed = trace_probe_is_enabled(tp);
	int err;

	if (file) {
		err = trace_probe_add_file(tp, file);
		if (err)
			return err;
	} else {
		trace_probe_set_flag(tp, TP_FLAG_PROFILE);
	}

	/* A handler may run before this returns, and finds what it needs. */
	err = armed ? 0 : kpoints_switch(tp->event, true);
	if (err)
		event_detach(tp, file);
	return err;
}

#ifdef CONFIG_PERF_EVENTS
/* Opening, closing and scheduling a perf event need nothing of ours. */
static int perf_reg(struct trace_probe *tp, enum trace_reg what)
{
	if (what == TRACE_REG_PERF_REGISTER)
		return event_attach(tp, NULL);
	if (what == TRACE_REG_PERF_UNREGISTER)
		return event_detach(tp, NULL);
	return 0;
}
#else
static int perf_reg(struct trace_probe *tp, enum trace_reg what)
{
	return 0;
}
#endif

/*
 * The event core's way in: @data is the file of an instance, or for perf nothing
 * that matters here. event_mutex held.
 */
static int kprobe_event_reg(struct trace_event_call *call, enum trace_reg what,
			    void *data)
{
	struct kpoint *pt = kpoint_of_call(call);

	if (!pt)
		return -ENODEV;
	if (what == TRACE_REG_REGISTER)
		return event_attach(&pt->tp, data);
	if (what == TRACE_REG_UNREGISTER)
		return event_detach(&pt->tp, data);
	return perf_reg(&pt->tp, what);
}

static int define_address(struct trace_event_call *call, const char *name,
			  size_t at)
{
	return trace_define_field(call, "unsigned long", name, at,
				  sizeof(unsigned long), false, FILTER_OTHER);
}

static int define_entry_fields(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);
	size_t ip = offsetof(struct kprobe_trace_entry_head, ip);

	if (!pt)
		return -ENOENT;
	return define_address(call, FIELD_STRING_IP, ip) ?:
	       traceprobe_define_arg_fields(call, pt->kind->head, &pt->tp);
}

static int define_return_fields(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);
	size_t func = offsetof(struct kretprobe_trace_entry_head, func);
	size_t to = offsetof(struct kretprobe_trace_entry_head, ret_ip);

	if (!pt)
		return -ENOENT;
	return define_address(call, FIELD_STRING_FUNC, func) ?:
	       define_address(call, FIELD_STRING_RETIP, to) ?:
	       traceprobe_define_arg_fields(call, pt->kind->head, &pt->tp);
}

/* What follows the parenthesis: the same for both kinds. */
static enum print_line_t print_rest(struct trace_iterator *it,
				    struct kpoint *pt)
{
	void *record = it->ent;

	trace_seq_putc(&it->seq, ')');
	if (trace_probe_print_args(&it->seq, pt->tp.args, pt->tp.nr_args,
				   record + pt->kind->head, record) >= 0)
		trace_seq_puts(&it->seq, "\n");
	return trace_handle_return(&it->seq);
}

static struct kpoint *print_name(struct trace_iterator *it,
				 struct trace_event *event)
{
	struct kpoint *pt;

	pt = kpoint_of_call(container_of(event, struct trace_event_call, event));
	if (pt)
		trace_seq_printf(&it->seq, "%s: (", trace_probe_name(&pt->tp));
	return pt;
}

static enum print_line_t print_entry(struct trace_iterator *it, int flags,
				     struct trace_event *event)
{
	struct kprobe_trace_entry_head *rec = (void *)it->ent;
	struct kpoint *pt = print_name(it, event);

	if (!pt || !seq_print_ip_sym(&it->seq, rec->ip,
				     flags | TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	return print_rest(it, pt);
}

static enum print_line_t print_return(struct trace_iterator *it, int flags,
				      struct trace_event *event)
{
	struct kretprobe_trace_entry_head *rec = (void *)it->ent;
	struct kpoint *pt = print_name(it, event);

	if (!pt || !seq_print_ip_sym(&it->seq, rec->ret_ip,
				     flags | TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	trace_seq_puts(&it->seq, " <- ");
	if (!seq_print_ip_sym(&it->seq, rec->func,
			      flags & ~TRACE_ITER_SYM_OFFSET))
		return trace_handle_return(&it->seq);
	return print_rest(it, pt);
}

struct kpoint_kind kpoint_kinds[2] = {
	[false] = {
		.letter		= 'p',
		.head		= sizeof(struct kprobe_trace_entry_head),
		.print_fmt	= PROBE_PRINT_NORMAL,
		.funcs.trace	= print_entry,
		.fields[0]	= {
			.type		= TRACE_FUNCTION_TYPE,
			.define_fields	= define_entry_fields,
		},
	},
	[true] = {
		.letter		= 'r',
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
 * kpoint_init_event - say what class of event a new point's event is of
 * @pt: the point, with an event of its own
 */
void kpoint_init_event(struct kpoint *pt)
{
	struct trace_event_call *call = trace_probe_event_call(&pt->tp);
	struct kpoint_kind *kind = &kpoint_kinds[kpoint_is_return(pt)];

	call->flags = TRACE_EVENT_FL_KPROBE;
	call->event.funcs = &kind->funcs;
	call->class->fields_array = kind->fields;
	call->class->reg = kprobe_event_reg;
}

/**
 * trace_kprobe_on_func_entry - is an event at the first instruction of a function?
 * @call: the event, one of ours
 *
 * BPF asks before it lets a program override the function's return.
 *
 * Return: true if it is, and the symbol is there.
 */
bool trace_kprobe_on_func_entry(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);

	return pt &&
	       !kprobe_on_func_entry((kprobe_opcode_t *)pt->addr, pt->symbol,
				     pt->rp.kp.offset);
}

/**
 * trace_kprobe_error_injectable - may the probed function be made to fail?
 * @call: the event, one of ours
 *
 * Return: true if its authors allow it, see ALLOW_ERROR_INJECTION().
 */
bool trace_kprobe_error_injectable(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);

	return pt && within_error_injection_list((unsigned long)pt->rp.kp.addr);
}
