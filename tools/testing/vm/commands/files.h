/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_FILES_H
#define COMMANDS_FILES_H

#include "grammar.h"

#define TRACEFS "/sys/kernel/tracing/"
#define MAX_FILE (1 << 20)

/* All that is in a file; "" if there is no such file. Returns its length. */
size_t read_file(const char *path, char *buf);

/* These return an error number, 0 for none. */
int truncate_file(const char *path);
int write_file(const char *path, const char *text, size_t len);
int write_command(const struct step *s);

void print_escaped(const char *s);
void print_example(const struct example *e);

/* What error_log says of a command. */
void print_logged(const struct step *s);

#endif
