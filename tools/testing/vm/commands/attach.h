/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_ATTACH_H
#define COMMANDS_ATTACH_H

#include "calls.h"

/* What fuzz_prog.c and fuzz_attach.c share: a loaded BPF program, and what is done with it. */

#define MAX_ATTACHES	8

enum attach_kind { SET, COUNT_HITS, CLOSE_EVENT, CLOSE_PROGRAM, ATTACH_KINDS };

/* Something done with one of the perf events. */
struct attach_step {
	enum attach_kind kind;
	unsigned int event;
	int program;			/* enum program, or one of those in fuzz_attach.c */
};

struct attach {
	int count;
	struct attach_step steps[MAX_ATTACHES];
};

struct loaded {
	int fd;				/* -1: closed */
	uint32_t type;
	bool sleepable;
	bool silent;			/* hits do not count */
};

/* @type: the program's */
void make_attach(struct maker *g, struct attach *a, uint32_t type);
void print_attach(const struct attach *a);

/* Attach the program and others to perf events, and close all. Prints what is wrong. */
void do_attach(const struct attach *a, struct loaded *loaded);

/* Report a BPF program that is left. */
void check_programs(void);

#endif
