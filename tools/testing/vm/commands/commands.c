// SPDX-License-Identifier: GPL-2.0
/*
 * Write commands to the files of probe events, and print the answers. Each
 * example gives one line, with tabs between
 *
 *	its number
 *	its commands, each with the file that it is written to, " ;; " between them
 *	the answer to each command: "ok" or the name of the error; the message in
 *	error_log, and the character of the command below which the caret is,
 *	counted from 0; the command in error_log, if it differs
 *	dynamic_events after that, " ;; " between its lines
 *	the format of each event: its fields as {TYPE NAME OFFSET SIZE SIGNED},
 *	without those that all events have, and the print fmt
 *
 * Usage: commands print SEED FIRST END	print examples FIRST to END - 1
 *	  commands ask SEED FIRST END	print the answers to them
 *	  commands ask FILE		the same for examples in a file, one a line
 *	  commands hit SEED FIRST END	print what events record; see hits.c
 *	  commands fuzz SEED FIRST END	try broken commands; see fuzz.c
 *	  commands fuzzed SEED N	print the commands of an example of "fuzz"
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static char file[MAX_FILE];
static char listing[MAX_FILE];

static void ask(const struct step *s)
{
	int ret;

	truncate_file(TRACEFS "error_log");
	ret = write_command(s);
	printf("%s", ret ? strerrorname_np(ret) : "ok");
	print_logged(s);
}

static bool is_asked(const char *word, const struct example *e)
{
	for (int i = 0; i < e->count; i++)
		if (strcasestr(e->step[i].command.s, word))
			return true;
	return false;
}

/*
 * Kernel addresses differ between boots, so they cannot be compared. Keep those
 * that a command has. Stock lists a hashed address as the place of an event and
 * makes the event's name from it.
 */
static void hide_addresses(char *text, const struct example *e)
{
	char word[17], *at;

	for (at = text; (at = strstr(at, "ffff")); at += strspn(at, "0123456789abcdef")) {
		snprintf(word, sizeof(word), "%s", at);
		if (strspn(at, "0123456789abcdef") == 16 && !is_asked(word, e))
			memset(at, '?', 16);
	}
	at = strstr(text, " 0x00000000");
	if (!at)
		return;
	snprintf(word, sizeof(word), "%s", at + 3);
	if (strspn(word, "0123456789abcdef") != 16 || is_asked(word, e))
		return;
	for (at = text; (at = strstr(at, word)); )
		memset(at, '?', 16);
}

/* "\tfield:u64 a;\toffset:8;\tsize:8;\tsigned:0;" */
static void print_field(char *line)
{
	char *offset = strstr(line, ";\toffset:"), *size = strstr(line, ";\tsize:"),
			      *sign = strstr(line, ";\tsigned:");

	if (strncmp(line, "\tfield:", 7) || !offset || !size || !sign) {
		printf("{?%s}", line);
		return;
	}
	*offset = *size = *sign = 0;
	printf("{%s %s %s %.1s}", line + 7, offset + 9, size + 7, sign + 9);
}

static void print_format(const char *group, const char *event)
{
	char path[1100], *next;
	int common = 4;

	snprintf(path, sizeof(path), TRACEFS "events/%s/%s/format", group, event);
	read_file(path, file);
	for (char *line = file; *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		else
			next = line + strlen(line);
		if (!*line || !strncmp(line, "ID:", 3) || !strncmp(line, "name:", 5) ||
		    !strcmp(line, "format:"))
			continue;
		if (common && strstr(line, " common_")) {
			common--;
			continue;
		}
		if (!strncmp(line, "print fmt: ", 11))
			printf(" %s", line + 11);
		else
			print_field(line);
	}
	if (common)
		printf(" %d common fields are missing", common);
}

/* Lines are "p:group/event ...". Print the format of each event once. */
static void print_formats(void)
{
	char before[512] = "";

	for (char *line = listing; *line; ) {
		char name[512], *slash;
		char *colon = strchr(line, ':'), *end = strchr(line, '\n');

		if (colon && sscanf(colon + 1, "%500s", name) == 1 && strcmp(name, before)) {
			memcpy(before, name, sizeof(before));
			slash = strchr(name, '/');
			if (slash) {
				*slash = 0;
				print_format(name, slash + 1);
			}
		}
		line = end ? end + 1 : line + strlen(line);
	}
}

static void print_listing(const struct example *e)
{
	char *end;

	read_file(TRACEFS "dynamic_events", listing);
	for (char *line = listing; *line; line = end ? end + 1 : "") {
		end = strchr(line, '\n');
		if (line != listing)
			printf(" ;; ");
		snprintf(file, sizeof(file), "%.*s", end ? (int)(end - line) : (int)strlen(line),
			 line);
		hide_addresses(file, e);
		print_escaped(file);
	}
	putchar('\t');
	print_formats();
}

static void ask_example(const struct example *e)
{
	int ret;

	for (int i = 0; i < e->count; i++) {
		if (i)
			printf(" ;; ");
		ask(&e->step[i]);
	}
	putchar('\t');
	print_listing(e);
	if (*listing) {
		ret = truncate_file(TRACEFS "dynamic_events");
		if (ret)
			printf("\tstays: %s", strerrorname_np(ret));
	}
}

static void do_example(const struct example *e, uint32_t number, bool asks)
{
	printf("%u\t", number);
	print_example(e);
	if (asks) {
		/* If the kernel dies, the output shows which example did it. */
		fflush(stdout);
		putchar('\t');
		ask_example(e);
	}
	putchar('\n');
	fflush(stdout);
}

static void do_file(const char *path)
{
	static struct example e;
	static char line[4 * MAX_COMMAND];
	FILE *f = fopen(path, "r");
	uint32_t number = 0;

	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		if (parse_example(&e, line))
			errx(1, "%s: not a line like \"K p:e vfs_read\": %s", path, line);
		do_example(&e, number++, true);
	}
	fclose(f);
}

static void do_numbers(const char *what, char **words)
{
	static struct example e;
	uint64_t seed = strtoull(words[0], NULL, 0);
	uint32_t number = strtoul(words[1], NULL, 0), end = strtoul(words[2], NULL, 0);

	if (!strcmp(what, "hit")) {
		do_hits(seed, number, end);
		return;
	}
	if (!strcmp(what, "fuzz")) {
		do_fuzz(seed, number, end);
		return;
	}
	for (; number < end; number++) {
		make_example(&e, seed, number);
		do_example(&e, number, !strcmp(what, "ask"));
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "ask")) {
		do_file(argv[2]);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "fuzzed")) {
		print_fuzz(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
		return 0;
	}
	if (argc == 5 && (!strcmp(argv[1], "ask") || !strcmp(argv[1], "print") ||
			  !strcmp(argv[1], "hit") || !strcmp(argv[1], "fuzz"))) {
		do_numbers(argv[1], argv + 2);
		return 0;
	}
	fprintf(stderr, "usage: commands ask|print|hit|fuzz SEED FIRST END, commands ask FILE\n");
	fprintf(stderr, "       commands fuzzed SEED N\n");
	return 2;
}
