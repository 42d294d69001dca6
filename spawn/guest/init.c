// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the small kernels in tests, demos and examples: of instances and of
 * the hosts that start them.
 *
 * It mounts what a user space expects, tells the host that it is ready, runs
 * one command and then only reaps, until it is told how to end. Words on the
 * kernel's command line steer it:
 *
 *	mk.run="COMMAND"	given to /bin/sh -c; else /etc/mk/run, if there
 *	mk.end=HOW		what to do when the command has ended:
 *				idle (default), poweroff, reboot, halt
 *
 * An instance has no terminal, so what its command prints goes line by line
 * into its kernel log, which the host shows. Elsewhere it goes to the console.
 *
 * Signals are those of busybox: USR2 poweroff, TERM reboot, USR1 halt, so that
 * its poweroff(8) works, and with it the kernel's orderly_poweroff().
 *
 * It is built with the kernel's nolibc (tools/include/nolibc): a few KiB, where
 * a static libc would be most of an instance's initramfs.
 */
#include <stdbool.h>
#include <linux/multikernel.h>
#include <linux/reboot.h>
#include <linux/signalfd.h>

#define LINE_BYTES	900	/* /dev/kmsg refuses records of 1024 and more */
#define RELAY_BYTES	512
#define PIPE_BYTES	65536	/* what a pipe holds, pipe(7) */
#define TERM_GRACE_MS	500	/* between SIGTERM and SIGKILL at the end */

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static int talk_fd = 1;		/* the console, or /dev/kmsg in an instance */

static void say(const char *text, const char *more)
{
	char said[160] = "mk-init: ";

	strlcat(said, text, sizeof(said) - 1);
	strlcat(said, more, sizeof(said) - 1);
	strlcat(said, "\n", sizeof(said));
	write(talk_fd, said, strlen(said));
}

/* Copy the last value of @key on the command line, without its quotes. */
static void cmdline_get(const char *key, char *value, size_t size)
{
	static char text[4096], word[4096];
	size_t key_len = strlen(key), n = 0;
	int fd = open("/proc/cmdline", O_RDONLY, 0);
	bool quoted = false;
	char *p;

	if (fd < 0)
		return;
	read(fd, text, sizeof(text) - 1);
	close(fd);
	for (p = text; ; p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (*p && (quoted || (*p != ' ' && *p != '\n'))) {
			word[n++] = *p;
			continue;
		}
		word[n] = '\0';
		if (n > key_len && word[key_len] == '=' &&
		    !memcmp(word, key, key_len))
			strlcpy(value, word + key_len + 1, size);
		n = 0;
		if (!*p)
			return;
	}
}

static void mount_all(void)
{
	mkdir("/proc", 0555);
	mkdir("/sys", 0555);
	mkdir("/dev", 0755);
	mkdir("/run", 0755);
	mkdir("/tmp", 01777);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("run", "/run", "tmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

/* The kernel leaves 0, 1 and 2 closed when it has no console to open. */
static void open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR, 0);
	while (fd >= 0 && fd < 2);
	if (fd > 2)
		close(fd);
}

/* Talk to the kernel log from now on, and have it take all that is said. */
static void talk_to_kmsg(void)
{
	int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY, 0);

	if (fd >= 0) {
		write(fd, "on\n", 3);
		close(fd);
	}
	fd = open("/dev/kmsg", O_WRONLY, 0);
	if (fd >= 0)
		talk_fd = fd;
}

/* In an instance, tell the host that user space is up; else return false. */
static bool announce_ready(void)
{
	struct mk_info info = { .size = sizeof(info) };
	struct mk_notify notify = { .size = sizeof(notify),
				    .what = MK_NOTIFY_READY };
	int fd = open("/dev/multikernel", O_RDWR, 0);
	bool instance;

	if (fd < 0)
		return false;
	instance = !ioctl(fd, MK_IOC_INFO, &info) &&
		   info.role == MK_ROLE_INSTANCE;
	if (instance) {
		talk_to_kmsg();
		if (ioctl(fd, MK_IOC_NOTIFY, &notify))
			say("the host refused to hear that this is ready", "");
	}
	close(fd);
	return instance;
}

/* Block all signals, children inherit none of it. Returns a signalfd. */
static int take_signals(void)
{
	uint64_t all = ~0ULL;

	syscall(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	return syscall(__NR_signalfd4, -1, &all, sizeof(all), 0);
}

/* Start the command, with its output into @out_fd, or to ours when < 0. */
static pid_t start_command(int out_fd)
{
	static char run[2048] = "[ ! -x /etc/mk/run ] || exec /etc/mk/run";
	char *argv[] = { "/bin/sh", "-c", run, NULL };
	char *env[] = { "PATH=/sbin:/bin:/usr/sbin:/usr/bin", "HOME=/",
			"TERM=vt100", NULL };
	uint64_t none = 0;
	pid_t pid;

	cmdline_get("mk.run", run, sizeof(run));
	pid = fork();
	if (pid)
		return pid;
	syscall(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	setsid();
	if (out_fd >= 0) {
		dup2(out_fd, 1);
		dup2(out_fd, 2);
	}
	execve(argv[0], argv, env);
	say("cannot run ", argv[0]);
	exit(127);
}

static char line[LINE_BYTES];
static size_t line_used;

static void end_line(void)
{
	if (line_used)
		write(talk_fd, line, line_used);
	line_used = 0;
}

/* Hand what the command prints to the kernel log, one record for each line. */
static void relay(int fd)
{
	char buf[RELAY_BYTES];
	ssize_t i, got = read(fd, buf, sizeof(buf));

	for (i = 0; i < got; i++) {
		line[line_used++] = buf[i];
		if (buf[i] == '\n' || line_used == sizeof(line))
			end_line();
	}
}

/*
 * What a command printed last must not be lost when it ends the kernel. No more
 * than a pipe holds: one that never stops printing must not keep the end away.
 */
static void relay_rest(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int turns = PIPE_BYTES / RELAY_BYTES;

	while (fd >= 0 && turns-- && poll(&pfd, 1, 0) > 0)
		relay(fd);
}

/* Reap all that ended. True, with its status, when @pid was among them. */
static bool reap(pid_t pid, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t got;

	while ((got = waitpid(-1, &status, WNOHANG)) > 0) {
		if (got != pid)
			continue;
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) :
						  128 + (status & 0x7f);
		ended = true;
	}
	return ended;
}

static __attribute__((noreturn)) void end_kernel(unsigned int how)
{
	int waited;

	kill(-1, SIGTERM);
	for (waited = 0; waited < TERM_GRACE_MS; waited += 10) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (kill(-1, 0))
			break;		/* nobody is left */
		usleep(10000);
	}
	kill(-1, SIGKILL);
	syscall(__NR_sync);
	reboot(how);
	say("the kernel did not end", "");
	for (;;)
		sleep(1000);
}

static const struct end {
	const char *name;
	unsigned int signo;
	unsigned int how;
} ends[] = {
	{ "poweroff",	SIGUSR2,	LINUX_REBOOT_CMD_POWER_OFF },
	{ "reboot",	SIGTERM,	LINUX_REBOOT_CMD_RESTART },
	{ "reboot",	SIGINT,		LINUX_REBOOT_CMD_RESTART },
	{ "halt",	SIGUSR1,	LINUX_REBOOT_CMD_HALT },
};

static void end_on_signal(unsigned int signo)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends[i].signo == signo) {
			say("asked to ", ends[i].name);
			end_kernel(ends[i].how);
		}
}

static void command_ended(int status)
{
	char wish[16] = "idle";
	size_t i;

	end_line();
	say("the command ended with status ", itoa(status));
	cmdline_get("mk.end", wish, sizeof(wish));
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(ends[i].name, wish))
			end_kernel(ends[i].how);
}

int main(void)
{
	struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
	struct signalfd_siginfo info;
	int status, out[2] = { -1, -1 };
	pid_t command;

	say("started", "");	/* the harness times the host's boot by this */
	mount_all();
	open_stdio();
	fds[0].fd = take_signals();
	if (announce_ready() && !pipe(out))
		fds[1].fd = out[0];
	command = start_command(out[1]);
	fds[0].events = fds[1].events = POLLIN;
	for (;;) {
		poll(fds, 2, -1);
		if (fds[1].revents & POLLIN)
			relay(fds[1].fd);
		if (!(fds[0].revents & POLLIN) ||
		    read(fds[0].fd, &info, sizeof(info)) != sizeof(info))
			continue;
		relay_rest(fds[1].fd);
		if (info.ssi_signo != SIGCHLD)
			end_on_signal(info.ssi_signo);
		else if (reap(command, &status))
			command_ended(status);
	}
}
