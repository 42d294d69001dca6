// SPDX-License-Identifier: GPL-2.0-only
/*
 * bound MASK...: one process with a thread for each mask (hex), bound to those
 * CPUs. They sleep until they are killed; "bound: ready" comes first.
 */
#include <linux/sched.h>

#define THREADS_MAX	8
#define STACK_BYTES	8192

static char stacks[THREADS_MAX][STACK_BYTES] __attribute__((aligned(16)));
static unsigned long masks[THREADS_MAX];
static volatile int ready;

static void bind_and_sleep(unsigned long mask)
{
	if (syscall(__NR_sched_setaffinity, 0, sizeof(mask), &mask) < 0)
		exit(1);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		sleep(1000);
}

__attribute__((used)) static void thread_main(unsigned long i)
{
	bind_and_sleep(masks[i]);
}

/* The new thread has an empty stack: it must not return from here. */
static void start_thread(unsigned long i)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES |
			      CLONE_SIGHAND | CLONE_THREAD;
	char *stack = stacks[i] + STACK_BYTES;
	long ret;

	__asm__ volatile("mov %[i], %%r12\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "xor %%r8d, %%r8d\n\t"
			 "syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call thread_main\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)__NR_clone), "D"(flags), "S"(stack),
			   "d"(0L), [i] "r"(i)
			 : "rcx", "r8", "r10", "r11", "r12", "memory");
	if (ret < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && i <= THREADS_MAX; i++) {
		masks[i - 1] = strtoul(argv[i], NULL, 16);
		start_thread((unsigned long)(i - 1));
	}
	while (ready < argc - 1)
		usleep(1000);
	printf("bound: ready\n");
	for (;;)
		sleep(1000);
}
