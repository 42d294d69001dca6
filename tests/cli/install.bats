# SPDX-License-Identifier: GPL-2.0-only
#
# make install: the right files, and what is installed can be built against.

load helper

out=${mkctl%/bin/mkctl}

setup() { cd "$BATS_TEST_TMPDIR" || return; }

install_to() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$top" -f userland.mk \
		-s O="$out" PREFIX=/usr DESTDIR="$1" install
}

@test "make install puts all files below DESTDIR and PREFIX" {
	dest=$BATS_TEST_TMPDIR/dest
	install_to "$dest"
	is "/usr/include/mk/error.h
/usr/include/mk/libmk.h
/usr/include/mk/uapi/linux/multikernel.h
/usr/include/mk/uapi/linux/multikernel_health.h
/usr/include/mk/uapi/linux/multikernel_peers.h
/usr/include/mk/util.h
/usr/lib/libmk.a
/usr/lib/pkgconfig/libmk.pc
/usr/lib/systemd/system/mkd.service
/usr/sbin/mkctl
/usr/sbin/mkd
/usr/share/bash-completion/completions/mkctl
/usr/share/man/man1/mkctl.1
/usr/share/man/man8/mkd.8
/usr/share/mkctl/examples/by-count.json
/usr/share/mkctl/examples/one-cpu.json
/usr/share/mkctl/examples/two-cpu-hang.json
/usr/share/mkctl/examples/two-cpu.json
/usr/share/mkctl/schema/mkctl-1.json" \
		"$(cd "$dest" && find . -type f -printf '/%P\n' | LC_ALL=C sort)"
	has mkctl "$("$dest/usr/sbin/mkctl" version)"
	has "ExecStart=/usr/sbin/mkd" "$(cat "$dest/usr/lib/systemd/system/mkd.service")"
	has "mkd 0." "$("$dest/usr/sbin/mkd" --version)"
	has '.TH "mkd" "8"' "$(cat "$dest/usr/share/man/man8/mkd.8")"
	has '.TH "mkctl" "1"' "$(cat "$dest/usr/share/man/man1/mkctl.1")"
}

@test "a program builds against what is installed" {
	dest=$BATS_TEST_TMPDIR/dest
	install_to "$dest"
	cat > prog.c <<-'END'
	#include <stdio.h>
	#include <mk/libmk.h>
	int main(void)
	{
		struct mk_error err = MK_ERROR_INIT;
		mk_error_set(&err, MK_ERR_FAILED, NULL, "it is %d", MK_ABI_VERSION);
		return puts(err.message) < 0;
	}
	END
	export PKG_CONFIG_PATH=$dest/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest
	export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
	read -ra flags < <(pkg-config --cflags --libs libmk)
	gcc -Wall -Wextra -Werror -o prog prog.c "${flags[@]}"
	has "it is " "$(./prog)"
}
