/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_EVENT_H
#define _TRACE_PROBES_EVENT_H
/*
 * Probe events: declarations for events on kprobes, fprobes, uprobes and other events.
 *
 * An event has one record format and one or more probes that write such records. The event
 * is created with its first probe. Other probes join it by trace_probe_append().
 */
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock_types.h>
#include <linux/trace_events.h>

#include "../trace.h"
#include "../trace_output.h"
#include "args.h"

/* Names of the fields before the arguments. */
#define FIELD_STRING_IP		"__probe_ip"
#define FIELD_STRING_RETIP	"__probe_ret_ip"
#define FIELD_STRING_FUNC	"__probe_func"

/* Who records the event, in trace_probe_event.flags: instances, perf. */
#define TP_FLAG_TRACE		BIT(0)
#define TP_FLAG_PROFILE		BIT(1)

/* For functions that define the fields of an event_call. They have an int ret. */
#define DEFINE_FIELD(type, item, name, is_signed)				\
	do {									\
		ret = trace_define_field(event_call, #type, name,		\
					 offsetof(typeof(field), item),		\
					 sizeof(field.item), is_signed,		\
					 FILTER_OTHER);				\
		if (ret)							\
			return ret;						\
	} while (0)

/**
 * struct trace_uprobe_filter - tasks whose hits perf records
 * @rwlock:		guards the rest
 * @nr_systemwide:	number of perf events for all tasks
 * @perf_events:	the perf events for one task
 */
struct trace_uprobe_filter {
	rwlock_t		rwlock;
	int			nr_systemwide;
	struct list_head	perf_events;
};

/**
 * struct trace_probe_event - an event, for all its probes
 * @flags:	TP_FLAG_*. Changed under event_mutex, with release; read by hits, with acquire
 * @class:	its class, of which it is the only event
 * @call:	the event for the event core
 * @files:	event_file_link of each instance that records it. Changed under event_mutex,
 *		read by hits under RCU
 * @probes:	its probes. Changed under event_mutex. A reader that prints has only trace_event_sem
 *		and uses the first one, so to remove a probe while others stay takes that, too
 * @named:	links it in the table of names while it is registered. Guarded by event_mutex
 * @filter:	one entry for uprobes, none for others
 */
struct trace_probe_event {
	unsigned int			flags;
	struct trace_event_class	class;
	struct trace_event_call		call;
	struct list_head		files;
	struct list_head		probes;
	struct rhash_head		named;
	struct trace_uprobe_filter	filter[];
};

/**
 * struct trace_probe - one probe of an event
 * @list:	links it in the event's probes. Guarded by event_mutex
 * @event:	the event. Guarded by event_mutex
 * @size:	bytes of all arguments' places in a record, without the bytes of strings
 * @nr_args:	number of @args
 * @dynamic:	an argument has bytes behind the places
 * @others:	an argument is not just the value of a register
 * @reads_kernel: an argument reads memory of the kernel
 * @entry_arg:	the values that are kept from a function's entry to its return, or NULL
 * @args:	the arguments
 *
 * All but @list and @event are set before the probe is planted, and constant from then on.
 * Names and formats of @args move to an equal argument if the probe is the first of its event and
 * leaves it; event_mutex guards them. Hits do not read them.
 */
struct trace_probe {
	struct list_head		list;
	struct trace_probe_event	*event;
	u16				size;
	u16				nr_args;
	bool				dynamic;
	bool				others;
	bool				reads_kernel;
	struct probe_entry_arg		*entry_arg;
	struct probe_arg		args[];
};

/**
 * struct event_file_link - an instance that records an event
 * @file:	the instance's file of the event
 * @list:	links it in trace_probe_event.files
 */
struct event_file_link {
	struct trace_event_file	*file;
	struct list_head	list;
};

/* Context: any. */
static inline unsigned int trace_probe_load_flag(struct trace_probe *probe)
{
	/* Pairs with the release in trace_probe_set_flag() and trace_probe_clear_flag(). */
	return smp_load_acquire(&probe->event->flags);
}

static inline bool trace_probe_test_flag(struct trace_probe *probe, unsigned int flag)
{
	return trace_probe_load_flag(probe) & flag;
}

static inline void trace_probe_set_flag(struct trace_probe *probe, unsigned int flag)
{
	/* Pairs with trace_probe_load_flag(): publishes @files or perf's lists with the flag. */
	smp_store_release(&probe->event->flags, probe->event->flags | flag);
}

static inline void trace_probe_clear_flag(struct trace_probe *probe, unsigned int flag)
{
	/* Pairs with trace_probe_load_flag(). */
	smp_store_release(&probe->event->flags, probe->event->flags & ~flag);
}

static inline bool trace_probe_is_enabled(struct trace_probe *probe)
{
	return trace_probe_test_flag(probe, TP_FLAG_TRACE | TP_FLAG_PROFILE);
}

static inline const char *trace_probe_name(struct trace_probe *probe)
{
	return trace_event_name(&probe->event->call);
}

static inline const char *trace_probe_group_name(struct trace_probe *probe)
{
	return probe->event->call.class->system;
}

static inline struct trace_event_call *trace_probe_event_call(struct trace_probe *probe)
{
	return &probe->event->call;
}

static inline struct list_head *trace_probe_probe_list(struct trace_probe *probe)
{
	return &probe->event->probes;
}

static inline bool trace_probe_has_sibling(struct trace_probe *probe)
{
	return !list_is_singular(&probe->event->probes);
}

static inline bool trace_probe_has_single_file(struct trace_probe *probe)
{
	return list_is_singular(&probe->event->files);
}

/* The first probe of an event, NULL if it has none any more. */
static inline struct trace_probe *trace_probe_primary_from_call(struct trace_event_call *call)
{
	struct trace_probe_event *event = container_of(call, struct trace_probe_event, call);

	return list_first_entry_or_null(&event->probes, struct trace_probe, list);
}

#define trace_probe_for_each_link(link, probe)	\
	list_for_each_entry(link, &(probe)->event->files, list)

#define trace_probe_for_each_link_rcu(link, probe)	\
	list_for_each_entry_rcu(link, &(probe)->event->files, list)

/* event_probe.c */
int trace_probe_init(struct trace_probe *probe, const char *name, const char *group,
		     bool with_filter, int nr);
void trace_probe_cleanup(struct trace_probe *probe);
int trace_probe_append(struct trace_probe *probe, struct trace_probe *to);
void trace_probe_unlink(struct trace_probe *probe);
int trace_probe_register_event_call(struct trace_probe *probe);
int trace_probe_unregister_event_call(struct trace_probe *probe);
struct trace_event_call *trace_probe_find_call(const char *group, const char *name);
int trace_probe_add_file(struct trace_probe *probe, struct trace_event_file *instance);
int trace_probe_remove_file(struct trace_probe *probe, struct trace_event_file *instance);
struct event_file_link *trace_probe_get_file_link(struct trace_probe *probe,
						  struct trace_event_file *instance);

/* event_words.c */
int traceprobe_split_symbol_offset(char *symbol, long *offset);
int traceprobe_parse_event_name(const char **name, const char **group, char *room, int at);
int trace_probe_create(const char *command, int (*carry_out)(int, const char **));
int trace_probe_compare_arg_type(struct trace_probe *a, struct trace_probe *b);
bool trace_probe_match_command_args(struct trace_probe *probe, int nr, const char **words);

/* args_parse.c */
int traceprobe_parse_probe_arg(struct trace_probe *probe, int i, const char *argv,
			       struct traceprobe_parse_context *ctx);

#endif /* _TRACE_PROBES_EVENT_H */
