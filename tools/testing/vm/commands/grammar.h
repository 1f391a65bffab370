/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_GRAMMAR_H
#define COMMANDS_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_STEPS	4	/* commands in an example */
#define MAX_COMMAND	8192

/* Text to append to. Text that does not fit is dropped. */
struct text {
	size_t len;
	char s[MAX_COMMAND];
};

void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * One command of an example. The commands of an example are written one after the
 * other; no event exists before the first one. @file is K for kprobe_events, D for
 * dynamic_events, or U for uprobe_events.
 */
struct step {
	char file;
	struct text command;
};

struct example {
	int count;
	struct step step[MAX_STEPS];
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(g, array) ((array)[below(g, COUNT(array))])

enum kind { KPROBE, FPROBE, TPROBE, EPROBE, UPROBE };

/* The state of the generator, and what it knows of the current command. */
struct maker {
	uint64_t state;			/* of the random numbers */
	struct text *out;
	enum kind kind;
	bool returns;			/* the probe is at a return */
	const struct place *place;	/* NULL if its parameters are not known */
	int odd;			/* percent of words that are invalid */
};

uint64_t mixed(uint64_t x);
unsigned int below(struct maker *g, unsigned int limit);
bool chance(struct maker *g, unsigned int percent);

/* Make an example. A seed and a number always give the same one. */
void make_example(struct example *e, uint64_t seed, uint32_t number);

/*
 * Parse a line "K COMMAND ;; D COMMAND". {N*TEXT} stands for N times TEXT. Returns
 * 0, or -1 if the line is invalid.
 */
int parse_example(struct example *e, const char *line);

/* Hit events, and print what they record; see hits.c. */
void do_hits(uint64_t seed, uint32_t first, uint32_t end);

/* Write broken commands, and check the kernel; see fuzz.c. */
void do_fuzz(uint64_t seed, uint32_t first, uint32_t end);
void print_fuzz(uint64_t seed, uint32_t number);

#endif
