# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of the in-kernel API, sourced in the VM as /mk/kapi.sh: test module
# mk_kapi is loaded in several kernels, and driven from the host.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh

# What calls return, and types of messages that the module handles
# shellcheck disable=SC2034 # for the tests
{
	ENOENT=-2 EAGAIN=-11 EBUSY=-16 EXDEV=-18 ENODEV=-19 EINVAL=-22
	EPIPE=-32 EDEADLK=-35 ENOSYS=-38 EMSGSIZE=-90 ETIMEDOUT=-110 EHOSTDOWN=-112 ESTALE=-116
	COUNT=1 ECHO=2 SLEEP=3 REMOVE=5 TWICE=6 IRQ=7 FAIL=8 SILENT=9
}
module=/sys/module/mk_kapi/parameters

# kapi COMMAND: by the module of the host. Its command "order" has that of an
# instance do something.
kapi() {
	echo "$*" > $module/do
	cat $module/result
}

# spawn_kapi NAME CPU KERNEL [KEY-VALUES]: an instance with that module, and with
# more keys in its config
spawn_kapi() {
	mk_orders="cd /lib/mk/\$(uname -r); insmod ./mk_kapi.ko; echo loaded; sleep 10000"
	mk_config=$(make_config "$1" "$2" "$MK_SMALL" "loglevel=7 mk.run=\"$mk_orders\"" "$3")
	[ -z "${4:-}" ] || sed -i "s/^{/{ $4,/" "$mk_config"
	mkctl spawn "$mk_config"
}
