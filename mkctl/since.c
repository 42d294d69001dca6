// SPDX-License-Identifier: GPL-2.0-only
/*
 * --since: from when on a log is wanted.
 *
 * Lines of a log carry the time of the instance's own clock. The kernel knows
 * when that showed 0 on the host's clock, so a time of the host can be told in
 * the instance's. Wall clock times are counted back from now, and so wrong by
 * as much as somebody has set the host's clock since.
 */
#include <string.h>
#include <time.h>

#include "cmd.h"

#define NS_PER_S	1000000000ULL
#define SECONDS_MAX	(100ULL * 366 * 24 * 3600)	/* nothing runs longer */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Digits, and moves *s behind them. False for none or too many. */
static bool take_number(const char **s, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		number = number * 10 + (uint64_t)(**s - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* "12", "12.5": seconds, to a microsecond. */
static bool parse_uptime(const char *s, struct since *ret)
{
	uint64_t seconds, us = 0;
	unsigned int digits = 0;

	if (!take_number(&s, SECONDS_MAX, &seconds))
		return false;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9' && digits < 6; s++, digits++)
			us = us * 10 + (uint64_t)(*s - '0');
		if (!digits)
			return false;
		for (; digits < 6; digits++)
			us *= 10;
	}
	*ret = (struct since){ .kind = SINCE_UPTIME,
			       .us = seconds * 1000000 + us };
	return !*s;
}

/* "-30s", "-5min", "-2h", "-1d": ago. */
static bool parse_ago(const char *s, struct since *ret)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 },
	};
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	uint64_t number, ago_ns;
	size_t i;

	if (*s++ != '-' || !take_number(&s, SECONDS_MAX, &number))
		return false;
	for (i = 0; i < MK_ARRAY_SIZE(units); i++)
		if (!strcmp(s, units[i].name))
			break;
	if (i == MK_ARRAY_SIZE(units) ||
	    number > SECONDS_MAX / units[i].seconds)
		return false;
	ago_ns = number * units[i].seconds * NS_PER_S;
	*ret = (struct since){
		.kind = SINCE_HOST,
		.host_ns = ago_ns < now_ns ? now_ns - ago_ns : 0,
	};
	return true;
}

/* Exactly @digits digits. */
static bool take_field(const char **s, int digits, int *ret_value)
{
	int value = 0;

	for (; digits; digits--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (**s - '0');
	}
	*ret_value = value;
	return true;
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* HH:MM or HH:MM:SS, to the end of the text. */
static bool take_time(const char *s, struct tm *tm)
{
	tm->tm_sec = 0;
	if (!take_field(&s, 2, &tm->tm_hour) || !take_char(&s, ':') ||
	    !take_field(&s, 2, &tm->tm_min))
		return false;
	if (take_char(&s, ':') && !take_field(&s, 2, &tm->tm_sec))
		return false;
	return !*s;
}

static bool take_date(const char **s, struct tm *tm)
{
	if (!take_field(s, 4, &tm->tm_year) || !take_char(s, '-') ||
	    !take_field(s, 2, &tm->tm_mon) || !take_char(s, '-') ||
	    !take_field(s, 2, &tm->tm_mday) || !take_char(s, ' '))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

/* Not the 30th of February, nor an hour that summer time leaves out. */
static bool to_real_time(const struct tm *wanted, time_t *ret_time)
{
	struct tm tm = *wanted;

	tm.tm_isdst = -1;
	*ret_time = mktime(&tm);
	return *ret_time > 0 && tm.tm_mon == wanted->tm_mon &&
	       tm.tm_mday == wanted->tm_mday &&
	       tm.tm_hour == wanted->tm_hour &&
	       tm.tm_min == wanted->tm_min && tm.tm_sec == wanted->tm_sec;
}

/* "14:30", "2026-03-01 14:30:05": the host's wall clock, local time. */
static bool parse_wall(const char *s, struct since *ret)
{
	uint64_t boot_ns = clock_ns(CLOCK_BOOTTIME);
	uint64_t real_ns = clock_ns(CLOCK_REALTIME);
	time_t now = (time_t)(real_ns / NS_PER_S);
	uint64_t wanted_ns;
	time_t wanted;
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return false;
	if (strlen(s) > strlen("HH:MM:SS") && !take_date(&s, &tm))
		return false;
	if (!take_time(s, &tm) || !to_real_time(&tm, &wanted))
		return false;
	wanted_ns = (uint64_t)wanted * NS_PER_S;
	*ret = (struct since){ .kind = SINCE_HOST };
	if (wanted_ns >= real_ns)
		ret->host_ns = boot_ns + (wanted_ns - real_ns);
	else if (real_ns - wanted_ns < boot_ns)
		ret->host_ns = boot_ns - (real_ns - wanted_ns);
	return true;
}

int since_parse(const char *text, struct since *ret_since,
		struct mk_error *err)
{
	*ret_since = (struct since){ .kind = SINCE_START };
	if (!text || parse_uptime(text, ret_since) ||
	    parse_ago(text, ret_since) || parse_wall(text, ret_since))
		return 0;
	mk_error_set(err, MK_ERR_USAGE, NULL, "--since: '%s' is no time",
		     text);
	mk_error_hint(err, "12.5 (seconds of the instance's own clock), -30s, -5min, -2h, -1d (ago), HH:MM[:SS] or 'YYYY-MM-DD HH:MM[:SS]'");
	return -EINVAL;
}

uint64_t since_us(const struct since *since, uint64_t zero_ns)
{
	if (since->kind == SINCE_UPTIME)
		return since->us;
	if (since->kind == SINCE_START || since->host_ns <= zero_ns)
		return 0;
	return (since->host_ns - zero_ns) / 1000;
}
