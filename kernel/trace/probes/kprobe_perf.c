// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: points that belong to one perf event (the "kprobe" PMU), and
 * information about a point for BPF.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/bpf.h>
#include <linux/cleanup.h>
#include <linux/kallsyms.h>
#include <linux/perf_event.h>
#include <linux/probe_errors.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kprobe.h"

/* The name need not be unique: the event is not in tracefs or the list of dynamic events. */
#define LOCAL_NAME	"DUMMY_EVENT"

static int refuse_symbol(const char *symbol, unsigned long offset, int err)
{
	const struct probe_refusal e = {
		.call	= "perf_event_open",
		.symbol	= symbol,
		.offset	= offset,
		.err	= err,
	};

	char *list __free(kfree) = NULL;

	if (err == -ENOENT) {
		probe_error_no_symbol(&e);
	} else if (err == -EADDRNOTAVAIL) {
		list = kprobe_names_list(symbol, offset);
		probe_error(&e, "several functions have this name", list);
	} else {
		probe_error(&e, "this cannot be the name of a symbol", NULL);
	}
	return err;
}

static int refuse_offset(const char *symbol, unsigned long offset)
{
	const struct probe_refusal e = {
		.call	= "perf_event_open",
		.symbol	= symbol,
		.offset	= offset,
		.err	= -EINVAL,
	};

	probe_error(&e, "no function is so long", NULL);
	return -EINVAL;
}

/**
 * create_local_trace_kprobe - create an event for one perf event
 * @symbol: "[MOD:]SYM" to probe, or NULL
 * @addr: address to probe, without @symbol; else ignored
 * @offset: bytes from @symbol; ignored without it (both are one field of
 *	struct perf_event_attr)
 * @is_return: probe the return
 *
 * Context: may sleep; event_mutex not held.
 * Return: the event, planted and not armed, or an ERR_PTR(): -ENOENT or
 * -EADDRNOTAVAIL for a symbol that does not exist or is ambiguous, -EINVAL for an
 * @offset of more than 32 bits, -ENOMEM, or the error of kpoint_plant().
 */
struct trace_event_call *create_local_trace_kprobe(char *symbol, void *addr,
						   unsigned long offset,
						   bool is_return)
{
	struct probe_spec spec = {
		.group		= KPROBE_EVENT_GROUP,
		.event		= symbol ?: LOCAL_NAME,
		.is_return	= is_return,
	};
	struct kpoint *pt;
	int err;

	if (symbol) {
		/* Kprobes have an offset of 32 bits, and no function is longer. */
		if (offset > UINT_MAX)
			return ERR_PTR(refuse_offset(symbol, offset));
		err = kprobe_spec_resolve(symbol, &spec.base);
		if (err)
			return ERR_PTR(refuse_symbol(symbol, offset, err));
		spec.symbol = kstrdup(symbol, GFP_KERNEL);
		if (!spec.symbol)
			return ERR_PTR(-ENOMEM);
		spec.offset = offset;
	} else {
		spec.addr = (unsigned long)addr;
	}

	pt = kpoint_create(&spec, 0);
	probe_spec_release(&spec);
	if (IS_ERR(pt))
		return ERR_CAST(pt);

	point_prepare_hits(&pt->point);
	err = point_set_print_fmt(&pt->point);
	if (!err)
		err = kpoint_check_lockdown(pt) ?: kpoint_plant(pt, false);
	/* Events of tracefs wait for the module, perf events cannot. */
	if (err == -ENOENT && pt->mod_len && !symbol_module_present(pt->symbol, pt->mod_len))
		refuse_symbol(pt->symbol, offset, err);
	if (err) {
		point_free_later(&pt->point);
		return ERR_PTR(err);
	}
	return trace_probe_event_call(&pt->point.tp);
}

/**
 * destroy_local_trace_kprobe - undo create_local_trace_kprobe()
 * @event_call: the event, which no perf event uses any more
 *
 * Context: event_mutex may be held or not. Does not wait for handlers.
 */
void destroy_local_trace_kprobe(struct trace_event_call *event_call)
{
	struct kpoint *pt = kpoint_of_call(event_call);

	if (!pt)
		return;
	if (WARN_ON_ONCE(trace_probe_is_enabled(&pt->point.tp)))
		return;
	point_free_later(&pt->point);
}

/**
 * bpf_get_kprobe_info - get the place of a perf event's probe
 * @event: a perf event on a kprobe event
 * @fd_type: set to BPF_FD_TYPE_KPROBE or BPF_FD_TYPE_KRETPROBE
 * @symbol: set to a copy of the symbol, to be freed with kfree(), or NULL if an address was given
 * @offset: set to the bytes from @symbol
 * @addr: set to the address, 0 if the caller may not see it
 * @missed: set to the number of missed hits; may be NULL
 * @in_tracefs: the event is one of tracefs; not used
 *
 * Of an event with several points, it is that of the first one.
 *
 * Context: may sleep; event_mutex not held.
 * Return: 0, -EINVAL, or -ENOMEM.
 */
int bpf_get_kprobe_info(const struct perf_event *event, u32 *fd_type,
			const char **symbol, u64 *offset, u64 *addr,
			unsigned long *missed, bool in_tracefs)
{
	struct kpoint *pt;

	/* Points leave an event of tracefs, and functions leave a point, at any time. */
	guard(mutex)(&event_mutex);
	pt = kpoint_of_call(event->tp_event);
	if (!pt)
		return -EINVAL;

	*symbol = kstrdup(pt->symbol, GFP_KERNEL);
	if (pt->symbol && !*symbol)
		return -ENOMEM;
	*fd_type = kpoint_is_return(pt) ? BPF_FD_TYPE_KRETPROBE :
					  BPF_FD_TYPE_KPROBE;
	*offset = kpoint_kp(pt)->offset;
	*addr = 0;
	if (kallsyms_show_value(current_cred()))
		*addr = (unsigned long)kpoint_kp(pt)->addr;
	if (missed)
		*missed = kpoint_missed(pt);
	return 0;
}
