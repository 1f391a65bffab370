// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Test of the in-kernel API for kprobe events, and an example of its use.
 *
 * Loading the module makes two events and switches them on; they then show in
 * events/kprobes/ and in the trace as files are opened. What must be refused is
 * tried first, and loading fails if it is not. Unloading removes both.
 */
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/trace_events.h>

#define TARGET	"do_sys_open"

#ifdef CONFIG_X86_64
static const char * const arg_regs[] = { "%di", "%si", "%dx", "%cx" };
#elif defined(CONFIG_ARM64)
static const char * const arg_regs[] = { "%x0", "%x1", "%x2", "%x3" };
#else
/* Any arguments will do: this tests how the command is built. */
static const char * const arg_regs[] = {
	"$stack0", "$stack1", "$stack2", "$stack3"
};
#endif

static const char * const arg_names[] = { "dfd", "filename", "flags", "mode" };

/*
 * An event of ours, if it was us who @made it: the name may have been taken. It is there for
 * as long as @file is held.
 */
struct made_event {
	const char		*name;
	bool			made;
	struct trace_event_file	*file;
};

static struct made_event on_entry = { .name = "gen_kprobe_test" };
static struct made_event on_return = { .name = "gen_kretprobe_test" };

static int switch_event(struct made_event *ev, bool on)
{
	return trace_array_set_clr_event(ev->file->tr, "kprobes", ev->name, on);
}

/* Hold the event's file, which keeps the event, and switch it on. */
static int take(struct made_event *ev)
{
	int err;

	ev->file = trace_get_event_file(NULL, "kprobes", ev->name);
	if (IS_ERR(ev->file)) {
		err = PTR_ERR(ev->file);
		ev->file = NULL;
		return err;
	}
	return switch_event(ev, true);
}

static void drop(struct made_event *ev)
{
	int err;

	if (ev->file) {
		WARN_ON(switch_event(ev, false));
		trace_put_event_file(ev->file);
		ev->file = NULL;
	}
	if (ev->made) {
		err = kprobe_event_delete(ev->name);
		WARN_ON(err && err != -ENOENT);
		ev->made = false;
	}
}

/* The first two arguments at the start, the third as a field, the last in a list. */
static int make_entry_event(char *buf)
{
	struct dynevent_cmd cmd;
	char *fields[ARRAY_SIZE(arg_names)] = { };
	int i, err = -ENOMEM;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = kasprintf(GFP_KERNEL, "%s=%s", arg_names[i],
				      arg_regs[i]);
		if (!fields[i])
			goto out;
	}

	kprobe_event_cmd_init(&cmd, buf, MAX_DYNEVENT_CMD_LEN);
	err = kprobe_event_gen_cmd_start(&cmd, on_entry.name, TARGET, fields[0],
					 fields[1]);
	if (!err)
		err = kprobe_event_add_field(&cmd, fields[2]);
	if (!err)
		err = kprobe_event_add_fields(&cmd, fields[3], "task=$comm");
	if (!err)
		err = kprobe_event_gen_cmd_end(&cmd);
	on_entry.made = !err;
out:
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		kfree(fields[i]);
	return err;
}

static int make_return_event(char *buf)
{
	struct dynevent_cmd cmd;
	int err;

	kprobe_event_cmd_init(&cmd, buf, MAX_DYNEVENT_CMD_LEN);
	err = kretprobe_event_gen_cmd_start(&cmd, on_return.name, TARGET,
					    "$retval");
	if (!err)
		err = kretprobe_event_gen_cmd_end(&cmd);
	on_return.made = !err;
	return err;
}

static bool expect(const char *what, int err, int expected)
{
	if (err == expected)
		return true;
	pr_err("%s: got %d, not %d\n", what, err, expected);
	return false;
}

/* None of these may succeed or leave anything. */
static bool refusals_work(char *buf)
{
	struct dynevent_cmd cmd;
	bool right;

	kprobe_event_cmd_init(&cmd, buf, MAX_DYNEVENT_CMD_LEN);
	right = expect("no place",
		       kprobe_event_gen_cmd_start(&cmd, "gen_bad", NULL), -EINVAL);

	kprobe_event_cmd_init(&cmd, buf, 16);
	right &= expect("text longer than its buffer",
			kprobe_event_gen_cmd_start(&cmd, "gen_bad", TARGET),
			-E2BIG);

	kprobe_event_cmd_init(&cmd, buf, MAX_DYNEVENT_CMD_LEN);
	right &= expect("start", kprobe_event_gen_cmd_start(&cmd, "gen_bad",
							    "no_such_function_"),
			0);
	right &= expect("unknown function", kprobe_event_gen_cmd_end(&cmd),
			-EINVAL);

	synth_event_cmd_init(&cmd, buf, MAX_DYNEVENT_CMD_LEN);
	right &= expect("field for another kind of command",
			kprobe_event_add_field(&cmd, "$comm"), -EINVAL);

	return expect("deleting what is not there",
		      kprobe_event_delete("gen_bad"), -ENOENT) && right;
}

static int __init kprobe_event_gen_test_init(void)
{
	char *buf = kzalloc(MAX_DYNEVENT_CMD_LEN, GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;

	err = refusals_work(buf) ? make_entry_event(buf) : -EINVAL;
	if (err)
		goto out;
	err = make_return_event(buf);
	if (!err)
		err = take(&on_entry);
	if (!err)
		err = take(&on_return);
	/* In use, so it stays. */
	if (!err && !expect("deleting an event that is on",
			    kprobe_event_delete(on_entry.name), -EBUSY))
		err = -EINVAL;
	if (err) {
		drop(&on_return);
		drop(&on_entry);
	}
out:
	kfree(buf);
	return err;
}

static void __exit kprobe_event_gen_test_exit(void)
{
	drop(&on_return);
	drop(&on_entry);
}

module_init(kprobe_event_gen_test_init);
module_exit(kprobe_event_gen_test_exit);
MODULE_DESCRIPTION("Test of the in-kernel kprobe event API");
MODULE_LICENSE("GPL");
