/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_GRAMMAR_H
#define COMMANDS_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_STEPS	4	/* commands in a case */
#define MAX_COMMAND	8192

/* Text that grows; what does not fit is cut. */
struct text {
	size_t len;
	char s[MAX_COMMAND];
};

void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * What is asked at a time: commands that are written one after the other, to begin with
 * when there is no event. @file: K is kprobe_events, D dynamic_events, U uprobe_events.
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

/* What a command is made from. */
struct maker {
	uint64_t state;
	struct text *out;
	enum kind kind;
	bool returns;			/* it is about a return */
	const struct place *place;	/* NULL: nothing is known of its parameters */
	int odd;			/* percent of words that are wrong */
};

uint64_t mixed(uint64_t x);
unsigned int below(struct maker *g, unsigned int limit);
bool chance(struct maker *g, unsigned int percent);

/* The example of this number that follows from a seed: always the same. */
void make_example(struct example *e, uint64_t seed, uint32_t number);

/* "K COMMAND ;; D COMMAND": {N*TEXT} is TEXT N times. Returns 0 if it is such a line. */
int parse_example(struct example *e, const char *line);

/* Events that are hit, and what they record; see hits.c. */
void do_hits(uint64_t seed, uint32_t first, uint32_t end);

/* Commands that nobody would write; see fuzz.c. */
void do_fuzz(uint64_t seed, uint32_t first, uint32_t end);
void print_fuzz(uint64_t seed, uint32_t number);

#endif
