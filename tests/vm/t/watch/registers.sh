#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a dump is made of: registers, stored when an instance is frozen, panics or
# is ended; what its kernel says of itself; and its memory.
# timeout: 240

# shellcheck source=tests/vm/health.sh
. /mk/health.sh
plan 40

dump() { health dump doomed; }
saved() { dump | sed -n 's/^saved //p'; }
ip() { dump | sed -n "s/^cpu $1 ip \([0-9a-f]*\) .*/\1/p"; }
# Modules are where no other code is
in_module() { case $(ip "$1") in ffffffffa*|ffffffffc*) ;; *) return 1 ;; esac }
in_kernel() { case $(ip "$1") in ffffffff8*) ;; *) return 1 ;; esac }
info_addr() { dump | sed -n 's/^vmcoreinfo \([0-9a-f]*\) .*/0x\1/p'; }

# What has ever run on a CPU that spins may wait for it with its next fork, for that
# CPU's TLB: so the agent, which is to bring about a panic meanwhile, stays on the first
config=$(make_config doomed 2-4 "$MK_SMALL" 'loglevel=7 mk.run="taskset 1 chan agent"' /boot/a /run/agent.cpio)
make_initrd /run/agent.cpio /mk/bin/chan
expect_equal nobody "$(dump)" '2 19 0 0 doomed'
expect_exit spawn 0 mkctl spawn "$config"
expect_equal running "$(dump | grep -E '^(saved|cpu)' | tr '\n' ';')" \
	'saved 0;cpu 0 -;cpu 1 -;cpu 2 -;'
expect_equal text "$(dump | sed -nE 's/^text ffffffff8[0-9a-f]{7} [1-9a-f][0-9a-f]* [1-9][0-9]*$/good/p')" good
expect_equal offset "$(dump | grep ^offset)" 'offset ffff888000000000'

# Memory
first=$(sed -n 's/^ *\([0-9a-f]*\)-.* : doomed$/\1/p' /proc/iomem)
end=$(sed -n 's/^.*-\([0-9a-f]*\) : doomed$/\1/p' /proc/iomem)
health memory doomed "$(info_addr)" 4096 > "$OUT"
expect_text vmcoreinfo "$OUT" "^4096 .*VMCOREINFO..OSRELEASE=$(uname -r)\."
expect_equal whole "$(health memory doomed "0x$first" 4096 | cut -d' ' -f1)" 4096
expect_equal up-to-the-end "$(health memory doomed "0x${end%f}0" 4096 | cut -d' ' -f1)" 16
expect_equal odd "$(health memory doomed "0x${first%0}7" 5 | cut -d' ' -f1)" 5
expect_equal in-front "$(health memory doomed $((0x$first - 1)) 2)" 6
expect_equal behind "$(health memory doomed $((0x$end + 1)) 1)" 6
expect_equal address-0 "$(health memory doomed 0 4096)" 6
expect_equal no-admin "$(health no-admin doomed | cut -d' ' -f1)" 1

# Frozen: all, and gone with the thaw
spin_now 1 irq 3000
expect_exit freeze 0 health freeze doomed
expect_equal freeze-saved "$(saved)" 3
check freeze-which-spins in_module 1
check freeze-which-idles in_kernel 2
expect_exit thaw 0 health thaw doomed
expect_equal thaw-saved "$(saved)" 0

# Killed while one spins with interrupts off
spin_now 2 irq 60000
expect_exit kill 0 mkctl kill doomed
expect_equal kill-saved "$(saved)" 3
check kill-which-spun in_module 2
check kill-which-idled in_kernel 1
health memory doomed "$(info_addr)" 4096 > "$OUT"
expect_text kill-vmcoreinfo "$OUT" "^4096 .*VMCOREINFO..OSRELEASE=$(uname -r)\."
save_instance_log doomed

# Panic while one spins with interrupts off
expect_exit start 0 mkctl start doomed
expect_equal start-saved "$(saved)" 0
spin_now 1 irq 60000
later crash sh_at doomed 'echo c > /proc/sysrq-trigger'
check panic wait_state doomed $PANICKED 20000
expect_equal panic-saved "$(saved)" 3
check panic-which-spun in_module 1
log_has doomed 'CPU: 0 .*Comm: sh' && panicked=0 || panicked=2
check panic-which-panicked in_kernel "$panicked"
save_instance_log doomed

# A panic that is an oops: the registers are those of the oops
expect_exit start-to-oops 0 mkctl start doomed
sh_at doomed 'echo 1 > /proc/sys/kernel/panic_on_oops'
later crash sh_at doomed "insmod $(instance_module mk_oops)"
check oops wait_state doomed $PANICKED 20000
expect_equal oops-saved "$(saved)" 3
expect_equal oops-which "$(for n in 0 1 2; do ! in_module $n || echo yes; done)" yes
save_instance_log doomed

# One CPU takes no NMI: its registers are missing, nothing else, and it ends
expect_exit start-to-kill 0 mkctl start doomed
spin_now 1 nmi 60000
took=$(health kill doomed)
expect_within kill-fast "$((took / 1000))" 1000
expect_equal no-answer-saved "$(saved)" 2
expect_equal no-answer-which "$(dump | grep '^cpu 1')" 'cpu 1 -'

# Nothing is left when its memory is another's
expect_exit rm 0 mkctl rm doomed
expect_equal gone "$(dump)" '2 19 0 0 doomed'
