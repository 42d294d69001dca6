// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel API, driven from a shell: write a command into parameter "do",
 * read what came of it from parameter "result", a text or a negative errno. The
 * other kernel's module is driven from here too, by messages of type ORDER.
 *
 *	get NAME		the peer that the others are about
 *	send TYPE MS BYTES	mk_send()
 *	fill TYPE		mk_send() without waiting until it fails
 *	stream TYPE N MS	N numbered messages
 *	request TYPE MS [TEXT]	mk_request()
 *	small TYPE MS		the same with room for 2 bytes of reply
 *	reply ID		mk_reply()
 *	cpu APICID TYPE BYTES	multikernel_send_ipi_data()
 *	order COMMAND		done by the peer's module
 *	sh COMMAND		done by a shell
 *	counts, heard, seen	messages of COUNT; of the older interface; peers
 *	taken, twice, oldtwice	handlers added to types that are taken; removed
 *				twice; the same with the older interface
 */
#define pr_fmt(fmt) "mk_kapi: " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/mk_message.h>
#include <linux/module.h>
#include <linux/multikernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/umh.h>

#define TEXT_MAX	512
#define ORDER_MS	200000	/* a stream may take long */

enum {
	COUNT = 1,	/* counted, and their numbers checked */
	ECHO,		/* answered with the same */
	SLEEP,		/* handled so many ms, then answered */
	ORDER,		/* a command, answered with its result */
	REMOVE,		/* removes its own handler, answered with the result */
	TWICE,		/* answered twice; the second's result is kept */
	IRQ,		/* in interrupt context, answered if so */
	FAIL,		/* answered with an error */
	SILENT,		/* never answered */
	RANGE = 16,
	RANGE_LAST = 31,
	UNREGISTER = 0x77,	/* older interface: removes its own callback */
};

static struct mk_peer *peer;
static struct mk_handler *handlers[RANGE_LAST + 1];
static struct mk_ipi_handler *old_handler, *old_irq_handler;
static char result[TEXT_MAX], seen[TEXT_MAX];
static u32 counted, disorder, next_number;
static int second_reply;
static struct {
	u32 count, in_irq, bad;
	int sender, on;
	unsigned int type;
	size_t size;
	bool in_task;
} heard;
static bool forget;

static int run(char *command, char *out, size_t size);

/* --- what the peer's messages do ------------------------------------------- */

static void on_count(const struct mk_message *m)
{
	u32 number;

	counted++;
	if (m->len != sizeof(number))
		return;
	memcpy(&number, m->data, sizeof(number));
	if (number != 0 && number != next_number)
		disorder++;
	next_number = number + 1;
}

static int text_of(const struct mk_message *m, char *text)
{
	snprintf(text, TEXT_MAX, "%.*s", (int)m->len, (const char *)m->data);
	return 0;
}

static void answer(const struct mk_message *m, const char *text)
{
	if (m->request)
		mk_reply(m->peer, m->request, 0, text,
			 min_t(size_t, strlen(text), MK_REPLY_MAX));
}

static void answer_number(const struct mk_message *m, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	answer(m, text);
}

static void on_sleep(const struct mk_message *m)
{
	char text[TEXT_MAX];
	unsigned int ms = 0;

	text_of(m, text);
	if (!kstrtouint(text, 0, &ms))
		msleep(ms);
	answer(m, "slept");
}

static void on_order(const struct mk_message *m)
{
	char command[TEXT_MAX], out[TEXT_MAX] = "";
	int err;

	text_of(m, command);
	err = run(command, out, sizeof(out));
	if (err)
		answer_number(m, err);
	else
		answer(m, out);
}

static void on_message(const struct mk_message *m, void *context)
{
	switch (m->type) {
	case COUNT:
		on_count(m);
		break;
	case ECHO:
		mk_reply(m->peer, m->request, 0, m->data,
			 min_t(u32, m->len, MK_REPLY_MAX));
		break;
	case SLEEP:
		on_sleep(m);
		break;
	case ORDER:
		on_order(m);
		break;
	case REMOVE:
		answer_number(m, mk_handler_remove(handlers[REMOVE]));
		break;
	case TWICE:
		answer(m, "once");
		second_reply = mk_reply(m->peer, m->request, 0, "again", 5);
		break;
	case FAIL:
		mk_reply(m->peer, m->request, -EXDEV, NULL, 0);
		break;
	case RANGE ... RANGE_LAST:
		answer_number(m, m->type);
		break;
	}
}

static void on_irq(const struct mk_message *m, void *context)
{
	if (in_hardirq())
		answer_number(m, mk_handler_remove(handlers[IRQ]));
	else
		answer(m, "no interrupt");
}

static void on_old(struct mk_ipi_data *data, void *ctx)
{
	size_t i;

	if (ctx != &heard)
		heard.bad++;
	heard.count++;
	heard.sender = data->sender_cpu;
	heard.on = cpu_physical_id(raw_smp_processor_id());
	heard.type = data->type;
	heard.size = data->data_size;
	heard.in_task = in_task();
	for (i = 0; i < data->data_size; i++)
		if (data->buffer[i] != (char)(i ^ 0x5a))
			heard.bad++;
	/* private: what is changed here, no other callback sees */
	memset(data->buffer, 0xff, sizeof(data->buffer));
	if (data->type == UNREGISTER)
		multikernel_unregister_handler(old_handler);
}

static void on_old_irq(struct mk_ipi_data *data, void *ctx)
{
	if (in_hardirq() && data->buffer[0] == 0x5a)
		heard.in_irq++;
}

static int on_peer(struct notifier_block *nb, unsigned long event, void *data)
{
	size_t used = strlen(seen);

	snprintf(seen + used, sizeof(seen) - used, "%s%s %u %s",
		 used ? ", " : "", mk_peer_name(data), mk_peer_epoch(data),
		 event == MK_PEER_UP ? "up" : "down");
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = on_peer };

/* --- commands ---------------------------------------------------------------- */

static int do_get(char *args, char *out, size_t size)
{
	struct mk_peer *got = mk_peer_get(args);

	if (IS_ERR(got))
		return PTR_ERR(got);
	mk_peer_put(peer);
	peer = got;
	snprintf(out, size, "%u %u %s %d", mk_peer_id(peer),
		 mk_peer_epoch(peer), mk_peer_name(peer),
		 mk_peer_is_up(peer));
	return 0;
}

static int do_send(char *args, char *out, size_t size)
{
	static u8 data[4096];
	unsigned int type, ms, bytes;

	if (sscanf(args, "%u %u %u", &type, &ms, &bytes) != 3 ||
	    bytes > sizeof(data))
		return -EDOM;
	snprintf(out, size, "%d", mk_send(peer, type, data, bytes, ms));
	return 0;
}

static int do_fill(char *args, char *out, size_t size)
{
	unsigned int type, n = 0;
	int err;

	if (kstrtouint(args, 0, &type))
		return -EDOM;
	while ((err = mk_send(peer, type, NULL, 0, 0)) == 0)
		n++;
	snprintf(out, size, "%u %d", n, err);
	return 0;
}

static int do_stream(char *args, char *out, size_t size)
{
	u32 type, n, ms, i;
	int err = 0;

	if (sscanf(args, "%u %u %u", &type, &n, &ms) != 3)
		return -EDOM;
	for (i = 0; i < n && !err; i++)
		err = mk_send(peer, type, &i, sizeof(i), ms);
	snprintf(out, size, "%d", err);
	return 0;
}

static int request(const char *args, char *out, size_t size)
{
	unsigned int type, ms;
	ssize_t len;
	int at = 0;

	if (sscanf(args, "%u %u%n", &type, &ms, &at) < 2)
		return -EDOM;
	at += args[at] == ' ';
	len = mk_request(peer, type, args + at, strlen(args + at), out,
			 size, ms);
	if (len >= 0)
		out[len] = 0;
	return min_t(ssize_t, len, 0);
}

static int do_request(char *args, char *out, size_t size)
{
	return request(args, out, size - 1);
}

static int do_small(char *args, char *out, size_t size)
{
	return request(args, out, 2);
}

static int do_reply(char *args, char *out, size_t size)
{
	u32 id;

	return kstrtou32(args, 0, &id) ? -EDOM :
					 mk_reply(peer, id, 0, NULL, 0);
}

static int do_cpu(char *args, char *out, size_t size)
{
	char data[MK_MAX_DATA_SIZE + 1];
	unsigned long type;
	unsigned int bytes, i;
	int cpu;

	if (sscanf(args, "%d %li %u", &cpu, &type, &bytes) != 3 ||
	    bytes > sizeof(data))
		return -EDOM;
	for (i = 0; i < bytes; i++)
		data[i] = i ^ 0x5a;
	snprintf(out, size, "%d",
		 multikernel_send_ipi_data(cpu, data, bytes, type));
	return 0;
}

static int do_order(char *args, char *out, size_t size)
{
	ssize_t len = mk_request(peer, ORDER, args, strlen(args), out,
				 size - 1, ORDER_MS);

	if (len >= 0)
		out[len] = 0;
	return min_t(ssize_t, len, 0);
}

static int do_sh(char *args, char *out, size_t size)
{
	char *argv[] = { "/bin/sh", "-c", args, NULL };
	char *envp[] = { "PATH=/sbin:/bin", NULL };

	snprintf(out, size, "%d",
		 call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC));
	return 0;
}

static int do_counts(char *args, char *out, size_t size)
{
	snprintf(out, size, "%u %u %d", counted, disorder, second_reply);
	counted = 0;
	return 0;
}

static int do_heard(char *args, char *out, size_t size)
{
	snprintf(out, size, "%u: %d to %d, type %#x, %zu bytes, task %d, irq %u, bad %u",
		 heard.count, heard.sender, heard.on, heard.type, heard.size,
		 heard.in_task, heard.in_irq, heard.bad);
	memset(&heard, 0, sizeof(heard));
	return 0;
}

static int do_seen(char *args, char *out, size_t size)
{
	snprintf(out, size, "%s", seen);
	seen[0] = 0;
	return 0;
}

static int do_taken(char *args, char *out, size_t size)
{
	struct mk_handler *other;

	other = mk_handler_add(RANGE_LAST, RANGE_LAST + 5, on_message, NULL, 0);
	if (!IS_ERR(other)) {
		mk_handler_remove(other);
		return 0;
	}
	return PTR_ERR(other);
}

static int do_twice(char *args, char *out, size_t size)
{
	struct mk_handler *other;

	other = mk_handler_add(100, 200, on_message, NULL, 0);
	if (IS_ERR(other))
		return PTR_ERR(other);
	snprintf(out, size, "%d", mk_handler_remove(other));
	return mk_handler_remove(other);
}

static int do_oldtwice(char *args, char *out, size_t size)
{
	struct mk_ipi_handler *other;

	other = multikernel_register_handler(on_old, NULL);
	if (!other)
		return -ENOMEM;
	multikernel_unregister_handler(other);
	multikernel_unregister_handler(other);
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(char *args, char *out, size_t size);
} commands[] = {
	{ "get", do_get },		{ "send", do_send },
	{ "fill", do_fill },		{ "stream", do_stream },
	{ "request", do_request },	{ "small", do_small },
	{ "reply", do_reply },		{ "cpu", do_cpu },
	{ "order", do_order },		{ "sh", do_sh },
	{ "counts", do_counts },	{ "heard", do_heard },
	{ "seen", do_seen },		{ "taken", do_taken },
	{ "twice", do_twice },		{ "oldtwice", do_oldtwice },
};

static int run(char *command, char *out, size_t size)
{
	char *args = command, *word = strsep(&args, " ");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].name))
			return commands[i].fn(args ?: "", out, size);
	return -EDOM;
}

/* Holds the lock of the module's parameters: one command at a time. */
static int do_set(const char *val, const struct kernel_param *kp)
{
	char command[TEXT_MAX], out[TEXT_MAX] = "ok";
	int err;

	if (strscpy(command, val, sizeof(command)) < 0)
		return -E2BIG;
	err = run(strim(command), out, sizeof(out));
	if (err)
		snprintf(result, sizeof(result), "%d", err);
	else
		strscpy(result, out);
	return 0;
}

static const struct kernel_param_ops do_ops = { .set = do_set };
module_param_cb(do, &do_ops, NULL, 0200);
module_param_string(result, result, sizeof(result), 0400);
module_param(forget, bool, 0600);
MODULE_PARM_DESC(forget, "leave the handlers to be removed by others");

/* --- life ---------------------------------------------------------------------- */

static void remove_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		mk_handler_remove(handlers[i]);
	if (old_irq_handler)
		multikernel_unregister_handler(old_irq_handler);
	if (old_handler)
		multikernel_unregister_handler(old_handler);
}

static int add_all(void)
{
	unsigned int i;

	for (i = COUNT; i <= SILENT; i++)
		handlers[i] = mk_handler_add(i, i, i == IRQ ? on_irq : on_message,
					     NULL, i == IRQ ? MK_HANDLER_IRQ : 0);
	handlers[RANGE] = mk_handler_add(RANGE, RANGE_LAST, on_message, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (IS_ERR(handlers[i]))
			return PTR_ERR(handlers[i]);
	old_handler = multikernel_register_handler(on_old, &heard);
	old_irq_handler = multikernel_register_irq_handler(on_old_irq, NULL);
	if (!old_handler || !old_irq_handler)
		return -ENOMEM;
	return mk_peer_notifier_register(&notifier);
}

static int __init mk_kapi_init(void)
{
	int err = add_all();

	if (err)
		remove_all();
	return err;
}
module_init(mk_kapi_init);

static void __exit mk_kapi_exit(void)
{
	mk_peer_notifier_unregister(&notifier);
	if (!forget)
		remove_all();
	mk_peer_put(peer);
}
module_exit(mk_kapi_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The in-kernel API, driven from a shell");
