// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The words for the ABI's numbers, as people read and scripts compare them.
 */
#include <stdio.h>
#include <string.h>

#include <mk/libmk.h>

static const char *const state_names[] = {
	[MK_STATE_CREATED]	= "created",
	[MK_STATE_LOADED]	= "loaded",
	[MK_STATE_STARTING]	= "starting",
	[MK_STATE_RUNNING]	= "running",
	[MK_STATE_UNRESPONSIVE]	= "unresponsive",
	[MK_STATE_FROZEN]	= "frozen",
	[MK_STATE_STOPPING]	= "stopping",
	[MK_STATE_STOPPED]	= "stopped",
	[MK_STATE_PANICKED]	= "panicked",
	[MK_STATE_KILLED]	= "killed",
	[MK_STATE_FAILED]	= "failed",
};

_Static_assert(MK_ARRAY_SIZE(state_names) == MK_NR_STATES,
	       "every state has a name");

static const char *const cause_names[] = {
	[MK_CAUSE_NONE]		= "",
	[MK_CAUSE_STOP]		= "stop",
	[MK_CAUSE_POWEROFF]	= "poweroff",
	[MK_CAUSE_HALT]		= "halt",
	[MK_CAUSE_REBOOT]	= "reboot",
	[MK_CAUSE_PANIC]	= "panic",
	[MK_CAUSE_KILL]		= "kill",
	[MK_CAUSE_HANG]		= "hang",
	[MK_CAUSE_BOOT_TIMEOUT]	= "boot-timeout",
	[MK_CAUSE_CPU_START]	= "cpu-start",
};

_Static_assert(MK_ARRAY_SIZE(cause_names) == MK_NR_CAUSES,
	       "every cause has a name");

static const char *const role_names[] = {
	[MK_ROLE_NONE]		= "none",
	[MK_ROLE_HOST]		= "host",
	[MK_ROLE_INSTANCE]	= "instance",
};

static const char *const share_state_names[] = {
	[MK_SHARE_LIVE]		= "live",
	[MK_SHARE_REVOKED]	= "revoked",
	[MK_SHARE_ORPHANED]	= "orphaned",
};

static const char *const share_kind_names[] = {
	[MK_SHARE_POOL]		= "pool",
	[MK_SHARE_REFERENCE]	= "reference",
};

static const char *const rights_names[] = {
	[0]					= "-",
	[MK_RIGHT_READ]				= "ro",
	[MK_RIGHT_WRITE]			= "wo",
	[MK_RIGHT_READ | MK_RIGHT_WRITE]	= "rw",
};

static const char *const channel_state_names[] = {
	[MK_CHANNEL_LISTENING]	= "listening",
	[MK_CHANNEL_CALLING]	= "calling",
	[MK_CHANNEL_CONNECTED]	= "connected",
	[MK_CHANNEL_CLOSED]	= "closed",
	[MK_CHANNEL_DEAD]	= "dead",
};

/* By bit */
static const char *const feature_names[] = { "log", "beats", "stop", "park" };

_Static_assert(MK_FEATURES == (1U << MK_ARRAY_SIZE(feature_names)) - 1,
	       "every feature has a name");

static const char *name_of(const char *const *names, size_t nr_names,
			   uint32_t number)
{
	return number < nr_names && names[number] ? names[number] : "unknown";
}

const char *mk_state_name(uint32_t state)
{
	if (state == MK_STATE_GONE)
		return "gone";
	return name_of(state_names, MK_ARRAY_SIZE(state_names), state);
}

int mk_state_parse(const char *name, uint32_t *ret_state)
{
	uint32_t state = 0;

	while (state < MK_NR_STATES && strcmp(name, state_names[state]))
		state++;
	if (state == MK_NR_STATES && strcmp(name, mk_state_name(MK_STATE_GONE)))
		return -EINVAL;
	*ret_state = state < MK_NR_STATES ? state : MK_STATE_GONE;
	return 0;
}

const char *mk_cause_name(uint32_t cause)
{
	return name_of(cause_names, MK_ARRAY_SIZE(cause_names), cause);
}

const char *mk_role_name(uint32_t role)
{
	return name_of(role_names, MK_ARRAY_SIZE(role_names), role);
}

const char *mk_share_state_name(uint32_t state)
{
	return name_of(share_state_names, MK_ARRAY_SIZE(share_state_names),
		       state);
}

const char *mk_share_kind_name(uint32_t kind)
{
	return name_of(share_kind_names, MK_ARRAY_SIZE(share_kind_names),
		       kind);
}

const char *mk_rights_name(uint32_t rights)
{
	return name_of(rights_names, MK_ARRAY_SIZE(rights_names), rights);
}

const char *mk_channel_state_name(uint32_t state)
{
	return name_of(channel_state_names,
		       MK_ARRAY_SIZE(channel_state_names), state);
}

const char *mk_feature_name(uint32_t bit)
{
	return bit < MK_ARRAY_SIZE(feature_names) ? feature_names[bit] : NULL;
}

bool mk_state_is_end(uint32_t state)
{
	return state == MK_STATE_STOPPED || state == MK_STATE_PANICKED ||
	       state == MK_STATE_KILLED || state == MK_STATE_FAILED;
}

const char *mk_size_format(uint64_t bytes, char buf[MK_SIZE_TEXT_MAX])
{
	static const char units[] = "KMGTPE";
	unsigned int unit = 0;

	if (bytes < 1024) {
		snprintf(buf, MK_SIZE_TEXT_MAX, "%u bytes",
			 (unsigned int)bytes);
		return buf;
	}
	while (unit + 1 < sizeof(units) - 1 &&
	       bytes >> (10 * (unit + 2)) != 0)
		unit++;
	if (bytes & ((1ULL << (10 * (unit + 1))) - 1))
		snprintf(buf, MK_SIZE_TEXT_MAX, "%.1f%c",
			 (double)bytes / (double)(1ULL << (10 * (unit + 1))),
			 units[unit]);
	else
		snprintf(buf, MK_SIZE_TEXT_MAX, "%llu%c",
			 (unsigned long long)(bytes >> (10 * (unit + 1))),
			 units[unit]);
	return buf;
}
