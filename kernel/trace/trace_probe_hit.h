/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_HIT_H
#define _TRACE_PROBE_HIT_H
/*
 * Trace events on probes: what runs when a point is hit. For the one file of each class
 * that has the handlers, as the programs of arguments run inline.
 *
 * Any context, NMI included, preemption off. No lock is taken, nothing sleeps and
 * nothing here can be probed. A point, its arguments and its event stay until an
 * RCU grace period after the point was disarmed; so does the link to an instance's
 * file after it was unlinked. The flags of the event are read with acquire, so
 * that whoever sees one sees what had been set up before it was set.
 */
#include <linux/percpu.h>
#include <linux/rculist.h>

#include "trace_probe_point.h"
#include "trace_probe_tmpl.h"
#include "trace_probe_kernel.h"

/**
 * struct point_hit - one hit, for all who want a record of it
 * @pp:		what was hit
 * @regs:	with these registers
 * @saved:	what was kept at entry; returns only
 * @ip:		entry: the probed address, return: the function
 * @ret_ip:	return: where it goes on
 * @tail:	bytes that strings and such take behind the arguments, -1: unknown yet
 */
struct point_hit {
	struct probe_point	*pp;
	struct pt_regs		*regs;
	void			*saved;
	unsigned long		ip;
	unsigned long		ret_ip;
	int			tail;
};

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
static nokprobe_inline unsigned long nth_argument(struct pt_regs *regs, int n)
{
	return regs_get_kernel_argument(regs, n);
}
#else
/* The parser lets no such argument through. */
static nokprobe_inline unsigned long nth_argument(struct pt_regs *regs, int n)
{
	return 0;
}
#endif

/* The first step of an argument, where it is a matter of registers. */
static nokprobe_inline bool fetch_from_regs(const struct fetch_insn *op,
					    struct pt_regs *regs,
					    unsigned long *out)
{
	switch (op->op) {
	case FETCH_OP_ARG:
		*out = nth_argument(regs, op->param);
		return true;
	case FETCH_OP_REG:
		*out = regs_get_register(regs, op->param);
		return true;
	case FETCH_OP_RETVAL:
		*out = regs_return_value(regs);
		return true;
	case FETCH_OP_STACK:
		*out = regs_get_kernel_stack_nth(regs, op->param);
		return true;
	case FETCH_OP_STACKP:
		*out = kernel_stack_pointer(regs);
		return true;
	default:
		return false;
	}
}

/*
 * Run the program of one argument, for trace_probe_tmpl.h, whose callback this is:
 * @saved was kept at entry, @base is the record.
 */
static int process_fetch_insn(struct fetch_insn *op, void *regs, void *saved,
			      void *dest, void *base)
{
	unsigned long val;
	int err;

	/* Where "@SYM" was; the address has been put behind it. */
	while (op->op == FETCH_NOP_SYMBOL)
		op++;

	if (op->op == FETCH_OP_EDATA) {
		val = *(unsigned long *)(saved + op->offset);
	} else if (!fetch_from_regs(op, regs, &val)) {
		err = process_common_fetch_insn(op, &val);
		if (err < 0)
			return err;
	}
	return process_fetch_insn_bottom(op + 1, val, dest, base);
}

NOKPROBE_SYMBOL(process_fetch_insn);

/* Bytes of a record. Strings are measured once a hit. */
static nokprobe_inline int record_size(struct point_hit *hit)
{
	struct probe_point *pp = hit->pp;

	if (pp->simple)
		return pp->fixed;
	if (hit->tail < 0)
		hit->tail = __get_data_size(&pp->tp, hit->regs, hit->saved);
	return pp->fixed + hit->tail;
}

static nokprobe_inline void store_word(void *to, unsigned long val, unsigned int size)
{
	switch (size) {
	case 1:
		*(u8 *)to = val;
		break;
	case 2:
		*(u16 *)to = val;
		break;
	case 4:
		*(u32 *)to = val;
		break;
	case 8:
		*(u64 *)to = val;
		break;
	}
}

/* Mostly an argument is a register, and its program no more than to store that. */
static nokprobe_inline void store_simple_args(const struct point_hit *hit, void *body)
{
	const struct probe_arg *arg = hit->pp->tp.args;
	const struct probe_arg *end = arg + hit->pp->tp.nr_args;
	unsigned long val;

	for (; arg < end; arg++) {
		if (fetch_from_regs(arg->code, hit->regs, &val))
			store_word(body + arg->offset, val, arg->code[1].size);
	}
}

static nokprobe_inline void write_record(const struct point_hit *hit, void *rec)
{
	struct kretprobe_trace_entry_head *ret = rec;
	struct kprobe_trace_entry_head *entry = rec;
	struct probe_point *pp = hit->pp;
	void *body = rec + pp->head;

	if (point_is_return(pp)) {
		ret->func = hit->ip;
		ret->ret_ip = hit->ret_ip;
	} else {
		entry->ip = hit->ip;
	}
	if (pp->simple)
		store_simple_args(hit, body);
	else
		store_trace_args(body, &pp->tp, hit->regs, hit->saved, pp->head,
				 hit->tail);
}

/* There is no record. Is that as one of this size fits into none of the buffer's pages? */
static void count_unrecorded(struct point_hit *hit, struct trace_event_file *file)
{
	struct trace_buffer *buffer = file->tr->array_buffer.buffer;

	if (file->flags & EVENT_FILE_FL_PID_FILTER && trace_event_ignore_this_pid(file))
		return;
	if (ring_buffer_record_is_on(buffer) &&
	    record_size(hit) > ring_buffer_max_event_size(buffer))
		atomic_long_inc(&hit->pp->unrecorded);
}

NOKPROBE_SYMBOL(count_unrecorded);

/* Into the buffer of every instance that has the event on. */
static nokprobe_inline void hit_trace(struct point_hit *hit)
{
	/* All of it is written where a record is reserved. */
	struct trace_event_buffer out __uninitialized;
	struct event_file_link *link;
	void *rec;

	list_for_each_entry_rcu(link, &hit->pp->event->files, list) {
		if (trace_trigger_soft_disabled(link->file))
			continue;
		rec = trace_event_buffer_reserve(&out, link->file, record_size(hit));
		if (unlikely(!rec)) {
			count_unrecorded(hit, link->file);
			continue;
		}
		out.regs = hit->regs;
		write_record(hit, rec);
		trace_event_buffer_commit(&out);
	}
}

#ifdef CONFIG_PERF_EVENTS
static nokprobe_inline void hit_perf_record(struct point_hit *hit)
{
	struct trace_event_call *call = &hit->pp->event->call;
	int head = hit->pp->head;
	struct hlist_head *takers;
	int size, rctx;
	void *rec;

	takers = this_cpu_ptr(call->perf_events);
	if (hlist_empty(takers))
		return;

	/* perf puts a u32 in front, and wants the whole to be of u64s. */
	size = record_size(hit);
	if (unlikely(size > PERF_MAX_TRACE_SIZE - sizeof(u32))) {
		atomic_long_inc(&hit->pp->unsampled);
		return;
	}
	size = ALIGN(size + sizeof(u32), sizeof(u64)) - sizeof(u32);
	rec = perf_trace_buf_alloc(size, NULL, &rctx);
	if (!rec)
		return;

	/* A string may have got shorter: nothing stale is to leave the kernel. */
	memset(rec + head, 0, size - head);
	write_record(hit, rec);
	perf_trace_buf_submit(rec, size, rctx, call->event.type, 1, hit->regs,
			      takers, NULL);
}
#else
static nokprobe_inline void hit_perf_record(struct point_hit *hit)
{
}
#endif /* CONFIG_PERF_EVENTS */

#endif /* _TRACE_PROBE_HIT_H */
