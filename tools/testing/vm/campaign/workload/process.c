// SPDX-License-Identifier: GPL-2.0-only
/* The workload: processes, threads and signals. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch.h"
#include "workload.h"

static void forks(void)
{
	int i, pid[12];

	for (i = 0; i < 12; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			if (i == 7)
				raise(SIGKILL);
			_exit(i * 3);
		}
	}
	for (i = 0; i < 12; i++)
		add_number(wait_for(pid[i]));
}

static void programs(void)
{
	char line[128];
	FILE *f;

	f = popen("echo a line | sed s/line/word/ | tr a-z A-Z; exit 3", "r");
	must(f && fgets(line, sizeof(line), f));
	add_text(line);
	add_number(pclose(f));
	add_result(execl("no/such/program", "x", NULL));
	add_number(system("for i in 1 2 3; do (exit $i); done"));
}

static void *sum(void *arg)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	long *total = arg;
	int i;

	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		*total += i;
		if (i % 50 == 0)
			sched_yield();
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t thread[6];
	long total = 0;
	int i;

	for (i = 0; i < 6; i++)
		must(!pthread_create(&thread[i], NULL, sum, &total));
	for (i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	add_number(total);
}

static volatile sig_atomic_t caught[65];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught[sig]++;
}

static void signals(void)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	union sigval value = { .sival_int = 5 };
	sigset_t set;
	int i, pid;

	sigaction(SIGUSR2, &act, NULL);
	sigaction(SIGRTMIN + 3, &act, NULL);
	for (i = 0; i < 20; i++)
		raise(SIGUSR2);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < 5; i++) {
		sigqueue(getpid(), SIGRTMIN + 3, value);
		kill(getpid(), SIGUSR2);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	add_number(caught[SIGUSR2]);
	add_number(caught[SIGRTMIN + 3]);
	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	must(waitpid(pid, &i, WUNTRACED) == pid && WIFSTOPPED(i));
	kill(pid, SIGCONT);
	must(waitpid(pid, &i, WCONTINUED) == pid && WIFCONTINUED(i));
	kill(pid, SIGTERM);
	add_number(wait_for(pid));
}

/* Cause a fault that ends a child. */
static int dies(int how)
{
	char *volatile nowhere = NULL;
	struct rlimit none = { 0, 0 };
	int pid = fork();

	if (pid)
		return wait_for(pid);
	setrlimit(RLIMIT_CORE, &none);
	switch (how) {
	case 0:
		*(volatile int *)nowhere = 1;
		break;
	case 1:
		undefined_instruction();
		break;
	case 2:
		breakpoint();
		break;
	case 3:
		forbidden_instruction();
		break;
	case 4:
		*(volatile int *)KERNEL_TEXT = 1;
		break;
	default:
		abort();
	}
	_exit(0);
}

static void faults(void)
{
	int how;

	for (how = 0; how < 6; how++)
		add_number(dies(how));
}

static void traced(void)
{
	struct user_regs_struct regs;
	struct iovec into = { &regs, sizeof(regs) };
	int pid, status, steps;
	static long word = 42;

	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(word);
	}
	must(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	must(ptrace(PTRACE_PEEKDATA, pid, &word, 0) == 42);
	must(!ptrace(PTRACE_POKEDATA, pid, &word, 17));
	for (steps = 0; steps < 8; steps++) {
		must(!ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		must(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
		must(!ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &into));
	}
	must(!ptrace(PTRACE_SYSCALL, pid, 0, 0));
	must(waitpid(pid, &status, 0) == pid);
	must(!ptrace(PTRACE_CONT, pid, 0, 0));
	add_number(wait_for(pid));
}

static void filtered(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	add_result(syscall(SYS_getppid));
	add_result(syscall(SYS_getuid));
}

static void spaces(void)
{
	char name[65];
	int pid;

	must(!unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS));
	must(!sethostname("inside", 6));
	must(!gethostname(name, sizeof(name)));
	add_text(name);
	pid = fork();
	if (!pid)
		_exit(getpid());
	add_number(wait_for(pid));
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		_exit(getuid() == 65534 ? 7 : 2);
	}
	add_number(wait_for(pid));
}

static void scheduling(void)
{
	struct sched_param param = { .sched_priority = 3 };
	cpu_set_t set;
	struct rusage usage;
	int i;

	must(!setpriority(PRIO_PROCESS, 0, 5));
	add_number(getpriority(PRIO_PROCESS, 0));
	for (i = 0; i < 10; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % 2, &set);
		sched_setaffinity(0, sizeof(set), &set);
		must(sched_getcpu() >= 0);
	}
	must(!sched_setscheduler(0, SCHED_FIFO, &param));
	add_number(sched_getscheduler(0));
	param.sched_priority = 0;
	must(!sched_setscheduler(0, SCHED_BATCH, &param));
	must(!getrusage(RUSAGE_SELF, &usage));
}

#if defined(__x86_64__)
/* A system call by the entry for 32-bit programs. */
static long call32(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret) : "0"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void compat(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	must(low != MAP_FAILED);
	memcpy(low, "/proc/version", sizeof("/proc/version"));
	must(call32(20, 0, 0, 0) == getpid());
	add_number(call32(5, (long)low, 0, 0));
	add_number(call32(3, 3, (long)low, 20));
	add(low, 20);
	add_number(call32(6, 3, 0, 0));
	add_number(call32(999, 0, 0, 0));
}
#else
static void compat(void)
{
}
#endif

const struct item process_items[] = {
	{ "forks", forks },
	{ "programs", programs },
	{ "threads", threads },
	{ "signals", signals },
	{ "faults", faults },
	{ "traced", traced },
	{ "filtered", filtered },
	{ "spaces", spaces },
	{ "scheduling", scheduling },
	{ "compat", compat },
	{ }
};
