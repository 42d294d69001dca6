# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test machine: how QEMU is started, watched and ended. Sourced by run-vm,
# tools/demo and tools/shell, which set the VM_ variables below.
#
# In the environment: MK_ACCEL=kvm to leave TCG, MK_TIMEOUT_SCALE=N on a slow
# machine.

VM_KERNEL='' VM_INITRD=''	# files
VM_MACHINE=q35			# QEMU's -machine
VM_MEM=2G VM_SMP=6		# of the machine
VM_POOL=1G			# mk_pool=, empty for none
VM_APPEND=''			# more words for the kernel's command line
VM_TIMEOUT=120			# seconds, then it is killed
VM_ICOUNT=''			# 1: guest time is a count of instructions
# Without ERMS: TCG runs "rep stosb" byte by byte, and Linux would use it for
# all its clearing and copying.
VM_CPU=max,-erms
VM_QEMU=()			# more arguments

vm_accel() {
	if [ -n "$VM_ICOUNT" ]; then
		VM_CMD+=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off')
	elif [ "${MK_ACCEL:-tcg}" = tcg ]; then
		VM_CMD+=(-accel 'tcg,thread=multi')
	else
		VM_CMD+=(-accel "$MK_ACCEL")
	fi
}

vm_cmdline() {
	printf '%s' "console=ttyS0 panic=-1 ${VM_POOL:+mk_pool=$VM_POOL }$VM_APPEND"
}

# vm_command DIR: the command line of QEMU into VM_CMD, without a console
vm_command() {
	local port

	VM_CMD=(qemu-system-x86_64)
	vm_accel
	# memfd, because QEMU asks for huge pages for anonymous memory, and where
	# those have to be compacted first, the first touch of 2 MiB takes 5 ms
	VM_CMD+=(-object "memory-backend-memfd,id=ram,size=$VM_MEM,share=on"
		 -machine "$VM_MACHINE,memory-backend=ram"
		 -cpu "$VM_CPU" -smp "$VM_SMP" -m "$VM_MEM"
		 -nodefaults -no-user-config -display none -no-reboot
		 -kernel "$VM_KERNEL" -initrd "$VM_INITRD"
		 -append "$(vm_cmdline)" -pidfile "$1/qemu.pid"
		 -device 'virtio-serial-pci,max_ports=8')
	for port in result logs data; do
		VM_CMD+=(-chardev "file,id=$port,path=$1/$port"
			 -device "virtserialport,chardev=$port,name=mk.$port")
	done
	VM_CMD+=("${VM_QEMU[@]}")
}

# The console goes through a pipe, so that the moment can be taken when init of
# the host says its first word. 20 ms or less later than the guest wrote it.
vm_read_console() {
	tee "$1/console.log" < "$1/console.fifo" | {
		grep -q -m 1 'mk-init: started' && date +%s%N > "$1/init_ns"
		cat > /dev/null
	}
}

# vm_run DIR: run the machine to its end; its exit status, 124 for a timeout.
# Leaves in DIR: qemu-cmd, console.log, result, logs, data, start_ns, init_ns.
vm_run() {
	local dir=$1 rc=0 reader seconds

	seconds=$((VM_TIMEOUT * ${MK_TIMEOUT_SCALE:-1}))
	rm -f "$dir"/{console.fifo,console.log,result,logs,data,start_ns,init_ns}
	mkfifo "$dir/console.fifo"
	vm_command "$dir"
	VM_CMD+=(-chardev "file,id=console,path=$dir/console.fifo"
		 -serial chardev:console)
	printf '%q ' "${VM_CMD[@]}" > "$dir/qemu-cmd"
	vm_read_console "$dir" &
	reader=$!
	date +%s%N > "$dir/start_ns"
	timeout -k 10 "$seconds" "${VM_CMD[@]}" > "$dir/qemu.log" 2>&1 \
		< /dev/null || rc=$?
	# Had QEMU failed before opening the pipe, the reader would wait for ever
	: 1<> "$dir/console.fifo"
	wait "$reader"
	rm -f "$dir/console.fifo"
	return "$rc"
}

# vm_overlay OUT BASE ITEM...: BASE with more files behind it, for -initrd
vm_overlay() {
	local out=$1 base=$2

	shift 2
	"$TOP/spawn/guest/mkinitramfs" -B -o "$out.more.cpio" "$@"
	cat "$base" > "$out"
	# Linux wants the next archive at a multiple of 4 bytes
	truncate -s %4 "$out"
	cat "$out.more.cpio" >> "$out"
	rm -f "$out.more.cpio"
}
