// SPDX-License-Identifier: GPL-2.0
/*
 * Attach BPF programs to perf events by PERF_EVENT_IOC_SET_BPF: the one that fuzz_prog.c has
 * loaded, those of calls.c, and descriptors that are none. Each call has one right answer, by
 * kernel/events/core.c and kernel/trace/bpf_trace.c. A program with an even result keeps its event
 * from counting hits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"
#include "files.h"

#define NO_FD	9999

/* Programs beside those of enum program. */
enum { LOADED = PROGRAMS, NOT_OPENED, AN_EVENT, FILES };

/* TWIN is the same file as ENTRY. */
enum { ENTRY, RETURN_OF_IT, TWIN, SOFTWARE, NO_EVENT, EVENTS };

static const char *const event_names[EVENTS] = {
	"entry", "return", "dup of entry", "software event", "file that is no event",
};

static const char *const program_names[FILES] = {
	"kprobe", "multi", "session", "override", "override multi", "tracepoint", "loaded",
	"not open", "event",
};

static const char *const kind_names[ATTACH_KINDS] = {
	"set", "count hits", "close event", "close program",
};

/* An open file; the events at both ends of dup() are one. */
struct file {
	bool attached;			/* a program */
	bool silenced;			/* by that program */
};

struct bench {
	int fds[EVENTS];		/* -1: closed */
	struct file files[EVENTS];
	struct loaded *loaded;
};

static struct file *file_of(struct bench *b, unsigned int event)
{
	return &b->files[event == TWIN ? ENTRY : event];
}

void make_attach(struct maker *g, struct attach *a, uint32_t type)
{
	a->count = below(g, MAX_ATTACHES + 1);
	for (int i = 0; i < a->count; i++) {
		bool any = chance(g, 40);

		a->steps[i] = (struct attach_step){
			.kind = chance(g, 60) ? SET : chance(g, 70) ? COUNT_HITS :
				CLOSE_EVENT + below(g, 2),
			.event = chance(g, 25) ? below(g, EVENTS) :
				 type == BPF_PROG_TYPE_PERF_EVENT ? SOFTWARE : below(g, TWIN),
			.program = any ? (int)below(g, FILES) : LOADED,
		};
	}
}

void print_attach(const struct attach *a)
{
	for (int i = 0; i < a->count; i++)
		printf("%s: %s, program %s\n", kind_names[a->steps[i].kind],
		       event_names[a->steps[i].event], program_names[a->steps[i].program]);
}

/* What is right */

static bool is_kprobe(const struct bench *b, int program)
{
	return program == LOADED ? b->loaded->type == BPF_PROG_TYPE_KPROBE :
	       program != OF_TRACEPOINT;
}

/* The errno of attaching, or 0. */
static int right_errno(struct bench *b, const struct attach_step *s, int fd)
{
	bool attached = file_of(b, s->event)->attached;

	if (b->fds[s->event] < 0)
		return EBADF;
	if (s->event == NO_EVENT)
		return ENOTTY;
	if (fd < 0 || fd == NO_FD)
		return EBADF;
	if (s->program == AN_EVENT)
		return EINVAL;
	if (s->event == SOFTWARE) {
		if (attached)
			return EEXIST;
		return s->program == LOADED && b->loaded->type == BPF_PROG_TYPE_PERF_EVENT ?
		       0 : EINVAL;
	}
	/* Only uprobes take sleepable programs, and vfs_read() is no place to inject errors. */
	if (!is_kprobe(b, s->program) || (s->program == LOADED && b->loaded->sleepable) ||
	    s->program == OF_OVERRIDE || s->program == OF_OVERRIDE_MULTI)
		return EINVAL;
	return attached ? EEXIST : 0;
}

/* Doing */

static int kprobe_type(void)
{
	static char text[MAX_FILE];
	static int type;

	if (!type) {
		read_file("/sys/bus/event_source/devices/kprobe/type", text);
		type = atoi(text);
	}
	return type;
}

static int open_event(int type, uint64_t config)
{
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = config,
					.kprobe_func = (uintptr_t)"vfs_read" };
	int fd;

	if (type == PERF_TYPE_SOFTWARE)
		attr.kprobe_func = 0;
	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		printf(" an event is not opened: %s", strerrorname_np(errno));
	return fd;
}

static void open_events(struct bench *b)
{
	b->fds[ENTRY] = open_event(kprobe_type(), 0);
	b->fds[RETURN_OF_IT] = open_event(kprobe_type(), 1);
	b->fds[TWIN] = dup(b->fds[ENTRY]);
	b->fds[SOFTWARE] = open_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	b->fds[NO_EVENT] = dup(STDERR_FILENO);
}

static void set(struct bench *b, const struct attach_step *s)
{
	int fd = s->program == LOADED ? b->loaded->fd : s->program == NOT_OPENED ? NO_FD :
		 s->program == AN_EVENT ? b->fds[RETURN_OF_IT] : program_fd(s->program);
	int err = right_errno(b, s, fd);
	long ret = call_result(ioctl(b->fds[s->event], PERF_EVENT_IOC_SET_BPF, fd));
	char what[80];

	snprintf(what, sizeof(what), "attaching %s to %s", program_names[s->program],
		 event_names[s->event]);
	expect_errno(what, ret, err);
	if (ret < 0)
		return;
	file_of(b, s->event)->attached = true;
	file_of(b, s->event)->silenced = s->program == LOADED ? b->loaded->silent :
					 s->program != OF_PERF;
}

/* Reading hits the event, too. */
static void count_hits(struct bench *b, unsigned int event)
{
	uint64_t before = 0, after = 0;
	int fd = b->fds[event];

	if (event >= SOFTWARE || fd < 0)
		return;
	if (read(fd, &before, sizeof(before)) != sizeof(before))
		printf(" %s has no count", event_names[event]);
	do_something();
	if (read(fd, &after, sizeof(after)) != sizeof(after))
		printf(" %s has no count", event_names[event]);
	if (file_of(b, event)->silenced ? before != after : before == after)
		printf(" %s counts %llu and then %llu", event_names[event],
		       (unsigned long long)before, (unsigned long long)after);
}

static void close_once(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void do_attach(const struct attach *a, struct loaded *loaded)
{
	struct bench b = { .loaded = loaded };

	open_events(&b);
	for (int i = 0; i < a->count; i++) {
		const struct attach_step *s = &a->steps[i];

		if (s->kind == SET)
			set(&b, s);
		else if (s->kind == COUNT_HITS)
			count_hits(&b, s->event);
		else if (s->kind == CLOSE_EVENT)
			close_once(&b.fds[s->event]);
		else
			close_once(&loaded->fd);
	}
	close_once(&loaded->fd);
	for (int i = 0; i < EVENTS; i++) {
		count_hits(&b, i);
		close_once(&b.fds[i]);
	}
}

/* Returns the number of a program with a larger one, or 0. */
static uint32_t next_program(uint32_t number)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.start_id = number;
	return bpf_call(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) < 0 ? 0 : attr.next_id;
}

/* The number of the program that calls.c has loaded last, which is the largest. */
static uint32_t last_of_calls(void)
{
	static char text[MAX_FILE];
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", program_fd(OF_TRACEPOINT));
	read_file(path, text);
	at = strstr(text, "prog_id:");
	if (!at)
		printf(" the number of a program is not known");
	return at ? atoi(at + strlen("prog_id:")) : 0;
}

void check_programs(void)
{
	static uint32_t last;
	uint32_t next;

	if (!last)
		last = last_of_calls();
	/* They go away after a grace period. */
	for (int i = 0; (next = next_program(last)) && i < 1000; i++)
		usleep(10000);
	if (next)
		printf(" BPF program %u is left", next);
}
