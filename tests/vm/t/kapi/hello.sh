#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The module of examples/kernel-module on both sides, as its README tells it.

# shellcheck source=tests/vm/lib.sh
. /mk/lib.sh
plan 16

module=/sys/module/mk_hello/parameters

b_cpu=$(apicids 2)
host_cpu=$(apicids 1)
# The instance waits for what it hears; its log has its command line, too
orders="cd /lib/mk/\$(uname -r); insmod ./mk_hello.ko; echo loaded
	until dmesg | grep -q 'calls [m]e'; do usleep 100000; done
	echo host > $module/greet; echo $host_cpu > $module/call; echo called
	until dmesg | grep -q 'say[s]: good'; do usleep 100000; done
	rmmod mk_hello && echo unloaded; sleep 1000"
config=$(make_config b 2 "$MK_SMALL" "loglevel=7 mk.run=\"$(echo "$orders" | tr '\n\t' '; ')\"" /boot/b)

check module insert mk_hello
dmesg -c > /dev/null
expect_exit b-up 0 mkctl spawn "$config"
check b-module wait_for 10 log_has b '\] loaded'
check b-knows-host log_has b "mk_hello: 'host', start 0, is up"
expect_exit call-b 0 sh -c "echo $b_cpu > $module/call"
check b-called wait_for 5 log_has b 'mk_hello: CPU with APIC id [0-9]+ calls me: are you there\?'
check b-calls wait_for 20 log_has b '\] called'
mkctl logs b > "$MK_RUN/log"
expect_text b-greets "$MK_RUN/log" "mk_hello: 'host' answers: hello b, this is Linux 6.12"
dmesg > "$MK_RUN/dmesg"
expect_text host-knows-b "$MK_RUN/dmesg" "mk_hello: 'b', start 1, is up"
expect_text host-greeted "$MK_RUN/dmesg" "mk_hello: 'b' says: good day"
expect_text host-called "$MK_RUN/dmesg" "mk_hello: CPU with APIC id $b_cpu calls me: are you there\?"
expect_exit greet-b 0 sh -c "echo b > $module/greet"
check b-unloads wait_for 20 log_has b '\] unloaded'
dmesg > "$MK_RUN/dmesg"
expect_text b-answers "$MK_RUN/dmesg" "mk_hello: 'b' answers: hello host, this is Linux 6.12"
check_not greet-without-module sh -c "echo b > $module/greet"
mkctl kill b > /dev/null
host_knows_end() { dmesg | grep -q "mk_hello: 'b', start 1, is down"; }
check host-knows-end wait_for 5 host_knows_end
rmmod mk_hello
