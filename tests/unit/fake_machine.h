/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A folder that passes for the machine below which plans run: 8 CPUs, the last
 * one offline, a device file, and a kernel for instances. Ends the test when
 * that cannot be made.
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

/** fake_machine - the folder; empty when there is none */
extern char fake_machine[64];
/** fake_kernel_path - of the kernel in it */
extern char fake_kernel_path[128];

void fake_machine_make(void);
/** fake_machine_write() - a text into a file below it */
void fake_machine_write(const char *path, const char *text);
/** fake_machine_remove() - 0, as a teardown of cmocka wants it */
int fake_machine_remove(void);

#endif /* FAKE_MACHINE_H */
