// SPDX-License-Identifier: GPL-2.0
/*
 * Create kprobe-multi links of BPF with attributes that follow from a seed, many of them bad, use
 * them, and close them. If a call has to be refused, or cannot be, this is known before, and an
 * answer that does not fit is reported. Words are those of fuzz.c. Links to perf events are in
 * fuzz_perf.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

#define MAX_LIST	6
#define MAX_USES	6
#define RETURN		1		/* BPF_F_KPROBE_MULTI_RETURN */
#define MOST		0x100000	/* functions of a link */
#define NO_FD		9999
#define ATTR_SIZE	256
#define LAST		60		/* where the fields of any link end, in 6.12 */

enum { ATTR_SLOT, LIST_SLOT, COOKIE_SLOT, USE_SLOT, NAMES_SLOT };

enum use_kind { INFO, UPDATE, DETACH, HIT, DUP, AGAIN, CLOSE, USES };

static const char *const use_names[USES] = {
	"info", "update", "detach", "hit", "dup", "again", "close",
};

/* The kprobe_multi part of struct bpf_link_info, which old headers do not have. */
struct multi_info {
	uint32_t type, id, prog_id, pad;
	uint64_t addrs;
	uint32_t count, flags;
	uint64_t missed, cookies;
};

/* Something done with a link. */
struct use {
	enum use_kind kind;
	enum where info, addrs, cookies;
	uint32_t len, count;
	bool junk;			/* fill the buffer with 0xff */
};

struct bpf_example {
	int prog;			/* enum program, or what is none */
	unsigned int attach_type;
	unsigned int link_flags, flags;
	bool by_name, both;
	int listed;			/* names and addresses that there are */
	uint32_t cnt;
	struct name names[MAX_LIST];
	struct address addrs[MAX_LIST];
	enum where where, list, cookies;
	uint32_t size;
	int tail;			/* offset of a byte that has to be zero; 0: none */
	int count;
	struct use uses[MAX_USES];
};

static unsigned int right_type(int prog)
{
	/* Old headers do not have BPF_TRACE_KPROBE_SESSION. */
	return prog == OF_SESSION ? 56 : BPF_TRACE_KPROBE_MULTI;
}

/* Making */

/* Numbers of functions, most of them other than there are in the list. */
static uint32_t odd_cnt(struct maker *g, bool by_name)
{
	static const uint32_t counts[] = {
		0, 1, 7, 1000, 65536, MOST, MOST + 1, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	uint32_t cnt = PICK(g, counts);

	/* The kernel allocates 512 bytes for each name. */
	return by_name && cnt == MOST ? MOST + 1 : cnt;
}

static void make_list(struct maker *g, struct bpf_example *e, bool all_fine)
{
	e->by_name = chance(g, 60);
	e->listed = 1 + below(g, MAX_LIST);
	for (int i = 0; i < e->listed; i++) {
		do {
			make_name(g, &e->names[i]);
			make_address(g, &e->addrs[i]);
		} while (all_fine && (e->names[i].sort != FINE || e->names[i].where != TO_TEXT ||
				      e->addrs[i].sort != FINE));
		/* The kernel refuses a name that is there twice. */
		if (all_fine && i)
			snprintf(e->names[i].s, sizeof(e->names[i].s), "%s",
				 next_fine(e->names[i - 1].s));
	}
	e->cnt = e->listed;
}

static void make_use(struct maker *g, struct use *u)
{
	static const uint32_t lens[] = {
		0, 1, 8, 12, 16, 24, 40, 48, 64, 100, 4096, 4097, 0xffffffff,
	};
	static const uint32_t counts[] = {
		0, 1, 2, MAX_LIST, MAX_LIST, 100, 0x7fffffff, 0xffffffff,
	};

	*u = (struct use){
		.kind = chance(g, 40) ? INFO : below(g, USES),
		.info = make_where(g, 15),
		.addrs = chance(g, 30) ? IS_NULL : make_where(g, 20),
		.cookies = chance(g, 50) ? IS_NULL : make_where(g, 20),
		.len = chance(g, 60) ? sizeof(struct multi_info) : PICK(g, lens),
		.count = PICK(g, counts),
		.junk = chance(g, 5),
	};
}

static const uint32_t sizes[] = {
	0, 1, 8, 16, 24, 40, 48, 64, 144, 200, 4096, 4097, 0x80000000,
};

static void spoil_some(struct maker *g, struct bpf_example *e)
{
	if (chance(g, 30))
		e->prog = below(g, PROGRAMS + 2);
	e->attach_type = chance(g, 95) ? right_type(e->prog) : below(g, 70);
	e->where = make_where(g, 3);
	if (chance(g, 15))
		e->flags = 1u << below(g, 32);
	if (chance(g, 5))
		e->link_flags = 1u << below(g, 32);
	if (chance(g, 8))
		e->size = PICK(g, sizes);
	if (chance(g, 5))
		e->tail = LAST + below(g, ATTR_SIZE - LAST);
	e->both = chance(g, 4);
	e->list = make_where(g, 10);
	if (chance(g, 20))
		e->cnt = odd_cnt(g, e->by_name);
	e->cookies = chance(g, 60) ? IS_NULL : make_where(g, 10);
}

/* So that the kernel cannot refuse it for another reason. */
static void spoil_one_thing(struct maker *g, struct bpf_example *e)
{
	int i = below(g, e->listed);

	switch (below(g, 12)) {
	case 0:
		e->prog = below(g, PROGRAMS + 2);
		e->attach_type = right_type(e->prog);
		break;
	case 1:
		e->attach_type = below(g, 70);
		break;
	case 2:
		e->flags |= 2u << below(g, 31);
		break;
	case 3:
		e->link_flags = 1u << below(g, 32);
		break;
	case 4:
		e->size = PICK(g, sizes);
		break;
	case 5:
		e->size = chance(g, 50) ? 64 : 144;
		e->tail = LAST + below(g, e->size - LAST);
		break;
	case 6:
		e->both = true;
		break;
	case 7:
		e->list = make_where(g, 100);
		break;
	case 8:
		e->cookies = make_where(g, 100);
		break;
	case 9:
		e->cnt = odd_cnt(g, e->by_name);
		break;
	case 10:
		make_name(g, &e->names[i]);
		make_address(g, &e->addrs[i]);
		break;
	case 11:
		e->names[i] = e->names[0];
		e->addrs[i] = e->addrs[0];
		break;
	}
}

static void make_bpf(struct bpf_example *e, uint64_t seed, uint32_t number)
{
	struct maker maker = { .state = mixed(seed ^ mixed(number + 1) ^ 5) }, *g = &maker;
	bool one_thing = chance(g, 50);

	*e = (struct bpf_example){
		.prog = OF_MULTI,
		.attach_type = right_type(OF_MULTI),
		.where = TO_TEXT,
		.list = TO_TEXT,
		.cookies = chance(g, 50) ? IS_NULL : TO_TEXT,
		.flags = below(g, 2),
		.size = 64,
	};
	make_list(g, e, one_thing || chance(g, 50));
	if (one_thing)
		spoil_one_thing(g, e);
	else
		spoil_some(g, e);
	e->count = below(g, MAX_USES + 1);
	for (int i = 0; i < e->count; i++)
		make_use(g, &e->uses[i]);
}

void print_bpf(uint64_t seed, uint32_t number)
{
	static struct bpf_example e;

	make_bpf(&e, seed, number);
	printf("BPF_LINK_CREATE(%sattr, size %u, tail at %d): program %d, type %u, flags %#x %#x",
	       name_of_where(e.where), e.size, e.tail, e.prog, e.attach_type, e.link_flags,
	       e.flags);
	printf(", cnt %u, %scookies, %slist%s of %s", e.cnt, name_of_where(e.cookies),
	       name_of_where(e.list), e.both ? "s" : "", e.by_name ? "names" : "addresses");
	for (int i = 0; i < e.listed; i++) {
		putchar(' ');
		if (e.by_name)
			print_name(&e.names[i]);
		else
			print_address(&e.addrs[i]);
	}
	putchar('\n');
	for (int i = 0; i < e.count; i++) {
		const struct use *u = &e.uses[i];

		printf("%s: %sbuffer of %u, %saddrs, %scookies, count %u%s\n", use_names[u->kind],
		       name_of_where(u->info), u->len, name_of_where(u->addrs),
		       name_of_where(u->cookies), u->count, u->junk ? ", junk" : "");
	}
}

/* What is right */

/* How many entries of the list the kernel reads. */
static int used(const struct bpf_example *e)
{
	return e->cnt < (uint32_t)e->listed ? (int)e->cnt : e->listed;
}

static void names_verdict(struct verdict *v, const struct bpf_example *e)
{
	for (int i = 0; i < used(e); i++) {
		const struct name *n = &e->names[i];

		pointer_verdict(v, n->where == IS_NULL ? TO_NOTHING : n->where);
		/* At the end of its page a short text has no end. */
		if (n->where != TO_TEXT)
			continue;
		if (n->sort == TOO_LONG)
			must_fail(v, E2BIG, 0);
		else if (n->sort == MISSING || n->sort == EMPTY)
			must_fail(v, ESRCH, EINVAL, ENOENT, 0);
		else if (n->sort == CHANGED || n->sort == REFUSED)
			may_fail(v, ESRCH, EINVAL, ENOENT, 0);
		for (int k = 0; k < i; k++)
			if (e->names[k].where == TO_TEXT && !strcmp(n->s, e->names[k].s))
				must_fail(v, ESRCH, EINVAL, 0);
	}
}

static void addresses_verdict(struct verdict *v, const struct bpf_example *e)
{
	for (int i = 0; i < used(e); i++) {
		/* An address in ftrace's call stands for the function, if that begins with it. */
		if (e->addrs[i].symbol && e->addrs[i].offset)
			may_fail(v, EINVAL, 0);
		else if (e->addrs[i].sort != FINE)
			must_fail(v, EINVAL, ENOENT, ESRCH, 0);
		for (int k = 0; k < i; k++)
			if (e->addrs[k].symbol == e->addrs[i].symbol)
				may_fail(v, EINVAL, EEXIST, 0);
	}
}

static void list_verdict(struct verdict *v, const struct bpf_example *e)
{
	if (e->list == IS_NULL || e->both)
		must_fail(v, EINVAL, EFAULT, 0);
	/* A list that ends with its page is fine, unless more of it is read. */
	if (e->list != TO_UNTERMINATED || e->cnt > (uint32_t)e->listed)
		pointer_verdict(v, e->list);
	if (e->cookies != TO_UNTERMINATED || e->cnt > (uint32_t)e->listed)
		pointer_verdict(v, e->cookies);
	if (!e->cnt)
		must_fail(v, EINVAL, 0);
	if (e->cnt > MOST)
		must_fail(v, E2BIG, 0);
	/* The rest of the memory is zero, up to where it ends. */
	if (e->cnt > (uint32_t)e->listed)
		must_fail(v, EFAULT, EINVAL, ENOMEM, ESRCH, 0);
	if (e->cnt < (uint32_t)e->listed)
		may_fail(v, ESRCH, EINVAL, EFAULT, E2BIG, ENOENT, EEXIST, 0);
}

static void verdict_of(struct verdict *v, const struct bpf_example *e)
{
	bool multi = e->prog == OF_MULTI || e->prog == OF_SESSION || e->prog == OF_OVERRIDE_MULTI;

	if (e->where != TO_UNTERMINATED)
		pointer_verdict(v, e->where == IS_NULL ? TO_NOTHING : e->where);
	else if (e->size > ATTR_SIZE)
		must_fail(v, EFAULT, E2BIG, 0);
	if (e->size > 4096 || (e->size > 64 && e->tail && (uint32_t)e->tail < e->size))
		must_fail(v, E2BIG, EINVAL, 0);
	/* The names end at 32, the addresses at 40, and the cookies at 48. */
	if (e->size < (e->by_name ? 32 : 40))
		must_fail(v, EINVAL, EBADF, EFAULT, E2BIG, 0);
	else if (e->size < 48)
		may_fail(v, EINVAL, EFAULT, 0);
	else if (e->tail && (uint32_t)e->tail < e->size)
		must_fail(v, EINVAL, E2BIG, 0);
	if (e->prog >= PROGRAMS)
		must_fail(v, EBADF, EINVAL, 0);
	else if (!multi || e->attach_type != right_type(e->prog))
		must_fail(v, EINVAL, EBADF, EOPNOTSUPP, EFAULT, E2BIG, 0);
	/* No function of the list allows error injection. */
	if (e->prog == OF_OVERRIDE_MULTI)
		must_fail(v, EINVAL, EBADF, 0);
	if (e->link_flags || e->flags & ~RETURN)
		must_fail(v, EINVAL, 0);
	list_verdict(v, e);
	if (e->by_name)
		names_verdict(v, e);
	else
		addresses_verdict(v, e);
}

/* Doing */

static long create(const struct bpf_example *e)
{
	uint64_t list[MAX_LIST], cookies[MAX_LIST], at, given;
	char raw[ATTR_SIZE] = "";
	union bpf_attr attr;
	int prog = e->prog;

	for (int i = 0; i < e->listed; i++) {
		list[i] = e->by_name ? place_name(NAMES_SLOT + i, &e->names[i]) :
			  value_of(&e->addrs[i]);
		cookies[i] = i;
	}
	prog = prog < PROGRAMS ? program_fd(prog) : prog == PROGRAMS ? NO_FD : 0;
	at = place(LIST_SLOT, e->list, list, e->listed * sizeof(*list));
	given = place(COOKIE_SLOT, e->cookies, cookies, e->listed * sizeof(*cookies));
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = prog;
	attr.link_create.attach_type = e->attach_type;
	attr.link_create.flags = e->link_flags;
	attr.link_create.kprobe_multi.flags = e->flags;
	attr.link_create.kprobe_multi.cnt = e->cnt;
	attr.link_create.kprobe_multi.syms = e->by_name || e->both ? at : 0;
	attr.link_create.kprobe_multi.addrs = !e->by_name || e->both ? at : 0;
	attr.link_create.kprobe_multi.cookies = given;
	memcpy(raw, &attr, sizeof(attr));
	if (e->tail)
		raw[e->tail] = 1;
	at = place(ATTR_SLOT, e->where, raw, sizeof(raw));
	return bpf_call(BPF_LINK_CREATE, (void *)(uintptr_t)at, e->size);
}

static void get_info(int link, const struct use *u)
{
	static const char zeros[4096];
	struct multi_info info = { .count = u->count };
	char junk[sizeof(info)];
	union bpf_attr attr = { .info.bpf_fd = link, .info.info_len = u->len };
	long ret;

	info.addrs = place(LIST_SLOT, u->addrs, zeros, u->addrs == TO_TEXT ? sizeof(zeros) : 8);
	info.cookies = place(COOKIE_SLOT, u->cookies, zeros,
			     u->cookies == TO_TEXT ? sizeof(zeros) : 8);
	memset(junk, 0xff, sizeof(junk));
	attr.info.info = place(USE_SLOT, u->info, u->junk ? junk : (void *)&info, sizeof(info));
	ret = bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	if (ret < 0)
		return;
	if (u->len > 4096 || (u->info > TO_UNTERMINATED && u->len))
		printf(" info is given for a buffer that is none");
	if (u->len >= sizeof(info) && !u->junk && !!info.addrs != !!u->count)
		printf(" info is given with only one of addresses and count");
	if (u->len >= sizeof(info) && !u->junk && u->addrs > TO_UNTERMINATED && u->addrs != IS_NULL)
		printf(" info is written to a bad pointer");
}

static void use(int *link, const struct bpf_example *e, const struct use *u)
{
	union bpf_attr attr;
	int other;

	memset(&attr, 0, sizeof(attr));
	switch (u->kind) {
	case INFO:
		get_info(*link, u);
		break;
	case UPDATE:
		attr.link_update.link_fd = *link;
		attr.link_update.new_prog_fd = program_fd(u->count % 3);
		attr.link_update.flags = u->junk;
		if (bpf_call(BPF_LINK_UPDATE, &attr, sizeof(attr)) >= 0)
			printf(" a link is updated");
		break;
	case DETACH:
		attr.link_detach.link_fd = *link;
		if (bpf_call(BPF_LINK_DETACH, &attr, sizeof(attr)) >= 0)
			printf(" a link is detached");
		break;
	case HIT:
		do_something();
		break;
	case DUP:
	case AGAIN:
		other = u->kind == DUP ? dup(*link) : create(e);
		do_something();
		if (other < 0)
			printf(" what was created is not again: %s", strerrorname_np(-other));
		close(*link);
		*link = other;
		break;
	default:
		break;
	}
}

void fuzz_bpf(uint64_t seed, uint32_t number)
{
	static struct bpf_example e;
	struct verdict v = {};
	int link;

	make_bpf(&e, seed, number);
	verdict_of(&v, &e);
	link = create(&e);
	printf(link < 0 ? " refused" : " hit");
	judge(&v, "BPF_LINK_CREATE", link);
	if (link < 0)
		return;
	do_something();
	for (int i = 0; i < e.count && link >= 0 && e.uses[i].kind != CLOSE; i++)
		use(&link, &e, &e.uses[i]);
	close(link);
}
