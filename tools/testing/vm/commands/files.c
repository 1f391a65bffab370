// SPDX-License-Identifier: GPL-2.0
/* Access to files of tracefs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static char logged[MAX_FILE];

static const char *path_of(char name)
{
	switch (name) {
	case 'K':
		return TRACEFS "kprobe_events";
	case 'U':
		return TRACEFS "uprobe_events";
	default:
		return TRACEFS "dynamic_events";
	}
}

size_t read_file(const char *path, char *buf)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < MAX_FILE - 1 && (n = read(fd, buf + len, MAX_FILE - 1 - len)) > 0)
		len += n;
	if (fd >= 0)
		close(fd);
	buf[len] = 0;
	return len;
}

int truncate_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Write the text with one system call, as a shell does. */
int write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ssize_t n;
	int ret;

	if (fd < 0)
		return errno;
	n = write(fd, text, len);
	ret = n < 0 ? errno : 0;
	if (!ret && (size_t)n != len)
		ret = ENOSPC;
	close(fd);
	return ret;
}

int write_command(const struct step *s)
{
	return write_file(path_of(s->file), s->command.s, s->command.len);
}

void print_escaped(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\t')
			fputs("\\t", stdout);
		else if ((unsigned char)*s < ' ')
			printf("\\x%02x", *s);
		else
			putchar(*s);
	}
}

void print_example(const struct example *e)
{
	for (int i = 0; i < e->count; i++) {
		printf("%s%c ", i ? " ;; " : "", e->step[i].file);
		print_escaped(e->step[i].command.s);
	}
}

/*
 * If the type of a member is wrong, stock computes the caret from an unrelated
 * address. Where stock replaces a word by a longer one, the caret can be past the
 * end of the command.
 */
static bool is_anywhere(const char *said, const char *command, size_t at)
{
	static const char *const of_types[] = {
		"This type does not fit for string.", "Invalid bitfield",
		"String accepts only memory argument", "Invalid array size", "Array ",
	};

	if (at > strlen(command) + 300)
		return true;
	for (size_t i = 0; i < COUNT(of_types); i++)
		if (strstr(said, of_types[i]) && strstr(command, "->"))
			return true;
	return false;
}

/* Print the last entry. */
void print_logged(const struct step *s)
{
	static const char head[] = "  Command: ";
	char *entry = NULL, *shown, *caret, *said;
	size_t at = 0;

	read_file(TRACEFS "error_log", logged);
	for (char *line = logged; line; ) {
		if (*line == '[')
			entry = line;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	said = entry ? strstr(entry, "] ") : NULL;
	shown = said ? strstr(said, head) : NULL;
	caret = shown ? strrchr(shown, '\n') : NULL;
	if (!caret)
		return;
	*caret = 0;
	caret = strrchr(shown, '\n');
	shown[-1] = 0;
	shown += strlen(head);
	if (caret)
		*caret++ = 0;
	printf(" %s", said + 2);
	if (caret)
		at = strcspn(caret, "^") - strlen(head);
	if (caret && is_anywhere(said, s->command.s, at))
		printf(" ^?");
	else if (caret)
		printf(" ^%zu", at);
	if (strcmp(shown, s->command.s)) {
		printf(" of: ");
		print_escaped(shown);
	}
}
