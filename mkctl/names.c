// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs that take NAME... or --all.
 */
#include "cmd.h"

bool never_started(const struct mk_instance *inst)
{
	return inst->get.state == MK_STATE_CREATED ||
	       inst->get.state == MK_STATE_LOADED;
}

static void one_instance(struct app *app, const struct mk_instance *inst,
			 each_fn fn, void *arg)
{
	struct mk_error err = MK_ERROR_INIT;

	if (fn(app, inst, arg, &err) < 0) {
		mk_error_object(&err, "%s", inst->get.name);
		app_add_error(app, &err);
	} else {
		app->nr_done++;
	}
}

static void one_name(struct app *app, const char *name, each_fn fn, void *arg)
{
	struct mk_error err = MK_ERROR_INIT;
	struct mk_instance *inst;

	if (mk_instance_find(app->ctx, name, &inst, &err) < 0) {
		mk_error_object(&err, "%s", name);
		app_add_error(app, &err);
		return;
	}
	one_instance(app, inst, fn, arg);
	mk_instance_free(inst);
}

static int not_reached(const char *name, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, name, "interrupted before it");
	return -EINTR;
}

static int for_each(struct app *app, int argc, char **argv, each_fn fn,
		    void *arg, struct mk_error *err)
{
	struct mk_instance_list list;
	size_t i;
	int r, n;

	/* A missing device is one error, not one for each name. */
	r = mk_ctx_device(app->ctx, err);
	if (r < 0)
		return r;
	for (n = 0; n < argc; n++) {
		if (interrupted)
			return not_reached(argv[n], err);
		one_name(app, argv[n], fn, arg);
	}
	if (!app->opts.all)
		return 0;
	r = mk_instance_list_get(app->ctx, &list, err);
	if (r < 0)
		return r;
	for (i = 0; i < list.nr_items && r == 0; i++) {
		if (interrupted)
			r = not_reached(list.items[i]->get.name, err);
		else
			one_instance(app, list.items[i], fn, arg);
	}
	mk_instance_list_clear(&list);
	return r;
}

int look_at_named(struct app *app, int argc, char **argv, each_fn fn,
		  struct mk_error *err)
{
	struct json_object *list = NULL;
	struct json_object *doc = NULL;
	int r;

	if (app->opts.json) {
		doc = json_document(app->verb);
		list = json_object_new_array();
		json_object_object_add(doc, "instances", list);
	}
	r = for_each(app, argc, argv, fn, list, err);
	/* What was done is said, whatever came after; else nothing is. */
	if (doc && (app->nr_done || (r == 0 && !app->nr_errors)))
		json_print(doc);
	else
		json_object_put(doc);
	return r;
}

int change_named(struct app *app, int argc, char **argv, each_fn fn,
		 struct mk_error *err)
{
	struct mk_change change = MK_CHANGE_NONE;
	int r;

	r = app_begin_change(app, &change, err);
	if (r < 0)
		return r;
	r = look_at_named(app, argc, argv, fn, err);
	mk_change_end(&change);
	return r;
}
