// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_text save FILE: write the text of the kernel and of its modules to FILE.
 * kernel_text compare FILE: compare them with FILE. It prints each run of bytes that differ, with
 * its function, and fails if there is one. A module is compared if it is at the same address.
 * The last line says how much was compared: "same: BYTES NAME...".
 *
 * The text is read from /proc/kcore.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE		4096UL
#define LONGEST_RUN	16	/* bytes that are printed */
#define MOST_RUNS	40	/* that are printed */
#define SAME_RUN	4	/* a run goes on until so many bytes are the same */

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "unexpected");
	exit(2);
}

static void *grow(void *list, size_t nr, size_t size)
{
	/* Has room for the next power of two. */
	if (nr & (nr - 1))
		return list;
	list = realloc(list, (nr ? 2 * nr : 1) * size);
	if (!list)
		fail("realloc");
	return list;
}

/* Functions by address, and pieces of text: that of the kernel, and those of modules. */

static struct function {
	unsigned long addr;
	char name[128];
} *functions;
static size_t nr_functions;

static struct piece {
	char name[64];
	unsigned long start, end;
} *pieces;
static size_t nr_pieces;

static struct piece *piece_of(const char *name)
{
	size_t i;

	for (i = 0; i < nr_pieces; i++) {
		if (!strcmp(pieces[i].name, name))
			return &pieces[i];
	}
	pieces = grow(pieces, nr_pieces, sizeof(*pieces));
	pieces[nr_pieces] = (struct piece){ .start = -1UL };
	snprintf(pieces[nr_pieces].name, sizeof(pieces->name), "%s", name);
	return &pieces[nr_pieces++];
}

static void add_function(unsigned long addr, const char *name, const char *module)
{
	struct piece *p;

	functions = grow(functions, nr_functions, sizeof(*functions));
	functions[nr_functions].addr = addr;
	snprintf(functions[nr_functions++].name, sizeof(functions->name), "%s", name);
	if (!*module)
		return;
	/* The memory of a module's text consists of whole pages. */
	p = piece_of(module);
	if (addr < p->start)
		p->start = addr & -PAGE;
	if (addr >= p->end)
		p->end = (addr + PAGE) & -PAGE;
}

static int by_address(const void *a, const void *b)
{
	const struct function *one = a, *other = b;

	return one->addr < other->addr ? -1 : one->addr > other->addr;
}

/* Programs of BPF and trampolines of ftrace are not text of a module. */
static bool is_generated(const char *module)
{
	return !strcmp(module, "bpf") || !strncmp(module, "__builtin", 9);
}

static void find_text(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], name[128], module[64], type;
	struct piece *kernel = piece_of("kernel");
	unsigned long addr;

	if (!f)
		fail("/proc/kallsyms");
	while (fgets(line, sizeof(line), f)) {
		module[0] = '\0';
		if (sscanf(line, "%lx %c %127s [%63[^]]", &addr, &type, name, module) < 3)
			continue;
		if (!strcmp(name, "_stext") && !*module)
			kernel->start = addr;
		if (!strcmp(name, "_etext") && !*module)
			kernel->end = addr;
		if (strchr("tTwW", type) && !is_generated(module))
			add_function(addr, name, module);
		kernel = pieces;	/* It may have moved. */
	}
	fclose(f);
	errno = 0;
	if (!kernel->start || kernel->start >= kernel->end)
		fail("_stext, _etext");
	qsort(functions, nr_functions, sizeof(*functions), by_address);
}

static const struct function *function_at(unsigned long addr)
{
	size_t low = 0, high = nr_functions;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (functions[mid].addr <= addr)
			low = mid;
		else
			high = mid;
	}
	return &functions[low];
}

/* /proc/kcore is a core file of ELF. */

static int kcore;
static struct elf64_phdr headers[64];
static int nr_headers;

static void open_kcore(void)
{
	struct elf64_hdr ehdr;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr))
		fail("/proc/kcore");
	nr_headers = ehdr.e_phnum < 64 ? ehdr.e_phnum : 64;
	if (pread(kcore, headers, nr_headers * sizeof(*headers), ehdr.e_phoff) < 0)
		fail("/proc/kcore");
}

static unsigned char *read_text(const struct piece *p)
{
	size_t len = p->end - p->start, done = 0;
	unsigned char *to = malloc(len);
	const struct elf64_phdr *h;
	ssize_t got;
	off_t at;

	for (h = headers; h < headers + nr_headers; h++) {
		if (h->p_type == PT_LOAD && h->p_vaddr <= p->start &&
		    p->end - h->p_vaddr <= h->p_memsz)
			break;
	}
	errno = 0;
	if (!to || h == headers + nr_headers)
		fail("no such memory in /proc/kcore");
	at = h->p_offset + p->start - h->p_vaddr;
	while (done < len) {
		got = pread(kcore, to + done, len - done, at + done);
		if (got <= 0)
			fail("/proc/kcore");
		done += got;
	}
	return to;
}

/* The two commands */

static void save(FILE *file)
{
	size_t i;

	for (i = 0; i < nr_pieces; i++) {
		const struct piece *p = &pieces[i];
		unsigned char *text = read_text(p);

		if (fwrite(p, sizeof(*p), 1, file) != 1 ||
		    fwrite(text, p->end - p->start, 1, file) != 1)
			fail("write");
		free(text);
	}
	if (fclose(file))
		fail("write");
}

static void print_bytes(const unsigned char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < LONGEST_RUN; i++)
		printf(" %02x", bytes[i]);
	if (i < len)
		printf(" ...");
}

static size_t end_of_run(const unsigned char *a, const unsigned char *b, size_t at, size_t len)
{
	size_t end = at + 1, i;

	for (i = at + 1; i < len && i < end + SAME_RUN; i++) {
		if (a[i] != b[i])
			end = i + 1;
	}
	return end;
}

static unsigned int compare_piece(const struct piece *p, const unsigned char *was,
				  const unsigned char *is)
{
	size_t len = p->end - p->start, i, end;
	unsigned int runs = 0;

	for (i = 0; i < len; i = end) {
		const struct function *f;

		end = i + 1;
		if (was[i] == is[i])
			continue;
		end = end_of_run(was, is, i, len);
		if (runs++ >= MOST_RUNS)
			continue;
		f = function_at(p->start + i);
		printf("%s: %s+0x%lx was", p->name, f->name, p->start + i - f->addr);
		print_bytes(was + i, end - i);
		printf(", is");
		print_bytes(is + i, end - i);
		puts("");
	}
	return runs;
}

static bool is_there(const struct piece *saved)
{
	size_t i;

	for (i = 0; i < nr_pieces; i++) {
		if (!memcmp(saved, &pieces[i], sizeof(*saved)))
			return true;
	}
	return false;
}

static unsigned int compare(FILE *file)
{
	unsigned long bytes = 0;
	unsigned int runs = 0;
	char names[1024] = "";
	struct piece p;

	while (fread(&p, sizeof(p), 1, file) == 1) {
		unsigned char *was = malloc(p.end - p.start), *is;

		errno = 0;
		if (!was || fread(was, p.end - p.start, 1, file) != 1)
			fail("the saved text");
		if (is_there(&p)) {
			is = read_text(&p);
			runs += compare_piece(&p, was, is);
			bytes += p.end - p.start;
			snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s",
				 p.name);
			free(is);
		}
		free(was);
	}
	printf("%s: %lu%s\n", runs ? "differ" : "same", bytes, names);
	return runs;
}

int main(int argc, char **argv)
{
	bool saves = argc == 3 && !strcmp(argv[1], "save");
	FILE *file;

	if (argc != 3 || (!saves && strcmp(argv[1], "compare"))) {
		fprintf(stderr, "usage: kernel_text save|compare FILE\n");
		return 2;
	}
	find_text();
	open_kcore();
	file = fopen(argv[2], saves ? "w" : "r");
	if (!file)
		fail(argv[2]);
	if (!saves)
		return !!compare(file);
	save(file);
	return 0;
}
