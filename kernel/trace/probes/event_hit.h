/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_EVENT_HIT_H
#define _TRACE_PROBES_EVENT_HIT_H
/*
 * Trace events on probes: hits of a point. Each class includes it in the file with its
 * handlers.
 *
 * Any context, NMI included, preemption off. This takes no lock, does not sleep and
 * cannot be probed. A point, its arguments and its event are freed an RCU grace period
 * after the point was disarmed, and so is the link to an instance's file after its
 * removal. The flags of the event are read with acquire, so a hit that sees a flag also
 * sees what was set up before it.
 *
 * A record whose size is known is reserved in the buffer and written there. A record with text is
 * first written to memory of this CPU, and then copied to all buffers. So is a record for which
 * there is a filter; if the filter drops it, nothing is reserved.
 */
#include <linux/percpu.h>
#include <linux/rculist.h>

#include "event_point.h"
#include "event_scratch.h"

/**
 * struct point_hit - one hit, for all instances and perf
 * @pp:		the point
 * @from:	the sources of its arguments
 * @ip:		entry: the probed address; return: the function
 * @ret_ip:	return: the return address
 * @made:	the record in memory of this CPU, NULL if it was not written
 * @size:	size of the record; valid if @made is set, or if the size does not depend on text
 */
struct point_hit {
	struct probe_point	*pp;
	struct args_hit		from;
	unsigned long		ip;
	unsigned long		ret_ip;
	void			*made;
	unsigned int		size;
};

/* Callers set the other members. */
static nokprobe_inline void hit_begin(struct point_hit *hit)
{
	hit->made = NULL;
	hit->size = hit->pp->fixed;
}

static nokprobe_inline void hit_end(const struct point_hit *hit)
{
	if (hit->made)
		probe_scratch_put();
}

/* Write the record. Returns false if there was no room for a text. */
static nokprobe_inline bool write_record(struct point_hit *hit, void *to, unsigned int room)
{
	struct probe_point *pp = hit->pp;
	struct kretprobe_trace_entry_head *ret = to;
	struct kprobe_trace_entry_head *entry = to;
	struct args_record rec __uninitialized;

	if (point_is_return(pp)) {
		ret->func = hit->ip;
		ret->ret_ip = hit->ret_ip;
	} else {
		entry->ip = hit->ip;
	}
	if (!pp->tp.nr_args)
		return true;
	if (!pp->tp.others) {
		args_store_plain(&pp->tp, &hit->from, to + pp->head);
		return true;
	}
	rec.base = to;
	rec.args = to + pp->head;
	rec.room = room;
	args_store(&pp->tp, &hit->from, &rec);
	hit->size = rec.used;
	return !rec.cut;
}

/*
 * Write the record to memory of this CPU. Returns false if it is larger than any record can be, or
 * if hits in too many contexts do this, which does not happen with one in each.
 */
static nokprobe_inline bool make_record(struct point_hit *hit)
{
	void *to;

	if (hit->made)
		return true;
	to = probe_scratch_get();
	if (!to)
		return false;
	if (!write_record(hit, to, PROBE_SCRATCH_SIZE)) {
		probe_scratch_put();
		return false;
	}
	hit->made = to;
	return true;
}

/* No record could be reserved. Count it if the reason is its size. */
static void count_unrecorded(struct point_hit *hit, struct trace_event_file *file,
			     unsigned int size)
{
	struct trace_buffer *buffer = file->tr->array_buffer.buffer;

	if (file->flags & EVENT_FILE_FL_PID_FILTER && trace_event_ignore_this_pid(file))
		return;
	if (ring_buffer_record_is_on(buffer) && size > ring_buffer_max_event_size(buffer))
		atomic_inc(&hit->pp->unrecorded);
}

NOKPROBE_SYMBOL(count_unrecorded);

/* Does the filter of an instance drop the record? See filters_early(). */
static nokprobe_inline bool is_filtered_out(const struct point_hit *hit,
					    struct trace_event_file *file)
{
	/* Freed after an RCU grace period. */
	struct event_filter *filter = rcu_dereference_raw(file->filter);
	struct trace_entry *entry = hit->made;

	/* As in trace_event_buffer_reserve(): the filter sees what the record will have. */
	tracing_generic_entry_update(entry, file->event_call->event.type, tracing_gen_ctx_dec());
	return !filter_match_preds(filter, entry);
}

/* Not if there are triggers with a condition, because they have to see the record first. */
static nokprobe_inline bool filters_early(unsigned long flags)
{
	return unlikely((flags & (EVENT_FILE_FL_FILTERED | EVENT_FILE_FL_TRIGGER_COND)) ==
			EVENT_FILE_FL_FILTERED);
}

/* If none of these is set, a record can be reserved without checks. */
#define HIT_FILE_ASKS	(EVENT_FILE_FL_PID_FILTER | EVENT_FILE_FL_FILTERED | \
			 EVENT_FILE_FL_SOFT_DISABLED | EVENT_FILE_FL_TRIGGER_MODE | \
			 EVENT_FILE_FL_TRIGGER_COND)

/* trace_event_buffer_reserve() without checks. */
static nokprobe_inline void *reserve_record(struct trace_event_buffer *out,
					    struct trace_event_file *file, unsigned int size)
{
	out->buffer = file->tr->array_buffer.buffer;
	out->trace_file = file;
	out->trace_ctx = tracing_gen_ctx_dec();
	out->event = trace_buffer_lock_reserve(out->buffer, file->event_call->event.type, size,
					       out->trace_ctx);
	if (unlikely(!out->event))
		return NULL;
	out->entry = ring_buffer_event_data(out->event);
	return out->entry;
}

static nokprobe_inline void commit_record(struct point_hit *hit, struct trace_event_buffer *out,
					  void *rec)
{
	out->regs = hit->from.regs;
	if (hit->made)
		memcpy(rec + sizeof(struct trace_entry), hit->made + sizeof(struct trace_entry),
		       hit->size - sizeof(struct trace_entry));
	else
		write_record(hit, rec, hit->size);
	trace_event_buffer_commit(out);
}

/* The instance has a filter or triggers. */
static nokprobe_inline void hit_asking_instance(struct point_hit *hit,
						struct trace_event_file *file)
{
	/* Written when a record is reserved. */
	struct trace_event_buffer out __uninitialized;
	bool filtered = filters_early(file->flags);
	void *rec;

	if (trace_trigger_soft_disabled(file))
		return;
	if ((hit->pp->tp.dynamic || filtered) && !make_record(hit)) {
		count_unrecorded(hit, file, UINT_MAX);
		return;
	}
	if (filtered && is_filtered_out(hit, file))
		return;
	rec = trace_event_buffer_reserve(&out, file, hit->size);
	if (unlikely(!rec)) {
		count_unrecorded(hit, file, hit->size);
		return;
	}
	commit_record(hit, &out, rec);
}

static nokprobe_inline void hit_instance(struct point_hit *hit, struct trace_event_file *file)
{
	struct trace_event_buffer out __uninitialized;
	void *rec;

	if (hit->pp->tp.dynamic && !make_record(hit)) {
		count_unrecorded(hit, file, UINT_MAX);
		return;
	}
	rec = reserve_record(&out, file, hit->size);
	if (unlikely(!rec)) {
		count_unrecorded(hit, file, hit->size);
		return;
	}
	commit_record(hit, &out, rec);
}

/* Write the record to the buffer of each instance that has enabled the event. */
static nokprobe_inline void hit_trace(struct point_hit *hit)
{
	struct event_file_link *link;

	list_for_each_entry_rcu(link, &hit->pp->event->files, list) {
		if (unlikely(link->file->flags & HIT_FILE_ASKS))
			hit_asking_instance(hit, link->file);
		else
			hit_instance(hit, link->file);
	}
}

#ifdef CONFIG_PERF_EVENTS
static nokprobe_inline void hit_perf_record(struct point_hit *hit)
{
	struct trace_event_call *call = &hit->pp->event->call;
	struct hlist_head *takers;
	unsigned int size;
	int rctx;
	void *rec;

	takers = this_cpu_ptr(call->perf_events);
	if (hlist_empty(takers))
		return;

	/* perf adds a u32 in front. The size of both must be a multiple of that of a u64. */
	if ((hit->pp->tp.dynamic && !make_record(hit)) ||
	    unlikely(hit->size > PERF_MAX_TRACE_SIZE - sizeof(u32))) {
		atomic_inc(&hit->pp->unsampled);
		return;
	}
	size = ALIGN(hit->size + sizeof(u32), sizeof(u64)) - sizeof(u32);
	rec = perf_trace_buf_alloc(size, NULL, &rctx);
	/* perf is in a record of this context already. A trap counts as an NMI. */
	if (unlikely(!rec)) {
		atomic_inc(&hit->pp->unsampled);
		return;
	}

	/* Clear the padding, which users can read. */
	memset(rec + hit->size, 0, size - hit->size);
	if (hit->made)
		memcpy(rec + sizeof(struct trace_entry), hit->made + sizeof(struct trace_entry),
		       hit->size - sizeof(struct trace_entry));
	else
		write_record(hit, rec, hit->size);
	perf_trace_buf_submit(rec, size, rctx, call->event.type, 1, hit->from.regs,
			      takers, NULL);
}
#else
static nokprobe_inline void hit_perf_record(struct point_hit *hit)
{
}
#endif /* CONFIG_PERF_EVENTS */

#endif /* _TRACE_PROBES_EVENT_HIT_H */
