// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libhwloc.a refers to and a static mkctl cannot have; linked into
 * bin/mkctl only, with --wrap for the dl functions (userland.mk).
 *
 * hwloc asks udev for the names of disks. Debian has no static libudev, and
 * mkctl filters all devices out, so that nothing here is ever called. It also
 * looks for plugins with dlopen(): in a static program that would load a
 * second C library. hwloc takes NULL as "there is none".
 */
#include <stddef.h>

struct udev;
struct udev_device;

struct udev *udev_new(void);
struct udev *udev_unref(struct udev *udev);
struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev,
							    const char *subsystem,
							    const char *name);
struct udev_device *udev_device_unref(struct udev_device *device);
const char *udev_device_get_property_value(struct udev_device *device,
					   const char *key);
void *__wrap_dlopen(const char *path, int flags);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);

struct udev *udev_new(void)
{
	return NULL;
}

struct udev *udev_unref(struct udev *udev)
{
	(void)udev;
	return NULL;
}

struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev,
							    const char *subsystem,
							    const char *name)
{
	(void)udev;
	(void)subsystem;
	(void)name;
	return NULL;
}

struct udev_device *udev_device_unref(struct udev_device *device)
{
	(void)device;
	return NULL;
}

const char *udev_device_get_property_value(struct udev_device *device,
					   const char *key)
{
	(void)device;
	(void)key;
	return NULL;
}

void *__wrap_dlopen(const char *path, int flags)
{
	(void)path;
	(void)flags;
	return NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return 0;
}

char *__wrap_dlerror(void)
{
	return NULL;
}
