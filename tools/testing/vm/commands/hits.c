// SPDX-License-Identifier: GPL-2.0
/*
 * Hit events by system calls with known arguments, and print what they record: for
 * each event a line with its number, the command, the answer to it, and the text of
 * each record after the place, with tabs between. The memory that calls get is at
 * fixed addresses, and its contents follow from the seed and the number.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"
#include "words.h"

#define MEMORY		((char *)0x10000000)	/* the next page is not mapped */
#define MEMORY_SIZE	0x4000
/* Offsets in MEMORY */
#define POINTERS	0x200			/* pointers to texts */
#define TEXTS		0x400			/* texts, every TEXT_ROOM bytes */
#define TEXT_ROOM	0x40
#define TEXT_COUNT	16
#define LONG_TEXT	0x1000			/* a text to the end, without a final 0 */
#define COMM		"commands"
#define COMM_SIZE	16
#define NO_FILE		"/nosuch/"

enum call { READ, SETNAME, OPEN, OWN };

/* Where an event can be, which arguments it can have there, and the call that hits it. */
struct spot {
	char file;
	const char *head;
	enum kind kind;
	enum call call;
	bool returns;
	const char *numbers[6];		/* arguments that are numbers */
	const char *user[3];		/* arguments that point to MEMORY */
	const char *kernel[3];		/* arguments that point to text in kernel memory */
};

static const struct spot spots[] = {
	{ 'K', "p:e vfs_read", KPROBE, READ, false,
	  { "%dx", "$arg3", "count" }, { "%si", "$arg2", "buf" } },
	{ 'K', "r:e vfs_read", KPROBE, READ, true,
	  { "$retval", "$arg3", "count" }, { "$arg2", "buf" } },
	{ 'D', "f:e vfs_read", FPROBE, READ, false,
	  { "$arg3", "count" }, { "$arg2", "buf" } },
	{ 'D', "f:e vfs_read%return", FPROBE, READ, true,
	  { "$retval", "$arg3", "count" }, { "$arg2", "buf" } },
	{ 'K', "p:e __set_task_comm", KPROBE, SETNAME, false,
	  { "%dx", "exec", "$arg3" }, { NULL }, { "%si", "$arg2", "buf" } },
	{ 'D', "f:e __set_task_comm", FPROBE, SETNAME, false,
	  { "exec", "tsk->prio" }, { NULL }, { "$arg2", "buf" } },
	{ 'D', "f:e __set_task_comm%return", FPROBE, SETNAME, true,
	  { "exec" }, { NULL }, { "$arg2", "buf" } },
	{ 'D', "t:e task_rename", TPROBE, SETNAME, false,
	  { "task->prio" }, { NULL }, { "$arg2", "comm" } },
	{ 'K', "p:e do_filp_open", KPROBE, OPEN, false,
	  { "%di", "dfd", "$arg1", "op->open_flag" }, { NULL },
	  { "+0(%si)", "+0($arg2)", "pathname->name" } },
	{ 'K', "r:e do_filp_open", KPROBE, OPEN, true,
	  { "$retval", "dfd", "$arg1" }, { NULL }, { "+0($arg2)", "pathname->name" } },
	{ 'D', "f:e do_filp_open", FPROBE, OPEN, false,
	  { "dfd", "$arg1", "op->open_flag" }, { NULL }, { "+0($arg2)", "pathname->name" } },
	{ 'D', "f:e do_sys_openat2%return", FPROBE, OPEN, true,
	  { "$retval", "dfd", "$arg1" }, { "filename", "$arg2" } },
	{ 'K', "p:e do_sys_openat2", KPROBE, OPEN, false,
	  { "%di", "dfd", "how->flags", "how->mode" }, { "%si", "filename" } },
	{ 'D', "e:e syscalls/sys_enter_openat", EPROBE, OPEN, false,
	  { "$dfd", "$flags", "$mode", "$__syscall_nr" }, { "$filename" } },
	{ 'U', "p:e %s", UPROBE, OWN, false,
	  { "%dx", "%cx", "%r8", "%r9" }, { "%si", "%di" } },
	{ 'U', "r:e %s", UPROBE, OWN, true,
	  { "$retval" } },
};

/* The arguments of the call. */
struct input {
	long numbers[4];
	char name[COMM_SIZE];
};

static char trace[MAX_FILE];

/* The function that uprobes are on. */
__attribute__((noipa)) long commands_probed(char *a, char *b, long c, long d, long e, long f)
{
	return (long)a + (b - a) * c + d + e * f;
}

/* Arguments */

static int count_of(const char *const *list, int limit)
{
	int n = 0;

	while (n < limit && list[n])
		n++;
	return n;
}

static unsigned int seldom_long(struct maker *g, unsigned int usual, unsigned int most)
{
	if (chance(g, 80))
		return below(g, usual);
	return below(g, chance(g, 80) && most > 1000 ? 1000 : most);
}

static const char *number_of(struct maker *g, const struct spot *s)
{
	return s->numbers[below(g, count_of(s->numbers, COUNT(s->numbers)))];
}

static void put_number_type(struct maker *g)
{
	if (chance(g, 10))
		return;
	put(g->out, ":%s", chance(g, 70) ? PICK(g, types) : PICK(g, bit_types));
}

/* At most room bytes. If memory cannot be read, stock records stale data. */
static void put_memory_type(struct maker *g, unsigned int room)
{
	static const struct {
		const char *name;
		unsigned int size;
	} sized[] = {
		{ "u8", 1 }, { "s8", 1 }, { "x8", 1 }, { "char", 1 }, { "b4@2/8", 1 }, { "b1@7/8",
		  1 },
		{ "u16", 2 }, { "s16", 2 }, { "x16", 2 }, { "b12@3/16", 2 },
		{ "u32", 4 }, { "s32", 4 }, { "x32", 4 }, { "b31@1/32", 4 },
		{ "u64", 8 }, { "s64", 8 }, { "x64", 8 }, { "b40@13/64", 8 },
	};
	unsigned int type = below(g, COUNT(sized)), most;

	while (sized[type].size > room)
		type--;
	most = room / sized[type].size;
	if (most > 64)
		most = 64;
	put(g->out, ":%s", sized[type].name);
	if (chance(g, 30))
		put(g->out, "[%u]", 1 + below(g, most));
}

/* Read numbers, texts and pointers in MEMORY, also across its end. */
static void put_user(struct maker *g, const struct spot *s)
{
	const char *base = s->user[below(g, count_of(s->user, COUNT(s->user)))];
	const char *u = chance(g, 50) && s->kind != UPROBE ? "u" : "";
	const char *string = s->kind == UPROBE || chance(g, 30) ? "string" : "ustring";
	unsigned int text = TEXTS + below(g, TEXT_COUNT) * TEXT_ROOM;
	unsigned int pointer = POINTERS + below(g, TEXT_COUNT) * 8;

	text += below(g, 4);

	switch (below(g, 7)) {
	case 0:
	case 1:
		put(g->out, "+%s%u(%s)", u, below(g, 256), base);
		put_memory_type(g, 255);
		return;
	case 2:
		put(g->out, "+%s%u(%s):%s", u, text, base, string);
		return;
	case 3:
		put(g->out, "+%s0(+%s%u(%s)):%s", u, u, pointer, base, string);
		return;
	case 4:
		put(g->out, "+%s%u(%s):%s[%u]", u, POINTERS, base, string,
		    1 + below(g, TEXT_COUNT + 2));
		return;
	case 5:
		text = 1 + below(g, 16);
		put(g->out, "+%s%u(%s)", u, MEMORY_SIZE - text - 1, base);
		put_memory_type(g, text);
		return;
	default:
		/* A text without a final 0, up to the end. */
		text = seldom_long(g, 40, MEMORY_SIZE - LONG_TEXT);
		put(g->out, "+%s%u(%s):%s", u, MEMORY_SIZE - text, base, string);
		return;
	}
}

static void put_kernel(struct maker *g, const struct spot *s)
{
	const char *base = s->kernel[below(g, count_of(s->kernel, COUNT(s->kernel)))];
	unsigned int at = below(g, s->call == SETNAME ? COMM_SIZE - 1 : sizeof(NO_FILE) - 1);

	if (isalpha(base[0]) && chance(g, 60)) {
		/* By name: BTF knows that it is a string. */
		put(g->out, "%s:%s", base, chance(g, 80) ? "string" : "ustring");
	} else if (chance(g, 50)) {
		put(g->out, "+%u(%s):%s", at, base, chance(g, 80) ? "string" : "ustring");
	} else {
		put(g->out, "+%u(%s)", at, base);
		put_memory_type(g, (s->call == SETNAME ? COMM_SIZE : sizeof(NO_FILE)) - 1 - at);
	}
}

static void put_constant(struct maker *g)
{
	static const char *const constants[] = {
		"\\\"text\"", "\\\"\"", "$comm", "$COMM", "@panic_timeout:s32", "@nr_cpu_ids:u32",
		"@nr_cpu_ids:b4@0/32", "+0(\\16):string",
		"+0(\\0):string", "+0(\\0):ustring", "+u0(\\4096):string", "+0(+0(\\8)):string",
		"+0(\\4096):ustring", "+0(\\32):string",
		"+0(\\0xffff800000000000):string", "+0(\\0xdead000000000000):ustring",
		"+u0(\\0x7ffffffff000):string", "$comm:string",
		"\\\"text\":string", "@nr_cpu_ids:x8[4]",
	};

	if (chance(g, 50)) {
		put(g->out, "%s", PICK(g, constants));
	} else {
		put(g->out, "\\%s", PICK(g, immediates));
		put(g->out, ":%s", PICK(g, types));
	}
}

static void put_hit_argument(struct maker *g, const struct spot *s, int i)
{
	unsigned int way = below(g, 100);

	put(g->out, " ");
	if (chance(g, 80))
		put(g->out, "a%d=", i);
	if (way < 25 || (way < 85 && !s->user[0] && !s->kernel[0])) {
		put(g->out, "%s", number_of(g, s));
		put_number_type(g);
	} else if (way < 85) {
		if (s->user[0])
			put_user(g, s);
		else
			put_kernel(g, s);
	} else {
		put_constant(g);
	}
}

/* Arguments of the call */

static void fill(struct maker *g)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789 .,-_";

	for (int i = 0; i < POINTERS; i++)
		MEMORY[i] = below(g, 256);
	for (int i = 0; i < TEXT_COUNT; i++) {
		char *text = MEMORY + TEXTS + i * TEXT_ROOM, *pointer = text;
		int len = below(g, TEXT_ROOM);

		for (int n = 0; n < len; n++)
			text[n] = letters[below(g, sizeof(letters) - 1)];
		text[len] = 0;
		if (i == TEXT_COUNT - 1)
			pointer = (char *)16;
		memcpy(MEMORY + POINTERS + i * 8, &pointer, sizeof(pointer));
	}
	for (int i = LONG_TEXT; i < MEMORY_SIZE; i++)
		MEMORY[i] = letters[i % (sizeof(letters) - 1)];
}

/* The name of a file that does not exist, almost as long as a path may be. */
static void fill_name(struct maker *g)
{
	unsigned int len = seldom_long(g, 64, 4086);
	char *name = MEMORY;

	len += strlen(NO_FILE);
	memset(name, 'x', len);
	memcpy(name, NO_FILE, strlen(NO_FILE));
	for (unsigned int i = 100; i < len - 1; i += 100)
		name[i] = '/';
	name[len] = 0;
}

static void make_input(struct maker *g, struct input *in, enum call call)
{
	for (size_t i = 0; i < COUNT(in->numbers); i++) {
		in->numbers[i] = (long)below(g, 1u << 31) << 33;
		in->numbers[i] ^= (long)below(g, 1u << 31) << 8;
		in->numbers[i] ^= below(g, 256);
		if (chance(g, 40))
			in->numbers[i] = (int)in->numbers[i];
	}
	for (int i = 0; i < COMM_SIZE - 1; i++)
		in->name[i] = '!' + below(g, '~' - '!' + 1);
	in->name[COMM_SIZE - 1] = 0;
	fill(g);
	if (call == OPEN)
		fill_name(g);
}

static void call(const struct input *in, enum call which, int fd)
{
	switch (which) {
	case READ:
		syscall(SYS_read, fd, MEMORY, in->numbers[0]);
		break;
	case SETNAME:
		syscall(SYS_prctl, PR_SET_NAME, in->name);
		break;
	case OPEN:
		syscall(SYS_openat, (int)in->numbers[0], MEMORY,
			(int)in->numbers[1] & (O_ACCMODE | O_APPEND | O_NONBLOCK),
			(int)in->numbers[2] & 0777);
		break;
	case OWN:
		commands_probed(MEMORY + 1, MEMORY, in->numbers[0], in->numbers[1], in->numbers[2],
				in->numbers[3]);
		break;
	}
}

/* "FILE:OFFSET" of commands_probed(). */
static const char *own_place(void)
{
	static char place[300];
	extern const char __ehdr_start[];
	const Elf64_Ehdr *head = (const void *)__ehdr_start;
	const Elf64_Phdr *part = (const void *)(__ehdr_start + head->e_phoff);
	unsigned long at = (unsigned long)commands_probed;
	char path[200];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	for (int i = 0; n > 0 && i < head->e_phnum; i++, part++) {
		if (part->p_type != PT_LOAD || at < part->p_vaddr ||
		    at >= part->p_vaddr + part->p_memsz)
			continue;
		path[n] = 0;
		snprintf(place, sizeof(place), "%s:%#lx", path,
			 at - part->p_vaddr + part->p_offset);
		return place;
	}
	errx(1, "cannot find the offset of a function in this program");
}

static void make_hit(struct maker *g, struct step *step, const struct spot **spot)
{
	const struct spot *s = &PICK(g, spots);
	int n = 1 + below(g, chance(g, 80) ? 4 : 16);

	*spot = s;
	step->file = s->file;
	step->command.len = 0;
	step->command.s[0] = 0;
	g->out = &step->command;
	g->kind = s->kind;
	put(g->out, s->head, s->kind == UPROBE ? own_place() : "");
	for (int i = 0; i < n; i++)
		put_hit_argument(g, s, i);
}

/* Records */

static const char *group_of(const struct step *s)
{
	switch (s->command.s[0]) {
	case 'f':
		return "fprobes";
	case 't':
		return "tracepoints";
	case 'e':
		return "eprobes";
	default:
		return s->file == 'U' ? "uprobes" : "kprobes";
	}
}

/* Print what the lines of this process in `trace` have after the place. */
static void print_recorded(void)
{
	char pid[32], *end;
	size_t len;

	snprintf(pid, sizeof(pid), "-%d ", getpid());
	len = read_file(TRACEFS "trace", trace);
	/* An argument of type char can be a zero byte. */
	for (size_t i = 0; i < len; i++)
		if (!trace[i])
			trace[i] = '\1';
	for (char *line = trace; *line; line = end) {
		char *text;

		end = strchr(line, '\n');
		if (end)
			*end++ = 0;
		else
			end = line + strlen(line);
		if (!strcmp(line, "[LINE TOO BIG]"))
			printf("\t%s", line);
		text = *line != '#' && strstr(line, pid) ? strstr(line, ": e: (") : NULL;
		text = text ? strchr(text, ')') : NULL;
		if (text) {
			putchar('\t');
			print_escaped(text + 1 + (text[1] == ' '));
		}
	}
}

static void hit(const struct step *step, const struct input *in, enum call which)
{
	char path[200];
	int fd, input, ret;

	truncate_file(TRACEFS "error_log");
	ret = write_command(step);
	printf("\t%s", ret ? strerrorname_np(ret) : "ok");
	print_logged(step);
	if (ret)
		return;
	truncate_file(TRACEFS "trace");
	snprintf(path, sizeof(path), TRACEFS "events/%s/e/enable", group_of(step));
	fd = open(path, O_WRONLY);
	input = open("/dev/null", O_RDONLY);
	if (fd < 0 || input < 0 || write(fd, "1", 1) != 1)
		printf(" is not switched on: %s", strerrorname_np(errno));
	call(in, which, input);
	if (fd < 0 || pwrite(fd, "0", 1, 0) != 1)
		printf(" is not switched off");
	close(input);
	close(fd);
	prctl(PR_SET_NAME, COMM);
	print_recorded();
	ret = truncate_file(TRACEFS "dynamic_events");
	if (ret)
		printf("\tstays: %s", strerrorname_np(ret));
}

void do_hits(uint64_t seed, uint32_t first, uint32_t end)
{
	static struct step step;
	void *memory = mmap(MEMORY, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (memory != MEMORY)
		err(1, "mmap");
	prctl(PR_SET_NAME, COMM);
	for (; first < end; first++) {
		struct maker g = { .state = mixed(seed ^ mixed(first + 1) ^ 1) };
		const struct spot *spot;
		struct input in;

		make_hit(&g, &step, &spot);
		make_input(&g, &in, spot->call);
		printf("%u\t%c ", first, step.file);
		print_escaped(step.command.s);
		fflush(stdout);
		hit(&step, &in, spot->call);
		putchar('\n');
		fflush(stdout);
	}
}
