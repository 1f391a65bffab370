// SPDX-License-Identifier: GPL-2.0
/*
 * sequences SEED ROUND STEPS SECONDS: run processes that define, enable, hit, read and remove probe
 * events, each in its own tracing instance, without regard to the others. Another process loads and
 * unloads a module with probed functions, one changes global settings, one takes a CPU offline and
 * online, and one loads and unloads a live patch. SEED and ROUND define what each process does, in
 * which order. It ends when all but the last four have made STEPS steps, or after SECONDS.
 *
 * Most attempts fail, because other processes have changed the events. This program checks only for
 * errors that must never happen; sequences.sh checks that nothing is left. It prints the number of
 * attempts of each kind, and the number of those that succeeded.
 *
 * If the kernel can let allocations of memory fail, one of the first allocations of every fourth
 * attempt fails. "memory" has the number of attempts in which one did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define TRACEFS		"/sys/kernel/tracing/"
#define DEBUGFS		"/sys/kernel/debug/kprobes/"
#define TARGET		"/sys/module/kprobe_test_target/parameters/"
#define STAYS		"/sys/module/kprobe_test_args/parameters/"
#define OPTIMIZATION	"/proc/sys/debug/kprobes-optimization"
#define FTRACE		"/proc/sys/kernel/ftrace_enabled"
#define PATCH		"/sys/kernel/livepatch/livepatch_sample/"
#define WORKERS		4
#define OTHERS		4
#define EVENTS		3		/* names that a worker uses; other workers use them, too */

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Random numbers */

static uint64_t state;

static unsigned int below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

/* A random element of a list that ends in NULL. */
static const char *pick(const char * const *list)
{
	unsigned int nr = 0;

	while (list[nr])
		nr++;
	return list[below(nr)];
}

/* Files. The results of attempts do not change what is done next, so SEED decides it alone. */

static int me;
static char path_of_instance[64];

static bool put(const char *file, const char *text, int flags)
{
	int fd = open(file, O_WRONLY | flags);
	ssize_t len = strlen(text);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, len) == len;
	close(fd);
	return done;
}

static bool get(const char *file)
{
	static char buf[65536];
	int fd = open(file, O_RDONLY), i;
	ssize_t len = 0;

	if (fd < 0)
		return false;
	/* The trace may have no end while others write to it. */
	for (i = 0; i < 64 && (len = read(fd, buf, sizeof(buf))) > 0; i++)
		;
	close(fd);
	return len >= 0;
}

static const char *text(const char *form, ...)
{
	static char kept[4][512];
	static int next;
	char *to = kept[next++ % ARRAY_SIZE(kept)];
	va_list args;

	va_start(args, form);
	vsnprintf(to, sizeof(kept[0]), form, args);
	va_end(args);
	return to;
}

/* Memory that fails */

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"/sys/kernel/debug/failslab"
#define ALLOCATIONS	40		/* of an attempt: the failing one is one of these */
#define OF_A_PROGRAM	4000		/* the same, with those of exec() */

/* Numbers of attempts and of successes, of all workers. */
struct count {
	unsigned int tried, done;
};

static struct count *memory;
static bool memory_may_fail;

/* Let the @n-th allocation of this task fail from now on; 0: none. True if an earlier one did. */
static bool fail_nth(unsigned int n)
{
	static pid_t task;
	static int fd;
	char left[16] = "";
	bool failed;

	/* To open the file while memory may fail would need memory. */
	if (task != getpid()) {
		fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
		task = getpid();
	}
	failed = pread(fd, left, sizeof(left) - 1, 0) > 0 && !atoi(left);
	snprintf(left, sizeof(left), "%u", n);
	if (pwrite(fd, left, strlen(left), 0) < 0)
		fail(FAIL_NTH);
	return failed;
}

/* Count and return whether an allocation fails in the next attempt. SEED decides it. */
static bool let_memory_fail(unsigned int most)
{
	unsigned int nth = below(most) + 1;

	if (below(4) || !memory_may_fail)
		return false;
	__atomic_add_fetch(&memory->tried, 1, __ATOMIC_RELAXED);
	fail_nth(nth);
	return true;
}

static void memory_is_back(void)
{
	if (fail_nth(0))
		__atomic_add_fetch(&memory->done, 1, __ATOMIC_RELAXED);
}

/* Actions of workers */

static const char * const groups[] = { "seqa", "seqb", "seqc", NULL };
static const char * const functions[] = {
	"kprobe_test_target:kprobe_target_traced", "kprobe_test_target:kprobe_target_other",
	"kprobe_test_args:kprobe_args_may_fail", "vfs_unlink", "do_unlinkat", "path_openat",
	"cmdline_proc_show",	/* that of the live patch */
};

static const char *function(bool with_module)
{
	const char *name = functions[below(ARRAY_SIZE(functions))];
	const char *colon = strchr(name, ':');

	return colon && !with_module ? colon + 1 : name;
}

static const char *event(void)
{
	return text("%s/e%u", pick(groups), below(EVENTS));
}

static bool define(void)
{
	static const char * const args[] = {
		"", " a=$stack0", " s=+0($stack):u64", " c=$comm", " t=+0(@linux_banner):string",
		NULL,
	};
	const char *name = event(), *arg = pick(args), *file = TRACEFS "dynamic_events";

	switch (below(6)) {
	case 0:
		return put(file, text("r:%s %s", name, function(true)), O_APPEND);
	case 1:
		return put(file, text("f:%s %s", name, function(false)), O_APPEND);
	case 2:
		return put(file, text("f:%s %s%%return", name, function(false)), O_APPEND);
	case 3:
		return put(file, text("t:%s sched_process_fork", name), O_APPEND);
	case 4:
		return put(file, text("p:%s %s+%u", name, function(true), below(24)), O_APPEND);
	default:
		return put(file, text("p:%s %s%s", name, function(true), arg), O_APPEND);
	}
}

static bool remove_one(void)
{
	return put(TRACEFS "dynamic_events", text("-:%s", event()), O_APPEND);
}

/* Other processes use the same events. */
static bool remove_all(void)
{
	return put(below(2) ? TRACEFS "dynamic_events" : TRACEFS "kprobe_events", "\n", O_TRUNC);
}

static bool switch_some(void)
{
	const char *where = below(2) ? path_of_instance : TRACEFS;
	const char *on = below(5) < 3 ? "1" : "0";

	if (below(3))
		return put(text("%sevents/%s/enable", where, event()), on, 0);
	return put(text("%sevents/%s/enable", where, pick(groups)), on, 0);
}

static bool set_filter(void)
{
	static const char * const filters[] = {
		"common_pid > 0", "common_pid == 1", "0", "a == 7", NULL,
	};

	return put(text("%sevents/%s/filter", path_of_instance, event()), pick(filters), 0);
}

static bool set_trigger(void)
{
	static const char * const triggers[] = {
		"hist:keys=common_pid", "!hist:keys=common_pid", "stacktrace:3", "!stacktrace:3",
		NULL,
	};

	return put(text("%sevents/%s/trigger", path_of_instance, event()), pick(triggers),
		   O_APPEND);
}

static bool hit(void)
{
	const char *file = text("/tmp/sequences.%d", me);

	put(TARGET "call", "3", 0);
	put(STAYS "call", "3", 0);
	get("/proc/cmdline");
	close(open(file, O_CREAT | O_WRONLY, 0600));
	return !unlink(file);
}

static bool look(void)
{
	static const char * const files[] = {
		TRACEFS "dynamic_events", TRACEFS "kprobe_events", TRACEFS "kprobe_profile",
		TRACEFS "probe_profile", TRACEFS "probe_errors", TRACEFS "error_log",
		TRACEFS "trace", TRACEFS "enabled_functions", DEBUGFS "list", DEBUGFS "enabled",
		NULL,
	};

	if (below(4))
		return get(pick(files));
	if (below(2))
		return get(text("%strace", path_of_instance));
	return get(text("%sevents/%s/format", TRACEFS, event()));
}

static bool new_instance(void)
{
	if (!below(2))
		return !mkdir(path_of_instance, 0700);
	put(text("%sevents/enable", path_of_instance), "0", 0);
	return !rmdir(path_of_instance);
}

static int pmu_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int type = -1;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -1;
	if (f)
		fclose(f);
	return type;
}

static bool by_perf(void)
{
	static int fds[4] = { -1, -1, -1, -1 };
	int *fd = &fds[below(4)];
	struct perf_event_attr attr = {
		.type = pmu_type(),
		.size = sizeof(attr),
		.config = below(2),
		.kprobe_func = (uintptr_t)function(true),
		.sample_period = 1,
	};

	if (*fd >= 0)
		close(*fd);
	*fd = below(3) ? syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) : -1;
	return *fd >= 0;
}

/* Global settings */

static bool run(const char *program, const char *arg)
{
	unsigned int nth = below(OF_A_PROGRAM) + 1;
	bool fails = !below(4) && memory_may_fail;
	pid_t pid = fork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		if (fails)
			fail_nth(nth);
		execlp(program, program, arg, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool module_goes(void)
{
	return run("rmmod", "kprobe_test_target");
}

static bool load(const char *module)
{
	const char *modprobe = getenv("MODPROBE");

	return run(modprobe && *modprobe ? modprobe : "modprobe", module);
}

static bool module_comes(void)
{
	return load("kprobe_test_target");
}

/* This also removes the module of a patch that is no longer in use. */
static bool patch_comes(void)
{
	if (access(PATCH, F_OK))
		run("rmmod", "livepatch_sample");
	return load("livepatch-sample");
}

/* A transition takes seconds. Its direction may change meanwhile. */
static bool patch_goes(void)
{
	return put(PATCH "enabled", below(4) ? "0" : "1", 0);
}

static bool optimize(void)
{
	return put(OPTIMIZATION, below(2) ? "1" : "0", 0);
}

static bool arm(void)
{
	return put(DEBUGFS "enabled", below(2) ? "1" : "0", 0);
}

/*
 * On 6.12 this makes ftrace shut itself down: a function whose last user is removed while ftrace is
 * off keeps a flag, for which ftrace checks later.
 */
static bool ftrace(void)
{
	return put(FTRACE, below(2) ? "1" : "0", 0);
}

static bool tracer(void)
{
	return put(TRACEFS "current_tracer", below(2) ? "function" : "nop", 0);
}

static bool processor(void)
{
	return put("/sys/devices/system/cpu/cpu1/online", below(2) ? "1" : "0", 0);
}

/* Actions of each kind of worker, and their relative frequency. */

static const struct deed {
	const char *name;
	bool (*what)(void);
	unsigned int work, modules, global, cpu, patches;
} deeds[] = {
	{ "define", define, 8 }, { "remove", remove_one, 4 }, { "clear", remove_all, 1 },
	{ "enable", switch_some, 8 }, { "filter", set_filter, 2 }, { "trigger", set_trigger, 2 },
	{ "hit", hit, 6, 2 }, { "look", look, 4 }, { "instance", new_instance, 1 },
	{ "perf", by_perf, 3 }, { "unload", module_goes, 0, 3 }, { "load", module_comes, 0, 3 },
	{ "optimize", optimize, 0, 0, 2 }, { "arm", arm, 0, 0, 2 }, { "ftrace", ftrace, 0, 0, 1 },
	{ "tracer", tracer, 0, 0, 1 }, { "processor", processor, 0, 0, 0, 1 },
	{ "patch", patch_comes, 0, 0, 0, 0, 1 }, { "unpatch", patch_goes, 0, 0, 0, 0, 1 },
};

static unsigned int weight(const struct deed *d)
{
	const unsigned int of_others[] = { d->modules, d->global, d->cpu, d->patches };

	return me < WORKERS ? d->work : of_others[me - WORKERS];
}

static struct count *counts;

static void act(void)
{
	unsigned int i, sum = 0, chosen;
	bool fails, done;

	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		sum += weight(&deeds[i]);
	chosen = below(sum);
	for (i = 0; chosen >= weight(&deeds[i]); i++)
		chosen -= weight(&deeds[i]);
	__atomic_add_fetch(&counts[i].tried, 1, __ATOMIC_RELAXED);
	fails = me < WORKERS && let_memory_fail(ALLOCATIONS);
	done = deeds[i].what();
	if (fails)
		memory_is_back();
	if (done)
		__atomic_add_fetch(&counts[i].done, 1, __ATOMIC_RELAXED);
}

/* Number of workers that have not ended. */
static int *at_work;

static void live(uint64_t seed, int steps, time_t end)
{
	snprintf(path_of_instance, sizeof(path_of_instance), TRACEFS "instances/seq%d/", me);
	state = (seed + 1) * 0x9e3779b97f4a7c15 ^ (uint64_t)(me + 1) << 40;
	if (me < WORKERS) {
		mkdir(path_of_instance, 0700);
		for (; steps && time(NULL) < end; steps--)
			act();
		__atomic_sub_fetch(at_work, 1, __ATOMIC_RELAXED);
		exit(0);
	}
	while (__atomic_load_n(at_work, __ATOMIC_RELAXED)) {
		act();
		usleep(20000);
	}
	exit(0);
}

static void *shared(size_t size)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

int main(int argc, char **argv)
{
	int i, one, failed = 0;
	uint64_t seed;
	time_t end;

	if (argc != 5) {
		fprintf(stderr, "usage: sequences SEED ROUND STEPS SECONDS\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0) * 1000003 + strtoull(argv[2], NULL, 0);
	end = time(NULL) + atoi(argv[4]);
	counts = shared(sizeof(*counts) * (ARRAY_SIZE(deeds) + 1));
	memory = counts + ARRAY_SIZE(deeds);
	memory_may_fail = !access(FAIL_NTH, W_OK) && !access(FAILSLAB, F_OK);
	at_work = shared(sizeof(*at_work));
	*at_work = WORKERS;
	for (me = 0; me < WORKERS + OTHERS; me++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid)
			live(seed, atoi(argv[3]), end);
	}
	for (i = 0; i < WORKERS + OTHERS; i++)
		failed |= wait(&one) < 0 || one;
	for (i = 0; i < (int)ARRAY_SIZE(deeds); i++)
		printf("%s %u/%u ", deeds[i].name, counts[i].done, counts[i].tried);
	if (memory_may_fail)
		printf("memory %u/%u", memory->done, memory->tried);
	puts("");
	return failed;
}
