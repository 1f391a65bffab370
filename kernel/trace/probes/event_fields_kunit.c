// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields of an event with several probes, which are defined and removed in any order. */
#include <kunit/test.h>

#include "kprobe.h"

#define GROUP	"kunit_fields"
#define ARGS	"first=$stack0 second=\\1:u8 many=+0($stack):u64[2]"
#define NR_ARGS	3

static const char * const functions[] = { "vfs_unlink", "vfs_rmdir", "vfs_mkdir" };

static void events_gone(void *unused)
{
	kprobe_event_command("-:" GROUP "/");
}

static void define(struct kunit *test, const char *function)
{
	char command[160];

	snprintf(command, sizeof(command), "p:" GROUP "/e %s " ARGS, function);
	KUNIT_ASSERT_EQ(test, kprobe_event_command(command), 0);
}

static void remove(struct kunit *test, const char *function)
{
	char command[80];

	snprintf(command, sizeof(command), "-:" GROUP "/e %s", function);
	KUNIT_ASSERT_EQ(test, kprobe_event_command(command), 0);
}

static struct kpoint *first_point(void)
{
	struct dyn_event *ev;

	for_each_dyn_event(ev) {
		if (ev->ops == &kprobe_event_ops &&
		    !strcmp(trace_probe_group_name(&kpoint_of_dyn(ev)->point.tp), GROUP))
			return kpoint_of_dyn(ev);
	}
	return NULL;
}

/* Does a probe of the event own the name of this field, and its type, if that is text? */
static bool is_owned(const struct ftrace_event_field *field, struct trace_probe *tp)
{
	unsigned int i;

	for (i = 0; i < tp->nr_args; i++) {
		const struct probe_arg *arg = &tp->args[i];

		if (field->name == arg->name)
			return !arg->format || field->type == arg->format;
	}
	return false;
}

/* What a probe that went owned is freed. */
static void expect_fields(struct kunit *test)
{
	struct ftrace_event_field *field;
	struct trace_event_call *call;
	struct kpoint *pt;
	int owned = 0;

	guard(mutex)(&event_mutex);
	pt = first_point();
	KUNIT_ASSERT_NOT_NULL(test, pt);
	call = trace_probe_event_call(&pt->point.tp);
	list_for_each_entry(field, &call->class->fields, link)
		owned += is_owned(field, trace_probe_primary_from_call(call));
	KUNIT_EXPECT_EQ(test, owned, NR_ARGS);
}

/* The probes go in the order in which they came, or in the other one. */
static void probes_go(struct kunit *test, bool first)
{
	const int nr = ARRAY_SIZE(functions);
	int i;

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, events_gone, NULL), 0);
	for (i = 0; i < nr; i++) {
		define(test, functions[i]);
		expect_fields(test);
	}
	for (i = 0; i < nr - 1; i++) {
		remove(test, functions[first ? i : nr - 1 - i]);
		expect_fields(test);
	}
}

static void first_probe_goes(struct kunit *test)
{
	probes_go(test, true);
}

static void last_probe_goes(struct kunit *test)
{
	probes_go(test, false);
}

static struct kunit_case event_fields_cases[] = {
	KUNIT_CASE(first_probe_goes),
	KUNIT_CASE(last_probe_goes),
	{}
};

static struct kunit_suite event_fields_suite = {
	.name = "trace_probe_fields",
	.test_cases = event_fields_cases,
};

kunit_test_suite(event_fields_suite);
