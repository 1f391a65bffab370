/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_EVENT_HIT_H
#define _TRACE_PROBES_EVENT_HIT_H
/*
 * Trace events on probes: what runs when a point is hit. For the one file of each class
 * that has the handlers.
 *
 * Any context, NMI included, preemption off. No lock is taken, nothing sleeps and
 * nothing here can be probed. A point, its arguments and its event stay until an
 * RCU grace period after the point was disarmed; so does the link to an instance's
 * file after it was unlinked. The flags of the event are read with acquire, so
 * that whoever sees one sees what had been set up before it was set.
 *
 * A record whose size is known is reserved where it is to be, and written there. One with text in
 * it is made in memory of this CPU's first, and copied to all who want it. So is one that a filter
 * has to see, and what that does not let through is not reserved.
 */
#include <linux/percpu.h>
#include <linux/rculist.h>

#include "event_point.h"
#include "event_scratch.h"

/**
 * struct point_hit - one hit, for all who want a record of it
 * @pp:		what was hit
 * @from:	what its arguments are fetched from
 * @ip:		entry: the probed address, return: the function
 * @ret_ip:	return: where it goes on
 * @made:	the record in memory of this CPU, NULL: not made
 * @size:	bytes of a record; known if it is made, or its size does not depend on text
 */
struct point_hit {
	struct probe_point	*pp;
	struct args_hit		from;
	unsigned long		ip;
	unsigned long		ret_ip;
	void			*made;
	unsigned int		size;
};

/* What a hit is to begin with. The rest of it is written where it is known. */
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

/* Returns false if there was no room for some text. */
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
 * Returns false if that is not possible: the record is larger than any that can be recorded, or the
 * hits of too many contexts are making one, which would be one in each and one more.
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

/* There is no record. Is that as one of this size fits into none of the buffer's pages? */
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

/*
 * Would the filter of an instance drop the record in the end? Triggers have to see it before that,
 * if there are some that look at it.
 */
static nokprobe_inline bool is_filtered_out(const struct point_hit *hit,
					    struct trace_event_file *file)
{
	/* Freed after a grace period, and preemption is off. */
	struct event_filter *filter = rcu_dereference_raw(file->filter);
	struct trace_entry *entry = hit->made;

	tracing_generic_entry_update(entry, file->event_call->event.type, tracing_gen_ctx());
	return !filter_match_preds(filter, entry);
}

static nokprobe_inline bool filters_early(unsigned long flags)
{
	return unlikely((flags & (EVENT_FILE_FL_FILTERED | EVENT_FILE_FL_TRIGGER_COND)) ==
			EVENT_FILE_FL_FILTERED);
}

/* Where these are not set, nothing has to be asked before a record is reserved. */
#define HIT_FILE_ASKS	(EVENT_FILE_FL_PID_FILTER | EVENT_FILE_FL_FILTERED | \
			 EVENT_FILE_FL_SOFT_DISABLED | EVENT_FILE_FL_TRIGGER_MODE | \
			 EVENT_FILE_FL_TRIGGER_COND)

/* As trace_event_buffer_reserve() does where there is nothing to ask. */
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

/* The instance filters, or has triggers. */
static nokprobe_inline void hit_asking_instance(struct point_hit *hit,
						struct trace_event_file *file)
{
	/* All of it is written where a record is reserved. */
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

/* Into the buffer of every instance that has the event on. */
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

	/* perf puts a u32 in front, and wants the whole to be of u64s. */
	if ((hit->pp->tp.dynamic && !make_record(hit)) ||
	    unlikely(hit->size > PERF_MAX_TRACE_SIZE - sizeof(u32))) {
		atomic_inc(&hit->pp->unsampled);
		return;
	}
	size = ALIGN(hit->size + sizeof(u32), sizeof(u64)) - sizeof(u32);
	rec = perf_trace_buf_alloc(size, NULL, &rctx);
	/* perf is at one in this context, or in what looks like it: a trap does like an NMI. */
	if (unlikely(!rec)) {
		atomic_inc(&hit->pp->unsampled);
		return;
	}

	/* Nothing stale is to leave the kernel. */
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
