// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of trace events on probes: records stay within what was reserved for them.
 *
 * Each kind of argument is stored into records of all sizes, from that of its place to more than is
 * needed.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "args_internal.h"
#include "event_hit.h"

#define CANARY		0xa5
#define GUARD		1024
#define MAX_ARGS	4
#define ARG_LEN		64

/* The memory that all arguments here read. */
static struct {
	char		text[24];
	const char	*texts[MAX_ARRAY_LEN];
	void		*function;
	u64		words[MAX_ARRAY_LEN];
} source;

static void point_kfree(void *pp)
{
	trace_probe_cleanup(&((struct probe_point *)pp)->tp);
	kfree(pp);
}

static const struct point_kind test_kind;

/* Make a point with these arguments, as a command would. */
static struct probe_point *make_point(struct kunit *test, int nargs, char (*args)[ARG_LEN])
{
	struct traceprobe_parse_context ctx = { .flags = TPARG_FL_KERNEL };
	struct probe_point *pp;
	int i, err;

	pp = kzalloc(struct_size(pp, tp.args, nargs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pp);
	pp->kind = &test_kind;
	pp->head = sizeof(struct kprobe_trace_entry_head);
	err = trace_probe_init(&pp->tp, "kunit", "kunit", false, nargs);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, point_kfree, pp), 0);

	mutex_lock(&dyn_event_ops_mutex);
	for (i = 0; !err && i < nargs; i++) {
		ctx.offset = 0;
		err = traceprobe_parse_probe_arg(&pp->tp, i, args[i], &ctx);
	}
	traceprobe_finish_parse(&ctx);
	mutex_unlock(&dyn_event_ops_mutex);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "argument %s", args[i - 1]);
	point_prepare_hits(pp);
	return pp;
}

/* The size of a complete record. */
static unsigned int needed(struct probe_point *pp, struct pt_regs *regs, u8 *buf, unsigned int size)
{
	struct args_hit hit = { .regs = regs };
	struct args_record rec = { .base = buf, .args = buf + pp->head, .room = size };

	args_store(&pp->tp, &hit, &rec);
	return rec.cut ? 0 : rec.used;
}

/* Check that a string is in the record, with its final zero. */
static void check_loc(struct kunit *test, const u8 *rec, size_t size, u32 loc)
{
	u32 offs = get_loc_offs(loc), len = get_loc_len(loc);

	KUNIT_EXPECT_LE(test, offs + len, size);
	if (len && offs + len <= size)
		KUNIT_EXPECT_LT(test, strnlen(rec + offs, len), (size_t)len);
}

static void check_record(struct kunit *test, struct probe_point *pp, const u8 *rec,
			 size_t size)
{
	const struct probe_arg *arg = pp->tp.args;
	const struct probe_arg *end = arg + pp->tp.nr_args;
	unsigned int i;

	for (; arg < end; arg++) {
		const u32 *locs = (const u32 *)(rec + pp->head + arg->offset);

		for (i = 0; arg->type->is_string && i < (arg->count ?: 1); i++)
			check_loc(test, rec, size, locs[i]);
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(rec + size, CANARY, GUARD));
}

/* Store the arguments into records of all sizes, up to some bytes more than they need. */
static void store_everywhere(struct kunit *test, struct probe_point *pp)
{
	struct pt_regs regs = { };
	struct args_hit hit = { .regs = &regs };
	struct args_record rec = { };
	unsigned int most;
	u8 *buf;

	buf = kunit_kmalloc(test, PROBE_SCRATCH_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	most = needed(pp, &regs, buf, PROBE_SCRATCH_SIZE - GUARD);
	KUNIT_ASSERT_GE(test, most, pp->fixed);
	rec.base = buf;
	rec.args = buf + pp->head;
	for (rec.room = pp->fixed; rec.room <= most + 8 && test->status != KUNIT_FAILURE;
	     rec.room++) {
		memset(buf, CANARY, PROBE_SCRATCH_SIZE);
		args_store(&pp->tp, &hit, &rec);
		KUNIT_EXPECT_LE(test, rec.used, rec.room);
		KUNIT_EXPECT_TRUE(test, rec.cut || rec.used == most);
		KUNIT_EXPECT_TRUE(test, !rec.cut || rec.room <= most + KSYM_SYMBOL_LEN);
		check_record(test, pp, buf, rec.room);
	}
}

/* Try an argument after and before strings of all kinds. */
static void try_argument(struct kunit *test, const char *text)
{
	static const char * const others[] = { "string", "symstr" };
	char args[MAX_ARGS][ARG_LEN];
	struct probe_point *pp;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		void *at = i ? (void *)&source.function : (void *)source.text;

		snprintf(args[0], ARG_LEN, "before=@0x%px:%s", at, others[i]);
		snprintf(args[1], ARG_LEN, "x=%s", text);
		snprintf(args[2], ARG_LEN, "again=@0x%px:%s", at, others[i]);
		snprintf(args[3], ARG_LEN, "last=@0x%px:x8", &source.words);
		pp = make_point(test, 4, args);
		store_everywhere(test, pp);
	}
}

static const char * const words[] = {
	"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "x8", "x16", "x32", "x64",
	"char", "symbol", "b3@5/8", "b16@0/16", "b31@1/32", "b1@63/64",
};

static void test_words(struct kunit *test)
{
	char text[ARG_LEN];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(text, sizeof(text), "@0x%px:%s", source.words, words[i]);
		try_argument(test, text);
	}
}

static void test_arrays_of_words(struct kunit *test)
{
	char text[ARG_LEN];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(text, sizeof(text), "@0x%px:%s[%d]", source.words, words[i],
			 MAX_ARRAY_LEN);
		try_argument(test, text);
	}
}

static void test_strings(struct kunit *test)
{
	char text[ARG_LEN];

	snprintf(text, sizeof(text), "@0x%px:string", source.text);
	try_argument(test, text);
	try_argument(test, "$comm");
	try_argument(test, "\\\"a text\"");
	/* Nothing is mapped there. */
	try_argument(test, "@0:string");
	try_argument(test, "@0:ustring");
}

static void test_symbol_strings(struct kunit *test)
{
	char text[ARG_LEN];

	snprintf(text, sizeof(text), "@0x%px:symstr", &source.function);
	try_argument(test, text);
	/* Without a symbol, the address is shown. */
	snprintf(text, sizeof(text), "@0x%px:symstr", source.words);
	try_argument(test, text);
}

static void test_arrays_of_strings(struct kunit *test)
{
	char text[ARG_LEN];
	unsigned int i;

	for (i = 0; i < MAX_ARRAY_LEN; i++)
		source.texts[i] = source.text + i % sizeof(source.text);
	snprintf(text, sizeof(text), "@0x%px:string[%d]", source.texts, MAX_ARRAY_LEN);
	try_argument(test, text);
	/* One element cannot be read. */
	source.texts[1] = NULL;
	try_argument(test, text);
}

static void test_user_strings(struct kunit *test)
{
	char text[ARG_LEN];
	unsigned long at;

	at = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_LT(test, at, TASK_SIZE);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)at, source.text, sizeof(source.text)),
			0);
	snprintf(text, sizeof(text), "+u0(\\0x%lx):string", at);
	try_argument(test, text);
	snprintf(text, sizeof(text), "+0(\\0x%lx):ustring", at);
	try_argument(test, text);
}

static int init(struct kunit *test)
{
	memset(source.words, 0x5a, sizeof(source.words));
	strscpy(source.text, "neither long nor short", sizeof(source.text));
	source.function = dereference_kernel_function_descriptor(schedule);
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_words),
	KUNIT_CASE(test_arrays_of_words),
	KUNIT_CASE(test_strings),
	KUNIT_CASE(test_symbol_strings),
	KUNIT_CASE(test_arrays_of_strings),
	KUNIT_CASE(test_user_strings),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_records",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
