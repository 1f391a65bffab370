// SPDX-License-Identifier: GPL-2.0
/*
 * Write broken commands, and check after each that the kernel has no complaint.
 * They are the commands of grammar.c with random bytes changed, parts repeated, the
 * syntax of newer kernels, or too many levels of nesting. Some of the events are
 * hit. One example in eight opens events of perf, one in eight creates links of BPF,
 * and one in eight loads programs of BPF; see fuzz_perf.c, fuzz_bpf.c and fuzz_prog.c.
 * Each example gives one line: its number, one word, and what is wrong, if anything is:
 *
 *	refused		no event exists
 *	accepted	at least one event exists
 *	hit		the same, and events were enabled and hit
 *
 * No event and no probe may be left. The kernel log is read after each example, so
 * a complaint stands in the line of the example that caused it.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "words.h"

#define MAX_RAW		131072
#define PER_LOOK	200		/* examples between two checks for probes that are left */
#define PER_FLUSH	25		/* lines that are printed together */
#define DEBUGFS		"/sys/kernel/debug/"

/* A command as bytes, any of which may be zero. */
struct raw {
	char file;
	size_t len;
	char s[MAX_RAW];
};

static char buf[MAX_FILE];
static int kernel_log = -1;

/* Changes of bytes */

static const char *const pieces[] = {
	"$arg*", "$arg1", "$arg0", "$arg2049", "$argx", "$retval", "$stack", "$stack8192",
	"$stack0", "$comm", "$current", "$current->", "->", "-", ".", "(", ")", "((", "))",
	"+0(", "+u0(", "-8(", "@", "@+", "@jiffies", "\\", "\\\"", "\\1", "%", "%di", ":",
	":string", ":ustring", ":symstr", ":symbol", ":u8", ":x64[64]", ":string[64]",
	":b1@0/8", ":b64@0/64", ":%pd", "[", "]", "[1]", "=", "a=",
	"a23456789012345678901234567890123=", " ", "  ", "\t", "\n", "\r", "#", ";", "%return",
	" if ", "/", "-:", "\xc3\xa9", "\x80", "\xff", "\xfe\xff", "this_cpu_read(",
	"this_cpu_ptr(", "(task_struct)", "(file)", "(task_struct,tasks)", "(nosuch)", "()",
	"(,)", "(task_struct,)", "0x", "0", "-1", "18446744073709551615", "9223372036854775808",
	"99999999999999999999999", "file->f_inode->i_ino", "0x7fffffffffffffff",
	"-9223372036854775808", "65536", "4294967296",
};

static void replace(struct raw *r, size_t at, size_t n, const char *with, size_t len)
{
	if (r->len - n + len > sizeof(r->s))
		return;
	memmove(r->s + at + len, r->s + at + n, r->len - at - n);
	memcpy(r->s + at, with, len);
	r->len += len - n;
}

/* A random offset, mostly after the place, because most code parses what follows it. */
static size_t somewhere(struct maker *g, const struct raw *r)
{
	const char *arg = memchr(r->s, ' ', r->len);
	size_t start = 0;

	if (arg && chance(g, 85))
		arg = memchr(arg + 1, ' ', r->s + r->len - arg - 1);
	else
		arg = NULL;
	if (arg)
		start = arg - r->s;
	return start + below(g, r->len - start + 1);
}

static void change(struct maker *g, struct raw *r)
{
	size_t at = somewhere(g, r), left = r->len - at;
	unsigned int n = 1 + below(g, chance(g, 80) ? 3 : 40);
	const char *piece = PICK(g, pieces);
	char byte = below(g, 256), copy[64];

	switch (below(g, 8)) {
	case 0:
	case 1:
		replace(r, at, !!left, &byte, 1);
		break;
	case 2:
		replace(r, at, 0, &byte, 1);
		break;
	case 3:
		replace(r, at, n < left ? n : left, "", 0);
		break;
	case 4:
		n = n < left ? n : left;
		memcpy(copy, r->s + at, n);
		replace(r, somewhere(g, r), 0, copy, n);
		break;
	case 5:
		replace(r, at, n < left ? n : left, piece, strlen(piece));
		break;
	default:
		replace(r, at, 0, piece, strlen(piece));
		break;
	}
}

/* Repeat a part of the command, up to lengths around the kernel's limits. */
static void lengthen(struct maker *g, struct raw *r)
{
	static const unsigned int most[] = { 70, 140, 600, 4000, 4200, 8300, MAX_RAW };
	size_t at = somewhere(g, r), n = 1 + below(g, chance(g, 50) ? 3 : 60), len = 0;
	unsigned int room = PICK(g, most);
	static char copies[MAX_RAW];

	n = n < r->len - at ? n : r->len - at;
	while (n && r->len + len + n < room) {
		memcpy(copies + len, r->s + at, n);
		len += n;
	}
	replace(r, at, 0, copies, len);
}

/* Typecasts and per-CPU variables */

static void put_new_fetch(struct maker *g, int depth);

static void put_new_members(struct maker *g)
{
	static const char *const members[] = {
		"pid", "comm", "mm", "pgd", "f_inode", "i_ino", "i_sb", "s_id", "d_name",
		"name", "tasks", "next", "f_path", "dentry", "mnt", "thread_info", "flags",
		"real_parent", "nosuch", "se", "sched_reset_on_fork", "counter", "i_mode",
		"cpu", "curr", "nr_running", "__state", "len", "pkt_type", "cloned", "",
		"signal", "rlim", "d_iname", "d_parent", "fs", "umask", "cred",
	};
	int n = 1 + below(g, chance(g, 80) ? 3 : 12);

	while (n--)
		put(g->out, "%s%s", chance(g, 70) ? "->" : ".", PICK(g, members));
}

static void put_cast(struct maker *g, int depth)
{
	static const char *const structs[] = {
		"task_struct", "file", "inode", "dentry", "path", "rq", "super_block",
		"list_head", "qstr", "sk_buff", "pt_regs", "nosuch", "mm_struct", "spinlock_t",
		"page", "trace_probe", "",
	};
	static const char *const fields[] = {
		"tasks", "f_path", "f_path.dentry", "se.run_node", "d_child", "pid", "nosuch",
		"", "->", "sched_reset_on_fork", "d_u.d_alias", ".", "cpu", "i_list",
	};

	put(g->out, "(%s", PICK(g, structs));
	if (chance(g, 30))
		put(g->out, ",%s", PICK(g, fields));
	put(g->out, ")");
	if (chance(g, 50)) {
		put(g->out, "(");
		put_new_fetch(g, depth + 1);
		put(g->out, ")");
	} else {
		put_new_fetch(g, depth + 1);
	}
	if (chance(g, 95))
		put_new_members(g);
}

static void put_new_fetch(struct maker *g, int depth)
{
	static const char *const simple[] = {
		"$current", "$arg1", "$arg2", "$retval", "file", "path", "p", "%di", "%ax",
		"$stack", "@jiffies", "@init_task", "@runqueues", "@nosuch", "@panic_timeout",
		"\\0", "\\8", "$comm", "\\0xffff800000000000", "\\\"x\"", "$prev_pid",
		"$filename", "@kstat", "@+8", "$stack1",
	};
	unsigned int way = depth > 12 ? 0 : below(g, 100);

	if (way < 45) {
		put(g->out, "%s", PICK(g, simple));
		if (chance(g, 15))
			put_new_members(g);
	} else if (way < 75) {
		put_cast(g, depth);
	} else if (way < 85) {
		put(g->out, "this_cpu_%s(", chance(g, 50) ? "ptr" : "read");
		put_new_fetch(g, depth + 1);
		put(g->out, ")");
		if (chance(g, 25))
			put_new_members(g);
	} else {
		put(g->out, "+%s%u(", chance(g, 20) ? "u" : "", below(g, 64));
		put_new_fetch(g, depth + 1);
		put(g->out, ")");
	}
}

static void put_new_arguments(struct maker *g, struct raw *r)
{
	static const char *const types[] = {
		"", "", "", ":string", ":u64", ":s8", ":x64[2]", ":b4@0/32", ":string[3]",
		":symbol", ":symstr", ":ustring", ":char[16]", ":u32[64]",
	};
	static struct text text;
	int n = 1 + below(g, 3);

	g->out = &text;
	while (n--) {
		text.len = 0;
		put(&text, chance(g, 50) ? " " : " n%d=", n);
		put_new_fetch(g, 0);
		put(&text, "%s", PICK(g, types));
		replace(r, r->len, 0, text.s, text.len);
	}
}

/* Nest expressions, often deeper than the kernel allows. */
static void put_nested(struct maker *g, struct raw *r)
{
	static const struct {
		const char *open, *close;
	} nests[] = {
		{ "+0(", ")" }, { "+u0(", ")" }, { "(", ")" }, { "(file)", "->x" },
		{ "(file)(", ")->f_op" }, { "this_cpu_ptr(", ")" }, { "this_cpu_read(", ")" },
		{ "(task_struct)(+0(", "))->mm" }, { "+0((file)(", ")->f_op)" },
	};
	int kind = below(g, COUNT(nests)), n = 1 + below(g, chance(g, 70) ? 16 : 64);
	int closed = chance(g, 80) ? n : (int)below(g, 2 * n);

	replace(r, r->len, 0, " ", 1);
	for (int i = 0; i < n; i++)
		replace(r, r->len, 0, nests[kind].open, strlen(nests[kind].open));
	replace(r, r->len, 0, "$arg1", 5);
	for (int i = 0; i < closed; i++)
		replace(r, r->len, 0, nests[kind].close, strlen(nests[kind].close));
}

static void put_many(struct maker *g, struct raw *r)
{
	int n = 1 + below(g, 140);
	char word[64];

	for (int i = 0; i < n; i++) {
		snprintf(word, sizeof(word), " m%d=%s", i, PICK(g, pieces));
		replace(r, r->len, 0, word, strlen(word));
		if (chance(g, 90))
			snprintf(word, sizeof(word), " k%d=$stack%u:x8[%u]", i, below(g, 9),
				 1 + below(g, 64));
		else
			snprintf(word, sizeof(word), " k%d=$comm", i);
		if (chance(g, 30))
			replace(r, r->len, 0, word, strlen(word));
	}
}

/* Is this one of the functions in words.h? */
static bool is_function(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (strlen(functions[i].name) == len && !memcmp(functions[i].name, name, len))
			return true;
	return false;
}

/*
 * For an fprobe on an unknown function the kernel searches all functions, which takes
 * long. So put a known one into most commands.
 */
static void mend_place(struct maker *g, struct raw *r)
{
	char *place = memchr(r->s, ' ', r->len);
	size_t len = 0, left;

	if (r->s[0] != 'f' || !place || chance(g, 10))
		return;
	left = r->s + r->len - ++place;
	while (len < left && !isspace((unsigned char)place[len]) && place[len] != '%')
		len++;
	if (!is_function(place, len))
		replace(r, place - r->s, len, "vfs_read", strlen("vfs_read"));
}

/* A pattern hooks all functions that match, which takes long. */
static bool has_pattern(const struct raw *r)
{
	const char *line = r->s, *end = r->s + r->len;

	while (line < end) {
		const char *next = memchr(line, '\n', end - line), *at;

		next = next ? next + 1 : end;
		while (line < next && isspace((unsigned char)*line))
			line++;
		/* The first two words are the head and the place. */
		at = line;
		for (int word = 0; word < 2; word++) {
			while (at < next && !isspace((unsigned char)*at))
				if (strchr("*?[!", *at++) && at[-1])
					return strchr("ft", *line) && *line;
			while (at < next && isspace((unsigned char)*at))
				at++;
		}
		line = next;
	}
	return false;
}

static void spoil(struct maker *g, struct raw *r)
{
	static struct raw before;
	int n = 1 + below(g, chance(g, 80) ? 4 : 40);

	before = *r;
	switch (below(g, 16)) {
	case 0 ... 4:
		break;
	case 5:
		lengthen(g, r);
		break;
	case 6:
		put_nested(g, r);
		break;
	case 7 ... 9:
		put_new_arguments(g, r);
		break;
	case 10:
		if (chance(g, 20))
			put_many(g, r);
		break;
	default:
		while (n--)
			change(g, r);
		break;
	}
	if (has_pattern(r))
		*r = before;
	mend_place(g, r);
}

/* A seed and a number always give the same commands. */
static int make_fuzz(struct raw *raw, uint64_t seed, uint32_t number)
{
	struct maker g = { .state = mixed(seed ^ mixed(number + 1) ^ 3) };
	static struct example e;

	make_example(&e, seed, number);
	for (int i = 0; i < e.count; i++) {
		raw[i].file = e.step[i].file;
		raw[i].len = e.step[i].command.len;
		memcpy(raw[i].s, e.step[i].command.s, raw[i].len);
		spoil(&g, &raw[i]);
	}
	return e.count;
}

/* Write the commands, and check the kernel */

/* Has the kernel logged a complaint since the last call? */
static bool complaint(void)
{
	static const char *const bad[] = {
		"BUG:", "WARNING:", "KASAN:", "UBSAN:", "Oops", "INFO: possible",
		"INFO: trying", "INFO: suspicious", "refcount_t:", "general protection",
		"corruption", "ODEBUG:", "unexpected #", "bad page", "Unable to handle",
	};
	bool found = false;
	char text[2048];
	ssize_t n;

	while ((n = read(kernel_log, text, sizeof(text) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		text[n < 0 ? 0 : n] = 0;
		for (size_t i = 0; i < COUNT(bad); i++)
			found |= !!strstr(text, bad[i]);
	}
	return found;
}

/* Make system calls that hit some of the places in words.h. */
void do_something(void)
{
	int fd = open("/proc/self/comm", O_RDWR);
	struct stat st;

	if (fd >= 0) {
		prctl(PR_SET_NAME, "fuzzing");
		pread(fd, buf, 64, 0);
		pwrite(fd, "fuzz", 4, 0);
		close(fd);
	}
	stat("/", &st);
	open("/nosuch/file", O_RDONLY);
	getpriority(PRIO_PROCESS, 0);
	usleep(1);
}

static void write_if(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

/* Enable all events, hit them, and read what they record. */
static void hit_all(void)
{
	static const char *const groups[] = {
		"kprobes", "fprobes", "tracepoints", "eprobes", "uprobes", "g",
	};
	char path[128];

	for (int on = 1; on >= 0; on--) {
		for (size_t i = 0; i < COUNT(groups); i++) {
			snprintf(path, sizeof(path), TRACEFS "events/%s/enable", groups[i]);
			write_if(path, on ? "1" : "0");
		}
		if (on)
			do_something();
	}
	read_file(TRACEFS "trace", buf);
	for (size_t i = 0; i < COUNT(groups); i++) {
		snprintf(path, sizeof(path), TRACEFS "events/%s/e/format", groups[i]);
		read_file(path, buf);
	}
	truncate_file(TRACEFS "trace");
}

/* Open a file of probe events at its first use, and keep it open. */
static int file_of(char name)
{
	static const char *const paths[] = { ['K'] = TRACEFS "kprobe_events",
					     ['U'] = TRACEFS "uprobe_events",
					     ['D'] = TRACEFS "dynamic_events" };
	static int opened[COUNT(paths)];
	int *file = &opened[(int)name];

	if (!*file)
		*file = open(paths[(int)name], O_WRONLY | O_APPEND);
	if (*file < 0)
		err(1, "%s", paths[(int)name]);
	return *file;
}

/*
 * Return whether an event may exist. If a command of several lines is refused, the
 * kernel can have accepted some of its lines.
 */
static bool write_all(struct raw *raw, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		ssize_t n = write(file_of(raw[i].file), raw[i].s, raw[i].len);

		any |= n == (ssize_t)raw[i].len || memchr(raw[i].s, '\n', raw[i].len);
	}
	return any;
}

static void fuzz_one(struct raw *raw, int count, uint32_t chance)
{
	bool any = write_all(raw, count);
	int ret;

	if (chance % 8 == 0)
		read_file(TRACEFS "error_log", buf);
	if (any)
		read_file(TRACEFS "dynamic_events", buf);
	if (!any || !*buf) {
		printf(" refused");
		return;
	}
	printf(chance % 4 ? " accepted" : " hit");
	if (chance % 4 == 0)
		hit_all();
	ret = truncate_file(TRACEFS "dynamic_events");
	if (ret)
		printf(" cannot be removed: %s", strerrorname_np(ret));
	read_file(TRACEFS "dynamic_events", buf);
	if (*buf)
		printf(" leaves an event");
}

/* Check that no probe and no event is left. */
static void look(void)
{
	static const char *const paths[] = { DEBUGFS "kprobes/list", TRACEFS "enabled_functions",
					     TRACEFS "dynamic_events" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		/* Probes go away after a grace period. */
		for (int n = 0; n < 1000 && read_file(paths[i], buf); n++)
			usleep(10000);
		if (*buf)
			printf(" left behind: %s has %.60s", paths[i], buf);
	}
}

enum way { BY_COMMAND, BY_PERF, BY_BPF, BY_PROG };

static enum way way_of(uint64_t seed, uint32_t number)
{
	static const enum way ways[8] = { BY_PERF, BY_BPF, BY_PROG };

	return ways[mixed(seed ^ mixed(number + 1) ^ 6) % COUNT(ways)];
}

static void print_commands(uint64_t seed, uint32_t number)
{
	static struct raw raw[MAX_STEPS];
	int count = make_fuzz(raw, seed, number);

	for (int i = 0; i < count; i++) {
		printf("%c ", raw[i].file);
		for (size_t n = 0; n < raw[i].len; n++) {
			unsigned char c = raw[i].s[n];

			if (c == '\\')
				printf("\\\\");
			else if (c < ' ' || c > '~')
				printf("\\x%02x", c);
			else
				putchar(c);
		}
		putchar('\n');
	}
}

void print_fuzz(uint64_t seed, uint32_t number)
{
	enum way way = way_of(seed, number);

	if (way == BY_PERF)
		print_perf(seed, number);
	else if (way == BY_BPF)
		print_bpf(seed, number);
	else if (way == BY_PROG)
		print_prog(seed, number);
	else
		print_commands(seed, number);
}

static void do_one(uint64_t seed, uint32_t number)
{
	static struct raw raw[MAX_STEPS];
	enum way way = way_of(seed, number);

	if (way == BY_PERF)
		fuzz_perf(seed, number);
	else if (way == BY_BPF)
		fuzz_bpf(seed, number);
	else if (way == BY_PROG)
		fuzz_prog(seed, number);
	else
		fuzz_one(raw, make_fuzz(raw, seed, number), mixed(seed + number));
	if (way != BY_COMMAND || (number + 1) % PER_LOOK == 0)
		look();
}

void do_fuzz(uint64_t seed, uint32_t first, uint32_t end)
{
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kernel_log < 0)
		err(1, "/dev/kmsg");
	lseek(kernel_log, 0, SEEK_END);
	prepare_calls();
	for (uint32_t number = first; number < end; number++) {
		printf("%u", number);
		if (end - first <= PER_FLUSH)
			fflush(stdout);
		do_one(seed, number);
		if (number + 1 == end)
			look();
		if (complaint())
			printf(" the kernel complains");
		putchar('\n');
		/* Each write makes the guest wait for the host, so print many lines at once. */
		if ((number + 1) % PER_FLUSH == 0)
			fflush(stdout);
	}
	fflush(stdout);
}
