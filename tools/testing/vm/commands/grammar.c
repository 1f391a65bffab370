// SPDX-License-Identifier: GPL-2.0
/*
 * Generate commands for the files of probe events: documented ones, some that are
 * almost valid, and some with random mistakes. The same seed and number give the
 * same commands everywhere.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"
#include "words.h"

void put(struct text *t, const char *fmt, ...)
{
	size_t room = sizeof(t->s) - t->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->s + t->len, room, fmt, args);
	va_end(args);
	t->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Chance */

uint64_t mixed(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

unsigned int below(struct maker *g, unsigned int limit)
{
	g->state += 0x9e3779b97f4a7c15;
	return (mixed(g->state) >> 32) % limit;
}

bool chance(struct maker *g, unsigned int percent)
{
	return below(g, 100) < percent;
}

static bool odd(struct maker *g)
{
	return below(g, 1000) < (unsigned int)g->odd * 10;
}

/* Words of arguments */

static void put_fetch(struct maker *g, int depth);

static const char *parameter(struct maker *g)
{
	int n = 0;

	if (!g->place)
		return "file";
	while (n < (int)COUNT(g->place->args) && g->place->args[n])
		n++;
	return n ? g->place->args[below(g, n)] : "nothing";
}

/* Is this member likely to exist in the structure that a parameter points to? */
static bool leads_to(const char *root, const char *member)
{
	static const struct {
		const char *roots;
		const char *from, *to;
	} known[] = {
		{ " file ", "f_inode", "f_inode->i_rdev" },
		{ " path dentry ", "dentry", "dentry->d_time" },
		{ " pathname filename ", "name", "aname" },
		{ " how ", "flags", "resolve" },
		{ " op ", "open_flag", "lookup_flags" },
		{ " p prev next task tsk parent child ", "comm", "atomic_flags" },
		{ " skb ", "len", "ip_summed" },
		{ " regs ", "di", "orig_ax" },
		{ " stat ", "ino", "blksize" },
	};
	char word[64];

	snprintf(word, sizeof(word), " %s ", root);
	for (size_t i = 0; i < COUNT(known); i++) {
		if (!strstr(known[i].roots, word))
			continue;
		for (size_t m = 0, inside = 0; m < COUNT(member_paths); m++) {
			inside |= !strcmp(member_paths[m], known[i].from);
			if (inside && member_paths[m] == member)
				return true;
			if (!strcmp(member_paths[m], known[i].to))
				inside = 0;
		}
	}
	return false;
}

static void put_members(struct maker *g, const char *root)
{
	const char *member = PICK(g, member_paths);

	/* Few members fit a structure, so look for one. */
	for (int i = 0; i < 200 && !leads_to(root, member); i++)
		member = PICK(g, member_paths);
	if (!leads_to(root, member) && chance(g, 70))
		return;
	if (odd(g))
		member = PICK(g, no_members);
	put(g->out, "%s%s", chance(g, 8) ? "." : "->", member);
}

static void put_name(struct maker *g)
{
	const char *name = odd(g) ? "nosuch" : parameter(g);

	put(g->out, "%s", name);
	if (chance(g, 55))
		put_members(g, name);
}

static void put_variable(struct maker *g)
{
	const char *word = odd(g) ? PICK(g, no_variables) : PICK(g, variables);

	/* $retval is invalid at an entry: most commands should not have it there. */
	if (!g->returns && !strncmp(word, "$retval", 7) && chance(g, 80))
		word = "$arg1";
	put(g->out, "%s", word);
	if (!strcmp(word, "$retval") && chance(g, 25))
		put_members(g, chance(g, 50) ? "file" : "pathname");
}

static void put_memory(struct maker *g)
{
	static const char *const behind[] = {
		"", "", "", "+8", "-8", "+0", "+0x10", "+", "-x", "+4096", "-0x20", "+1-1", "*4",
	};

	if (chance(g, 25)) {
		put(g->out, "@%s", PICK(g, addresses));
	} else if (chance(g, g->kind == UPROBE ? 50 : 4)) {
		put(g->out, "@+%s", odd(g) ? PICK(g, odd_offsets) : PICK(g, offsets));
	} else {
		put(g->out, "@%s", odd(g) ? PICK(g, no_symbols) : PICK(g, symbols));
		put(g->out, "%s", PICK(g, behind));
	}
}

static void put_immediate(struct maker *g)
{
	if (chance(g, 30))
		put(g->out, "\\\"%s\"", PICK(g, texts));
	else
		put(g->out, "\\%s", odd(g) ? PICK(g, odd_immediates) : PICK(g, immediates));
}

static void put_dereference(struct maker *g, int depth)
{
	bool wrong = odd(g);

	put(g->out, "%c", chance(g, 85) ? '+' : '-');
	put(g->out, "%s", chance(g, 15) ? "u" : "");
	put(g->out, "%s", odd(g) ? PICK(g, odd_offsets) : PICK(g, offsets));
	put(g->out, "%s", wrong && chance(g, 30) ? "" : "(");
	put_fetch(g, depth + 1);
	put(g->out, "%s", wrong ? (chance(g, 50) ? "" : "))") : ")");
}

static void put_field(struct maker *g)
{
	if (odd(g) || chance(g, 10))
		put(g->out, "%s", PICK(g, event_fields));
	else
		put(g->out, "$%s", parameter(g));
}

static void put_fetch(struct maker *g, int depth)
{
	unsigned int way = below(g, 100);

	if (depth < 20 && chance(g, depth ? 35 : 30))
		put_dereference(g, depth);
	else if (g->kind == EPROBE && way < 70)
		put_field(g);
	else if (way < 20 && (g->kind == KPROBE || g->kind == UPROBE || odd(g)))
		put(g->out, "%%%s", odd(g) ? PICK(g, no_registers) : PICK(g, registers));
	else if (way < 20 && (g->kind == FPROBE || g->kind == TPROBE))
		put_name(g);
	else if (way < 55)
		put_variable(g);
	else if (way < 65)
		put_memory(g);
	else if (way < 75)
		put_immediate(g);
	else if (g->kind != UPROBE || odd(g))
		put_name(g);
	else
		put(g->out, "%%%s", PICK(g, registers));
}

static void put_type(struct maker *g)
{
	unsigned int way = below(g, 100);

	if (odd(g))
		put(g->out, ":%s", PICK(g, no_types));
	else if (way < 55)
		put(g->out, ":%s", PICK(g, types));
	else if (way < 80)
		put(g->out, ":%s", PICK(g, string_types));
	else
		put(g->out, ":%s", PICK(g, bit_types));
	if (chance(g, 15))
		put(g->out, "%s", odd(g) ? PICK(g, no_arrays) : PICK(g, arrays));
}

/* About as many nested dereferences as the kernel allows. */
static void put_deep(struct maker *g)
{
	int n = 11 + below(g, 4);

	for (int i = 0; i < n; i++)
		put(g->out, "+%s(", chance(g, 80) ? "0" : "8");
	put(g->out, "%s", g->kind == EPROBE ? "$nosuch" : "$stack0");
	for (int i = 0; i < n; i++)
		put(g->out, ")");
}

static void put_argument(struct maker *g)
{
	put(g->out, " ");
	if (chance(g, 4) && g->kind != UPROBE) {
		put(g->out, "$arg*");
		return;
	}
	if (chance(g, 60))
		put(g->out, "%s=", odd(g) ? PICK(g, no_argument_names) : PICK(g, argument_names));
	if (chance(g, 2))
		put_deep(g);
	else
		put_fetch(g, 0);
	if (chance(g, 55))
		put_type(g);
}

static void put_arguments(struct maker *g)
{
	static const unsigned char few[] = { 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 6 };
	static const unsigned char many[] = { 20, 64, 126, 127, 128, 129, 130 };
	int n = PICK(g, few);

	if (chance(g, 1)) {
		const char *word = g->kind == EPROBE ? "\\1" : g->kind == UPROBE ? "%ax" : "$arg1";

		n = PICK(g, many);
		for (int i = 0; i < n; i++)
			put(g->out, " %s", chance(g, 1) ? "$stack1" : word);
		n = chance(g, 20);
	}
	while (n--)
		put_argument(g);
	if (g->kind == EPROBE && chance(g, 15))
		put(g->out, "%s", PICK(g, filters));
}

/* Places */

static const struct place *function(struct maker *g)
{
	/* The parameters of the first ones have the most members. */
	return &functions[below(g, chance(g, 50) ? 6 : COUNT(functions))];
}

static void put_kprobe_place(struct maker *g)
{
	if (odd(g)) {
		put(g->out, " %s", PICK(g, no_places));
		return;
	}
	g->place = function(g);
	put(g->out, " %s", g->place->name);
	if (chance(g, 5) || odd(g))
		put(g->out, "%s", PICK(g, places_behind));
}

/* No patterns: stock would hook all matching functions, and some of them crash it. */
static void put_function(struct maker *g)
{
	size_t start = g->out->len;

	put_kprobe_place(g);
	for (char *c = g->out->s + start; *c; c++)
		if (strchr("*?[!", *c))
			*c = '_';
}

static void put_place(struct maker *g)
{
	switch (g->kind) {
	case KPROBE:
		put_kprobe_place(g);
		break;
	case FPROBE:
		put_function(g);
		break;
	case TPROBE:
		g->place = odd(g) ? NULL : &PICK(g, tracepoints);
		put(g->out, " %s", g->place ? g->place->name : PICK(g, no_tracepoints));
		return;
	case EPROBE:
		g->place = odd(g) ? NULL : &PICK(g, events);
		put(g->out, " %s", g->place ? g->place->name : PICK(g, no_events));
		return;
	case UPROBE:
		put(g->out, " %s", odd(g) ? PICK(g, odd_user_places) : PICK(g, user_places));
		return;
	}
	if (g->returns && (g->kind == FPROBE || chance(g, 10)))
		put(g->out, "%%return");
}

static void put_head(struct maker *g)
{
	static const char letters[] = { [KPROBE] = 'p', [FPROBE] = 'f', [TPROBE] = 't',
	[EPROBE] = 'e', [UPROBE] = 'p' };
	char letter = letters[g->kind];

	if (letter == 'p' && g->returns)
		letter = 'r';
	put(g->out, "%c", letter);
	if (g->returns ? chance(g, 8) : odd(g) && chance(g, 30))
		put(g->out, "%s", PICK(g, maxactives));
	put(g->out, "%s", odd(g) ? PICK(g, odd_event_names) : PICK(g, event_names));
}

static char file_of(struct maker *g)
{
	if (g->kind == KPROBE && chance(g, 80))
		return 'K';
	if (g->kind == UPROBE && chance(g, 75))
		return 'U';
	return odd(g) && chance(g, 20) ? 'K' : 'D';
}

static void make_command(struct maker *g, struct step *s)
{
	s->file = file_of(g);
	s->command.len = 0;
	s->command.s[0] = 0;
	g->out = &s->command;
	put_head(g);
	put_place(g);
	put_arguments(g);
}

/* Mistakes */

static void insert(struct text *t, size_t at, char c)
{
	if (t->len + 1 >= sizeof(t->s))
		return;
	memmove(t->s + at + 1, t->s + at, t->len - at + 1);
	t->s[at] = c;
	t->len++;
}

static void cut(struct text *t, size_t at, size_t n)
{
	if (at + n > t->len)
		n = t->len - at;
	memmove(t->s + at, t->s + at + n, t->len - at - n + 1);
	t->len -= n;
}

static char any_char(struct maker *g)
{
	static const char often[] = "+-:()@%$=\\\"[]/.>0189auxs_ ";

	if (chance(g, 80))
		return often[below(g, sizeof(often) - 1)];
	return ' ' + below(g, '~' - ' ' + 1);
}

static void mistake(struct maker *g, struct text *t)
{
	size_t at = 0;

	if (t->len < 2)
		return;
	/* Most code parses what follows the place. */
	if (chance(g, 85)) {
		char *arg = strchr(t->s, ' ');

		arg = arg ? strchr(arg + 1, ' ') : NULL;
		at = arg ? arg - t->s : 0;
	}
	at += below(g, t->len - at);
	switch (below(g, 6)) {
	case 0:
		cut(t, at, 1);
		break;
	case 1:
		insert(t, at, any_char(g));
		break;
	case 2:
		insert(t, at, t->s[at]);
		break;
	case 3:
		t->s[at] = any_char(g);
		break;
	case 4:
		cut(t, at, t->len);
		break;
	case 5:
		cut(t, at, 1 + below(g, 4));
		break;
	}
}

/* A mistake must not turn the name of a function into a pattern; see put_function(). */
static bool is_harmless(struct step *s)
{
	const char *place = strchr(s->command.s, ' ');
	size_t n;

	if (s->command.s[0] != 'f' && s->command.s[0] != 't')
		return true;
	if (!place)
		return true;
	place += strspn(place, " ");
	n = strcspn(place, " ");
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[!", place[i]))
			return false;
	return true;
}

static void make_mistakes(struct maker *g, struct step *s)
{
	struct text before = s->command;
	int n = 1 + below(g, 3);

	while (n--)
		mistake(g, &s->command);
	if (!is_harmless(s))
		s->command = before;
}

/* Several commands */

static struct step *next_step(struct example *e, const struct step *like)
{
	struct step *s = &e->step[e->count++];

	*s = *like;
	return s;
}

static void put_next(struct maker *g, struct example *e)
{
	struct step *s = next_step(e, &e->step[0]);
	bool returns = g->returns;

	switch (below(g, 8)) {
	case 0:			/* the same command again */
		break;
	case 1:
		make_mistakes(g, s);
		break;
	case 2:			/* the same arguments at another function */
	case 3:
		s->command.len = 0;
		g->out = &s->command;
		put_head(g);
		put(g->out, " %s%s", chance(g, 50) ? "vfs_write" : "vfs_read",
		    g->returns && g->kind == FPROBE ? "%return" : "");
		{
			const char *args = strchr(e->step[0].command.s, ' ');

			args = args ? strchr(args + 1, ' ') : NULL;
			put(g->out, "%s", args ? args : "");
		}
		break;
	case 4:			/* another kind of probe */
		g->kind = below(g, 5);
		g->returns = g->kind < TPROBE && chance(g, 50);
		make_command(g, s);
		g->returns = returns;
		break;
	case 5:
		g->returns = !returns && g->kind != TPROBE && g->kind != EPROBE;
		make_command(g, s);
		g->returns = returns;
		break;
	default:
		s->command.len = 0;
		put(&s->command, "%s", PICK(g, deletions));
		if (chance(g, 20))
			s->file = 'D';
		break;
	}
	if (!is_harmless(s))
		e->count--;
}

static void begin(struct maker *g, uint64_t seed, uint32_t number)
{
	static const unsigned char kinds[] = {
		KPROBE, KPROBE, KPROBE, KPROBE, KPROBE, KPROBE, KPROBE, KPROBE, KPROBE, FPROBE,
		FPROBE, FPROBE, FPROBE,
		TPROBE, TPROBE, EPROBE, EPROBE, EPROBE, UPROBE, UPROBE,
	};
	static const unsigned char oddities[] = { 0, 0, 2, 4, 4, 8, 15 };

	g->state = mixed(seed ^ mixed(number + 1));
	g->kind = PICK(g, kinds);
	g->returns = g->kind != TPROBE && g->kind != EPROBE && chance(g, 33);
	g->place = NULL;
	g->odd = PICK(g, oddities);
}

void make_example(struct example *e, uint64_t seed, uint32_t number)
{
	struct maker g;

	begin(&g, seed, number);
	e->count = 1;
	make_command(&g, &e->step[0]);
	if (chance(&g, 20)) {
		make_mistakes(&g, &e->step[0]);
	} else if (chance(&g, 8)) {
		g.odd = 0;
		put_next(&g, e);
		if (chance(&g, 40))
			put_next(&g, e);
	}
}

/* Lines written by hand */

static void spell_out(struct text *t, const char *s, const char *end)
{
	while (s < end) {
		const char *close = *s == '{' ? memchr(s, '}', end - s) : NULL;
		char *star;
		long n;

		n = close ? strtol(s + 1, &star, 10) : 0;
		if (n < 1 || *star != '*') {
			put(t, "%c", *s++);
			continue;
		}
		while (n--)
			put(t, "%.*s", (int)(close - star - 1), star + 1);
		s = close + 1;
	}
}

int parse_example(struct example *e, const char *line)
{
	e->count = 0;
	while (e->count < MAX_STEPS) {
		struct step *s = &e->step[e->count];
		const char *end = strstr(line, " ;; ");

		if (!strchr("KDU", line[0]) || !line[0] || line[1] != ' ')
			return -1;
		s->file = line[0];
		s->command.len = 0;
		s->command.s[0] = 0;
		spell_out(&s->command, line + 2, end ? end : line + strlen(line));
		e->count++;
		if (!end)
			return 0;
		line = end + 4;
	}
	return -1;
}
