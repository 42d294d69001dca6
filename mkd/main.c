// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkd: the service that carries out the policies of instances. See mkd.h.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "mkd.h"

#define NUMBER_MAX	1000000

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static void print_help(void)
{
	printf("Usage: mkd [OPTION]...\n\n"
	       "Carry out the policies of instances, as their configs have them: restart,\n"
	       "reboot, watchdog. Does not go into the background. See mkd(8).\n\n"
	       "Options:\n"
	       "  -d, --dumps DIR         dumps of instances that hung (" MKD_DUMPS ")\n"
	       "  -k, --keep-dumps N      the newest N of an instance; 0 for all (%d)\n"
	       "  -b, --boot-timeout S    a boot may take so long (%d)\n"
	       "  -h, --help              print this help\n"
	       "  -V, --version           print the version\n",
	       MKD_DUMPS_KEPT, MKD_BOOT_LIMIT_S);
}

static int usage(const char *what, const char *arg)
{
	fprintf(stderr, "mkd: %s%s%s%s\nhint: 'mkd --help' lists the options\n",
		what, arg ? " '" : "", arg ? arg : "", arg ? "'" : "");
	return MK_ERR_USAGE;
}

/* Exit status, or -1 to go on */
static int parse_options(int argc, char **argv, struct mkd *m)
{
	static const struct option longs[] = {
		{ "dumps", required_argument, NULL, 'd' },
		{ "keep-dumps", required_argument, NULL, 'k' },
		{ "boot-timeout", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	unsigned int seconds;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+d:k:b:hV", longs, NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return 0;
		}
		if (c == 'V') {
			printf("mkd %s\n", mk_version());
			return 0;
		}
		if (c == 'd' && optarg[0] == '/') {
			m->dumps = optarg;
		} else if (c == 'd') {
			return usage("--dumps takes an absolute path, not",
				     optarg);
		} else if (c == 'k') {
			if (mk_number_parse(optarg, 0, NUMBER_MAX, &m->dumps_kept) < 0)
				return usage("--keep-dumps takes a whole number, not",
					     optarg);
		} else if (c == 'b') {
			if (mk_number_parse(optarg, 1, NUMBER_MAX, &seconds) < 0)
				return usage("--boot-timeout takes a whole number of seconds, not",
					     optarg);
			m->boot_limit_ns = seconds * 1000000000ull;
		} else {
			return usage("unknown option, or one without its argument:",
				     argv[optind - 1]);
		}
	}
	return optind < argc ? usage("takes no argument, but has", argv[optind])
			     : -1;
}

/* They come at any time; only a wait must not begin right behind one. */
static void catch_signals(sigset_t *ret_stopping)
{
	const struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};
	const int numbers[] = { SIGTERM, SIGINT };

	sigemptyset(ret_stopping);
	for (size_t i = 0; i < MK_ARRAY_SIZE(numbers); i++) {
		sigaddset(ret_stopping, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* Until an event, until @look_ns or until a signal. */
static int sleep_for_news(int fd, uint64_t look_ns, const sigset_t *stopping)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t now_ns = mkd_now_ns();
	uint64_t left_ns = look_ns > now_ns ? look_ns - now_ns : 0;
	const struct timespec left = {
		.tv_sec = (time_t)(left_ns / 1000000000),
		.tv_nsec = (long)(left_ns % 1000000000),
	};
	sigset_t others;
	int r = 0;

	sigprocmask(SIG_BLOCK, stopping, &others);
	if (!stop && ppoll(&pfd, 1, look_ns == MKD_NEVER ? NULL : &left,
			   &others) < 0 && errno != EINTR)
		r = -errno;
	sigprocmask(SIG_SETMASK, &others, NULL);
	return r;
}

/* All events are read: only that there are some is of interest. */
static int wait_for_news(int fd, uint64_t look_ns, const sigset_t *stopping,
			 struct mk_error *err)
{
	struct mk_event event;
	int r = sleep_for_news(fd, look_ns, stopping);

	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "cannot wait: %s",
			     strerror(-r));
		return r;
	}
	do
		r = mk_events_wait(fd, 0, &event);
	while (r == 0);
	if (r == -ETIMEDOUT || r == -EINTR)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, NULL, "cannot read events: %s",
		     strerror(-r));
	return r;
}

static int serve(struct mkd *m, struct mk_error *err)
{
	mk_autoclose int fd = -1;
	struct mk_info info;
	sigset_t stopping;
	uint64_t look_ns;
	int r;

	r = mk_info_get_host(m->ctx, &info, err);
	if (r == 0)
		r = mkd_records_open(m, err);
	if (r == 0)
		r = mk_events_open(m->ctx, 0, &fd, err);
	if (r < 0)
		return r;
	catch_signals(&stopping);
	mkd_say(LOG_INFO, NULL, "mkd %s: looks after the instances",
		mk_version());
	while (r == 0 && !stop) {
		r = mkd_round(m, &look_ns, err);
		if (r == 0)
			r = wait_for_news(fd, look_ns, &stopping, err);
	}
	if (stop)
		mkd_say(LOG_INFO, NULL,
			"ends (signal %d); the instances go on by themselves",
			(int)stop);
	return r;
}

int main(int argc, char **argv)
{
	struct mkd m = {
		.dir_fd = -1,
		.lock_fd = -1,
		.dumps = MKD_DUMPS,
		.dumps_kept = MKD_DUMPS_KEPT,
		.boot_limit_ns = MKD_BOOT_LIMIT_S * 1000000000ull,
		.stop = &stop,
	};
	struct mk_error err = MK_ERROR_INIT;
	int status = parse_options(argc, argv, &m);
	int r;

	if (status >= 0)
		return status;
	r = mk_ctx_new(secure_getenv("MKCTL_ROOT"), &m.ctx, &err);
	if (r == 0)
		r = serve(&m, &err);
	mkd_records_close(&m);
	mk_ctx_free(m.ctx);
	if (r == 0)
		return 0;
	mkd_say_error(NULL, "ends", &err);
	return err.code ? err.code : MK_ERR_FAILED;
}
