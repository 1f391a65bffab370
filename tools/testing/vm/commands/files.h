/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_FILES_H
#define COMMANDS_FILES_H

#include "grammar.h"

#define TRACEFS "/sys/kernel/tracing/"
#define MAX_FILE (1 << 20)

/* Read a whole file; buf is "" if it cannot be opened. Returns the length. */
size_t read_file(const char *path, char *buf);

/* These return 0 or an errno. */
int truncate_file(const char *path);
int write_file(const char *path, const char *text, size_t len);
int write_command(const struct step *s);

void print_escaped(const char *s);
void print_example(const struct example *e);

/* Print what error_log says about a command. */
void print_logged(const struct step *s);

#endif
