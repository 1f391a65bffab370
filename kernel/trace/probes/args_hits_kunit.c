// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of probe events under load: compare each value in each record with what the caller passed.
 *
 * Tasks on all CPUs call functions with arguments that are computed from a number, which is the
 * first of them. Events with random arguments are on these functions, in an instance of their own,
 * and are created and removed. The expected record is computed from the number that it begins with,
 * without code of the engine.
 *
 * args_hits_kunit.hits=N args_hits_kunit.seed=N: minimum number of records, and the seed
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mmu_context.h>
#include <linux/moduleparam.h>
#include <linux/ring_buffer.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/trace_events.h>
#include <linux/unaligned.h>

#include "../trace.h"
#include "args_internal.h"
#include "args_kunit.h"

#define GROUP		"kunit_hits"
#define TEXT_ROOM	24
#define TEXTS		8
#define TASKS		4
#define MAX_ATOMS	12
#define COMMAND_ROOM	1024
#define LEAST_OF_EACH	50U		/* records to check of each event */
#define MOST_EVENTS	400U
#define BURST		32		/* calls between two pauses of a task */
#define MOST_CALLS	1000000UL	/* calls without a record after which a test fails */
#define FILTER_BITS	32		/* bits of the number below those of the task */

static unsigned int hits = 2000;
module_param(hits, uint, 0444);
static unsigned long seed = 1;
module_param(seed, ulong, 0444);

static u64 mixed(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static u64 value_of(u64 seq, unsigned int what)
{
	return mixed(seq * 64 + what + 1);
}

/* Arguments of the calls */

struct args_kunit_passed {
	u8		bytes[64];
	u32		numbers[8];
	unsigned int	low : 5;
	int		negative : 7;
	unsigned int	high : 20;
	s16		small;
	u64		big;
	char		text[TEXT_ROOM];
	const char	*pointer;
	const char	*texts[3];
	unsigned long	user;
};

struct args_kunit_small {
	u32		x;
	u16		y;
	s8		z;
	u8		lower : 3;
	u8		upper : 5;
};

struct args_kunit_pair {
	u64		l;
	u32		m;
	u8		n;
};

static char texts[TEXTS][TEXT_ROOM];
/* The same in user memory. All tasks use this mm. */
static unsigned long user_texts;
static struct mm_struct *user_mm;

static void make_text(char *text, u64 from)
{
	unsigned int i, len = from % (TEXT_ROOM - 1);

	for (i = 0; i < len; i++)
		text[i] = 'a' + (from >> (i % 8) * 5) % 26;
	text[len] = '\0';
}

static void make_texts(void)
{
	unsigned int i;

	for (i = 0; i < TEXTS; i++)
		make_text(texts[i], mixed(i + 77));
}

static unsigned int text_of(u64 seq, unsigned int what)
{
	return value_of(seq, what) % TEXTS;
}

/* The values that are computed from a number. */
enum what {
	A = 1, B, C, D, E, F, SMALL, NEGATIVE, LOW, HIGH, BIG, TEXT, POINTER,
	USER = 20, BYTES = 24, NUMBERS = 40, X = 52, Y, Z, L, M, N, RESULT, MANY,
	LOWER = 62, UPPER,
};

static void make_passed(struct args_kunit_passed *p, u64 seq)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < sizeof(p->bytes) / sizeof(u64); i++)
		put_unaligned(value_of(seq, BYTES + i), (u64 *)p->bytes + i);
	for (i = 0; i < ARRAY_SIZE(p->numbers); i++)
		p->numbers[i] = value_of(seq, NUMBERS + i);
	p->low = value_of(seq, LOW);
	p->negative = value_of(seq, NEGATIVE);
	p->high = value_of(seq, HIGH);
	p->small = value_of(seq, SMALL);
	p->big = value_of(seq, BIG);
	make_text(p->text, value_of(seq, TEXT));
	p->pointer = texts[text_of(seq, POINTER)];
	for (i = 0; i < ARRAY_SIZE(p->texts); i++)
		p->texts[i] = texts[text_of(seq, POINTER + 1 + i)];
	p->user = user_texts + text_of(seq, USER) * TEXT_ROOM;
}

/* Functions that are called */

u64 args_kunit_called(u64 seq, struct args_kunit_passed *p, u8 a, s16 b, u32 c, s64 d);
u64 args_kunit_many(u64 seq, struct args_kunit_passed *p, u8 a, s16 b, u32 c, s64 d, u32 e, u64 f,
		    u16 g, s64 h);
u64 args_kunit_structs(u64 seq, struct args_kunit_passed *p, struct args_kunit_pair two,
		       struct args_kunit_small one);

noinline u64 args_kunit_called(u64 seq, struct args_kunit_passed *p, u8 a, s16 b, u32 c, s64 d)
{
	barrier_data(p);
	return value_of(seq, RESULT);
}

noinline u64 args_kunit_many(u64 seq, struct args_kunit_passed *p, u8 a, s16 b, u32 c, s64 d, u32 e,
			     u64 f, u16 g, s64 h)
{
	barrier_data(p);
	return value_of(seq, RESULT);
}

noinline u64 args_kunit_structs(u64 seq, struct args_kunit_passed *p, struct args_kunit_pair two,
				struct args_kunit_small one)
{
	barrier_data(p);
	return value_of(seq, RESULT);
}

static void call_all(struct args_kunit_passed *p, u64 seq)
{
	typeof(args_kunit_called) *called = args_kunit_called;
	typeof(args_kunit_many) *many = args_kunit_many;
	typeof(args_kunit_structs) *structs = args_kunit_structs;
	struct args_kunit_small one = {
		.x = value_of(seq, X), .y = value_of(seq, Y), .z = value_of(seq, Z),
		.lower = value_of(seq, LOWER), .upper = value_of(seq, UPPER),
	};
	struct args_kunit_pair two = {
		.l = value_of(seq, L), .m = value_of(seq, M), .n = value_of(seq, N),
	};

	/* Keep the compiler from calling clones without unused parameters. */
	OPTIMIZER_HIDE_VAR(called);
	OPTIMIZER_HIDE_VAR(many);
	OPTIMIZER_HIDE_VAR(structs);

	make_passed(p, seq);
	called(seq, p, value_of(seq, A), value_of(seq, B), value_of(seq, C), value_of(seq, D));
	many(seq, p, value_of(seq, A), value_of(seq, B), value_of(seq, C), value_of(seq, D),
	     value_of(seq, E), value_of(seq, F), value_of(seq, MANY), value_of(seq, MANY + 1));
	structs(seq, p, two, one);
}

/* The calling tasks. */
static struct caller {
	unsigned int		nr;
	unsigned long		calls;
} callers[TASKS];

static void comm_of(unsigned int nr, char *comm)
{
	snprintf(comm, TASK_COMM_LEN, "hits-%u", nr);
}

static int call(void *data)
{
	struct args_kunit_passed *p = kzalloc(sizeof(*p), GFP_KERNEL | __GFP_NOFAIL);
	struct caller *caller = data;

	kthread_use_mm(user_mm);
	while (!kthread_should_stop()) {
		call_all(p, (u64)caller->nr << FILTER_BITS | caller->calls);
		WRITE_ONCE(caller->calls, caller->calls + 1);
		/* Let the task run that reads the records. */
		if (caller->calls % BURST)
			cond_resched();
		else
			usleep_range(100, 200);
	}
	kthread_unuse_mm(user_mm);
	kfree(p);
	return 0;
}

static unsigned long calls_of_all(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < TASKS; i++)
		sum += READ_ONCE(callers[i].calls);
	return sum;
}

/* Arguments of the events */

enum where { VALUE, MEMORY, STRING, STRINGS, COMM, CONSTANT };

/**
 * struct atom - an argument whose values are known
 * @where:	where its value comes from
 * @text:	the word, without a name
 * @what:	argument of value_of(), for values; else the number of the constant
 * @offset:	offset in struct args_kunit_passed, if it is in there
 * @size:	bytes of an element
 * @count:	number of elements, 0 if it is no array
 * @width:	width of a bit-field, 0 if it is none
 * @shift:	offset of the bit-field in its word
 * @is_signed:	the bit-field has a sign
 */
struct atom {
	enum where	where;
	char		text[MAX_ARGSTR_LEN];
	u64		what;
	unsigned int	offset;
	unsigned int	size;
	unsigned int	count;
	unsigned int	width;
	unsigned int	shift;
	bool		is_signed;
};

/* The event that is being generated. */
struct made {
	const char	*name;
	const char	*head;
	unsigned int	head_size;
	bool		at_return;
	bool		many;		/* the event is on args_kunit_many() */
	bool		structs;	/* the event is on args_kunit_structs() */
	unsigned int	nr;
	struct atom	atoms[MAX_ATOMS];
	char		command[COMMAND_ROOM];
	unsigned long	checked;
};

static u64 chance_state;

static unsigned int below(unsigned int limit)
{
	chance_state += 0x9e3779b97f4a7c15;
	return (mixed(chance_state) >> 32) % limit;
}

static const char *number_type(unsigned int size)
{
	static const char * const types[4][4] = {
		{ "u8", "s8", "x8", "char" }, { "u16", "s16", "x16", "u16" },
		{ "u32", "s32", "x32", "s32" }, { "u64", "s64", "x64", "x64" },
	};

	return types[ilog2(size)][below(4)];
}

/* Choose a type for memory of at least @most bytes, and set the other members of the atom. */
static void put_type(struct atom *atom, int len, unsigned int most)
{
	do
		atom->size = 1 << below(4);
	while (atom->size > most);
	if (below(3)) {
		snprintf(atom->text + len, sizeof(atom->text) - len, ":%s",
			 number_type(atom->size));
		return;
	}
	atom->width = 1 + below(atom->size * 8);
	atom->shift = below(atom->size * 8 - atom->width + 1);
	snprintf(atom->text + len, sizeof(atom->text) - len, ":b%u@%u/%u", atom->width, atom->shift,
		 atom->size * 8);
}

static void put_number(struct made *made, struct atom *atom)
{
	static const struct {
		unsigned int size, what;
	} params[] = {
		{ 1, A }, { 2, B }, { 4, C }, { 8, D }, { 4, E }, { 8, F }, { 2, MANY },
		{ 8, MANY + 1 },
	};
	bool many = made->many && ARCH_PARAM_REGISTERS;
	unsigned int n = below(many ? ARRAY_SIZE(params) : 4);
	int len;

	atom->where = VALUE;
	atom->what = params[n].what;
	len = snprintf(atom->text, sizeof(atom->text), "$arg%u", n + 3);
	put_type(atom, len, params[n].size);
}

static void put_result(struct atom *atom)
{
	atom->where = VALUE;
	atom->what = RESULT;
	put_type(atom, snprintf(atom->text, sizeof(atom->text), "$retval"), 8);
}

static void put_memory(struct atom *atom)
{
	unsigned int room = offsetofend(struct args_kunit_passed, numbers);
	int len;

	atom->where = MEMORY;
	atom->offset = below(room - 8);
	len = snprintf(atom->text, sizeof(atom->text), "+%u($arg2)", atom->offset);
	put_type(atom, len, 8);
	if (below(2))
		return;
	atom->count = 1 + below(min(MAX_ARRAY_LEN, (int)((room - atom->offset) / atom->size)));
	len = strlen(atom->text);
	snprintf(atom->text + len, sizeof(atom->text) - len, "[%u]", atom->count);
}

static void put_string(struct atom *atom)
{
	static const struct {
		const char *format;
		unsigned int offset;
	} strings[] = {
		{ "+%u($arg2):string", offsetof(struct args_kunit_passed, text) },
		{ "+0(+%u($arg2)):string", offsetof(struct args_kunit_passed, pointer) },
		{ "+u0(+%u($arg2)):string", offsetof(struct args_kunit_passed, user) },
		{ "+0(+%u($arg2)):ustring", offsetof(struct args_kunit_passed, user) },
		{ "+%u($arg2):string[3]", offsetof(struct args_kunit_passed, texts) },
	};
	unsigned int n = below(ARRAY_SIZE(strings));

	atom->offset = strings[n].offset;
	atom->where = n == ARRAY_SIZE(strings) - 1 ? STRINGS : STRING;
	snprintf(atom->text, sizeof(atom->text), strings[n].format, atom->offset);
}

static void put_constant(struct atom *atom)
{
	atom->where = CONSTANT;
	atom->what = mixed(chance_state);
	put_type(atom, snprintf(atom->text, sizeof(atom->text), "\\%llu", atom->what), 8);
}

/* Parameters by name and members of structures, which need BTF. */
static void put_named(struct made *made, struct atom *atom)
{
	static const struct {
		const char *text;
		unsigned int what, size, width;
		bool is_signed;
	} named[] = {
		/* With all functions */
		{ "p->low", LOW, 4, 5 }, { "p->high", HIGH, 4, 20 },
		{ "p->negative", NEGATIVE, 4, 7, true }, { "p->small", SMALL, 2 },
		{ "p->big", BIG, 8 }, { "(args_kunit_passed)$arg2->small", SMALL, 2 },
		/* Not with args_kunit_structs() */
		{ "a", A, 1 }, { "b", B, 2 }, { "c", C, 4 }, { "d", D, 8 },
		/* Only with args_kunit_structs() */
		{ "one.x", X, 4 }, { "one.y", Y, 2 }, { "one.z", Z, 1 },
		{ "one.lower", LOWER, 1, 3 }, { "one.upper", UPPER, 1, 5 }, { "two.l", L, 8 },
		{ "two.m", M, 4 }, { "two.n", N, 1 },
	};
	unsigned int n = below(6);

	/* At a return only the first word of a structure is known. */
	if (made->structs && below(4))
		n = 10 + below(made->at_return ? 6 : 8);
	else if (!made->structs && below(2))
		n = 6 + below(4);
	atom->where = VALUE;
	atom->what = named[n].what;
	atom->size = named[n].size;
	atom->width = named[n].width;
	atom->is_signed = named[n].is_signed;
	snprintf(atom->text, sizeof(atom->text), "%s", named[n].text);
}

static void put_atom(struct made *made, struct atom *atom)
{
	memset(atom, 0, sizeof(*atom));
	if (IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS) && made->structs && below(2)) {
		put_named(made, atom);
		return;
	}
	switch (below(IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS) ? 10 : 8)) {
	case 0:
	case 1:
		if (made->at_return && below(2))
			put_result(atom);
		else if (!made->structs)
			put_number(made, atom);
		else
			put_memory(atom);
		break;
	case 2:
	case 3:
	case 4:
		put_memory(atom);
		break;
	case 5:
	case 6:
		put_string(atom);
		break;
	case 7:
		if (below(2)) {
			atom->where = COMM;
			strscpy(atom->text, "$comm");
		} else {
			put_constant(atom);
		}
		break;
	default:
		put_named(made, atom);
	}
}

static void make_event(struct made *made, const char *name)
{
	static const char * const functions[] = {
		"args_kunit_called", "args_kunit_many", "args_kunit_structs",
	};
	unsigned int i, function = below(3), kind = below(IS_ENABLED(CONFIG_FPROBE_EVENTS) ? 4 : 2);
	int len;

	made->name = name;
	made->at_return = kind % 2;
	made->many = function == 1;
	made->structs = function == 2;
	made->checked = 0;
	made->head_size = made->at_return ? sizeof(struct kretprobe_trace_entry_head) :
					    sizeof(struct kprobe_trace_entry_head);
	made->nr = 1 + below(MAX_ATOMS);
	len = snprintf(made->command, COMMAND_ROOM, "%c:" GROUP "/%s %s%s seq=$arg1:u64",
		       kind > 1 ? 'f' : made->at_return ? 'r' : 'p', name, functions[function],
		       kind > 1 && made->at_return ? "%return" : "");
	for (i = 0; i < made->nr; i++) {
		put_atom(made, &made->atoms[i]);
		len += snprintf(made->command + len, COMMAND_ROOM - len, " v%u=", i);
		len += strscpy(made->command + len, made->atoms[i].text, COMMAND_ROOM - len);
	}
}

/* Records */

static u64 number_of(const void *at, unsigned int size)
{
	switch (size) {
	case 1:
		return *(const u8 *)at;
	case 2:
		return get_unaligned((const u16 *)at);
	case 4:
		return get_unaligned((const u32 *)at);
	default:
		return get_unaligned((const u64 *)at);
	}
}

/* Compute bit-fields bit by bit, in another way than the engine. */
static u64 expected_number(const struct atom *atom, u64 number)
{
	unsigned int i, bits = atom->size * 8;
	u64 value = 0;

	for (i = 0; i < (atom->width ?: bits); i++) {
		if (number >> (atom->shift + i) & 1)
			value |= 1ULL << i;
	}
	for (; atom->is_signed && i < bits; i++) {
		if (value >> (i - 1) & 1)
			value |= 1ULL << i;
	}
	return value;
}

/**
 * struct look - a record that is compared
 * @record:	the record
 * @size:	its size
 * @at:		offset of the next argument's place
 * @passed:	what the caller passed
 * @seq:	the number that the caller passed
 */
struct look {
	const u8			*record;
	unsigned int			size;
	unsigned int			at;
	const struct args_kunit_passed	*passed;
	u64				seq;
};

static bool string_is(struct look *look, const char *text)
{
	u32 loc = get_unaligned((const u32 *)(look->record + look->at));
	unsigned int offset = get_loc_offs(loc), len = get_loc_len(loc);

	look->at += sizeof(u32);
	if (len != strlen(text) + 1 || offset + len > look->size)
		return false;
	return !memcmp(look->record + offset, text, len);
}

static bool numbers_are(struct look *look, const struct atom *atom, const void *from)
{
	unsigned int i;

	for (i = 0; i < (atom->count ?: 1); i++) {
		u64 number = number_of(from + i * atom->size, atom->size);

		if (number_of(look->record + look->at, atom->size) != expected_number(atom, number))
			return false;
		look->at += atom->size;
	}
	return true;
}

static bool value_is(struct look *look, const struct atom *atom, u64 number)
{
	u64 value = number_of(look->record + look->at, atom->size);

	look->at += atom->size;
	return value == expected_number(atom, number);
}

static const char *string_at(const struct look *look, unsigned int offset)
{
	if (offset == offsetof(struct args_kunit_passed, text))
		return look->passed->text;
	if (offset == offsetof(struct args_kunit_passed, pointer))
		return texts[text_of(look->seq, POINTER)];
	return texts[text_of(look->seq, USER)];
}

static bool argument_is(struct look *look, const struct atom *atom)
{
	char comm[TASK_COMM_LEN];
	unsigned int i;
	bool right = true;

	switch (atom->where) {
	case VALUE:
		return value_is(look, atom, value_of(look->seq, atom->what));
	case CONSTANT:
		return value_is(look, atom, atom->what);
	case MEMORY:
		return numbers_are(look, atom, (void *)look->passed + atom->offset);
	case STRING:
		return string_is(look, string_at(look, atom->offset));
	case STRINGS:
		for (i = 0; i < 3; i++)
			right &= string_is(look, texts[text_of(look->seq, POINTER + 1 + i)]);
		return right;
	case COMM:
		comm_of(look->seq >> FILTER_BITS, comm);
		return string_is(look, comm);
	}
	return false;
}

static void check_record(struct kunit *test, struct made *made, const void *record,
			 unsigned int size)
{
	struct args_kunit_passed *passed = test->priv;
	struct look look = {
		.record	= record,
		.size	= size,
		.at	= made->head_size + sizeof(u64),
		.passed	= passed,
		.seq	= number_of(record + made->head_size, sizeof(u64)),
	};
	unsigned int i;

	made->checked++;
	if (look.seq >> FILTER_BITS >= TASKS) {
		KUNIT_FAIL(test, "nobody passed %llx: %s", look.seq, made->command);
		return;
	}
	make_passed(passed, look.seq);
	for (i = 0; i < made->nr; i++) {
		unsigned int at = look.at;

		if (argument_is(&look, &made->atoms[i]))
			continue;
		KUNIT_FAIL(test, "v%u of number %llx is not what was passed: %*ph; seed %lu: %s", i,
			   look.seq, min(size - at, 32U), record + at, seed, made->command);
		return;
	}
}

/* Events that come and go */

static struct {
	struct command_file	commands;
	struct trace_array	*tr;
	struct made		made[2];
	int			types[2];
} running;

static int type_of(const char *name)
{
	struct trace_event_file *file = trace_get_event_file("kunit_hits", GROUP, name);
	int type = IS_ERR(file) ? -1 : file->event_call->event.type;

	if (type >= 0)
		trace_put_event_file(file);
	return type;
}

/* Compare all records in the buffer. Returns their number. */
static unsigned int consume(struct kunit *test)
{
	struct trace_buffer *buffer = running.tr->array_buffer.buffer;
	struct ring_buffer_event *event;
	unsigned int i, seen = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		while ((event = ring_buffer_consume(buffer, cpu, NULL, NULL))) {
			const struct trace_entry *entry = ring_buffer_event_data(event);

			for (i = 0; i < 2; i++) {
				if (entry->type == running.types[i])
					check_record(test, &running.made[i], entry,
						     ring_buffer_event_length(event));
			}
			if (++seen >= LEAST_OF_EACH || test->status == KUNIT_FAILURE)
				return seen;
		}
	}
	return seen;
}

static void define(struct kunit *test, unsigned int i, const char *name)
{
	struct made *made = &running.made[i];
	int written;

	make_event(made, name);
	written = command_write(test, &running.commands, made->command);
	KUNIT_ASSERT_EQ_MSG(test, written, strlen(made->command), "%s", made->command);
	running.types[i] = type_of(name);
	KUNIT_ASSERT_GE(test, running.types[i], 0);
}

static void undefine(struct kunit *test, const char *command)
{
	KUNIT_EXPECT_EQ_MSG(test, command_write(test, &running.commands, command), strlen(command),
			    "%s", command);
}

/* Two events at once, one of which is disabled and enabled meanwhile. */
static void one_round(struct kunit *test, unsigned int want)
{
	unsigned long calls;
	unsigned int turns = 0;

	define(test, 0, "one");
	define(test, 1, "two");
	KUNIT_ASSERT_EQ(test, trace_array_set_clr_event(running.tr, GROUP, "one", true), 0);
	KUNIT_ASSERT_EQ(test, trace_array_set_clr_event(running.tr, GROUP, "two", true), 0);
	calls = calls_of_all();
	while (running.made[0].checked < want && test->status != KUNIT_FAILURE) {
		consume(test);
		if (++turns % 4 == 0)
			trace_array_set_clr_event(running.tr, GROUP, "two", turns & 4);
		/* Do not wait forever for a record that is missing. */
		if (!running.made[0].checked && calls_of_all() - calls > MOST_CALLS) {
			KUNIT_FAIL(test, "is not hit: %s", running.made[0].command);
			break;
		}
		cond_resched();
	}
	trace_array_set_clr_event(running.tr, GROUP, "one", false);
	trace_array_set_clr_event(running.tr, GROUP, "two", false);
	/* Later events can get the same types. Do not compare the records that are left. */
	running.types[0] = -1;
	running.types[1] = -1;
	while (consume(test) && test->status != KUNIT_FAILURE)
		cond_resched();
	undefine(test, "-:" GROUP "/one");
	undefine(test, "-:" GROUP "/two");
}

static void values_are_those_passed(struct kunit *test)
{
	unsigned long checked = 0, first = 0;
	/* Creating an event takes longer than a record, so limit the number of events. */
	unsigned int want = max(LEAST_OF_EACH, hits / MOST_EVENTS);

	if (!IS_ENABLED(CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG))
		kunit_skip(test, "nothing is recorded in NMIs, as breakpoints may be");
	chance_state = seed;
	while (first < hits && test->status != KUNIT_FAILURE) {
		one_round(test, want);
		/* More records than wanted may come at once. */
		first += min_t(unsigned long, running.made[0].checked, want);
		checked += running.made[0].checked + running.made[1].checked;
	}
	kunit_info(test, "%lu records, each as it has to be, of seed %lu", checked, seed);
}

static void stop_caller(void *task)
{
	kthread_stop(task);
}

static void start_callers(struct kunit *test)
{
	char comm[TASK_COMM_LEN];
	unsigned int i;

	for (i = 0; i < TASKS; i++) {
		struct task_struct *task;

		callers[i] = (struct caller) { .nr = i };
		comm_of(i, comm);
		task = kthread_create(call, &callers[i], "%s", comm);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		kthread_bind(task, cpumask_nth(i % num_online_cpus(), cpu_online_mask));
		wake_up_process(task);
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_caller, task), 0);
	}
}

static void remove_instance(void *tr)
{
	trace_array_put(tr);
	trace_array_destroy(tr);
}

static int init(struct kunit *test)
{
	void __user *room;

	test->priv = kunit_kzalloc(test, sizeof(struct args_kunit_passed), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	command_file_open(test, &running.commands);
	running.tr = trace_array_get_by_name("kunit_hits", NULL);
	KUNIT_ASSERT_NOT_NULL(test, running.tr);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, remove_instance, running.tr), 0);
	make_texts();
	room = user_room(test, 1);
	KUNIT_ASSERT_EQ(test, copy_to_user(room, texts, sizeof(texts)), 0);
	user_texts = (unsigned long)room;
	user_mm = current->mm;
	start_callers(test);
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(values_are_those_passed),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_hits",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
