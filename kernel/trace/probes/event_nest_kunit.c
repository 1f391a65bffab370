// SPDX-License-Identifier: GPL-2.0-or-later
/* Kprobe events in an interrupt that came while another probe's handler ran: nothing is missed. */
#include <linux/trace_events.h>

#include "../../kprobes/tests/nest.h"
#include "kprobe.h"

#define GROUP	"kunit_nest"
#define CALLS	10

static void events_gone(void *unused)
{
	trace_set_clr_event(GROUP, NULL, 0);
	kprobe_event_command("-:" GROUP "/");
}

static void event_make(struct kunit *test, const char *head, target_fn fn)
{
	char command[80];

	snprintf(command, sizeof(command), "%s 0x%lx", head, (unsigned long)fn);
	KUNIT_ASSERT_EQ(test, kprobe_event_command(command), 0);
}

static void event_counts(const char *name, struct point_counts *counts)
{
	struct dyn_event *ev;

	guard(mutex)(&event_mutex);
	for_each_dyn_event(ev) {
		if (ev->ops == &kprobe_event_ops &&
		    !strcmp(trace_probe_name(&kpoint_of_dyn(ev)->point.tp), name))
			kpoint_count(&kpoint_of_dyn(ev)->point, counts);
	}
}

static void expect_counts(struct kunit *test, const char *name, unsigned long hits)
{
	struct point_counts counts = { };

	event_counts(name, &counts);
	KUNIT_EXPECT_EQ_MSG(test, counts.hits, hits, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, counts.recursion + counts.exhausted, 0, "%s", name);
}

static void events_in_an_interrupt(struct kunit *test)
{
	struct nest *outer = test_nest_at(test, test_many[0], test_irq_now, test_many[2]);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, events_gone, NULL), 0);
	event_make(test, "p:" GROUP "/entry", test_many[2]);
	event_make(test, "r:" GROUP "/exit", test_many[2]);
	KUNIT_ASSERT_EQ(test, trace_set_clr_event(GROUP, NULL, 1), 0);
	outer->tp.kp.flags = 0;
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->tp.kp), 0);
	test_nest_jump(test, test_many[0]);
	test_call(test, test_many[0], CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&outer->tp), CALLS);
	KUNIT_EXPECT_EQ(test, outer->wrong, 0);
	expect_counts(test, "entry", CALLS);
	expect_counts(test, "exit", CALLS);
}

static struct kunit_case event_nest_cases[] = {
	KUNIT_CASE(events_in_an_interrupt),
	{}
};

static struct kunit_suite event_nest_suite = {
	.name = "trace_probe_nest",
	.test_cases = event_nest_cases,
};

kunit_test_suite(event_nest_suite);
