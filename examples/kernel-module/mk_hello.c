// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel code that talks to kernel code in another kernel of the machine. Load
 * it in two of them; it is the same on the host and in an instance.
 *
 * <linux/mk_message.h>, by peer: a handler answers greetings, and a notifier
 * says who comes and goes.
 *
 *	echo b > /sys/module/mk_hello/parameters/greet
 *
 * <linux/multikernel.h>, by CPU: a callback says what it got and where it ran.
 *
 *	echo 3 > /sys/module/mk_hello/parameters/call
 *
 * What it has to say is in the kernel's log.
 */
#define pr_fmt(fmt) "mk_hello: " fmt

#include <linux/err.h>
#include <linux/mk_message.h>
#include <linux/module.h>
#include <linux/multikernel.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/utsname.h>

#define GREETING	0x6d6b0001	/* type; request and reply are text */
#define CALL		0x6d6b0002	/* type of the older interface */
#define TIMEOUT_MS	5000

static struct mk_handler *greeting;
static struct mk_ipi_handler *callback;

/* Runs in process context. The text of a peer need not end with a NUL. */
static void on_greeting(const struct mk_message *message, void *context)
{
	char answer[MK_REPLY_MAX];
	int len, err;

	pr_info("'%s' says: %.*s\n", mk_peer_name(message->peer),
		(int)message->len, (const char *)message->data);
	if (!message->request)
		return;
	len = scnprintf(answer, sizeof(answer), "hello %s, this is Linux %s",
			mk_peer_name(message->peer), init_utsname()->release);
	err = mk_reply(message->peer, message->request, 0, answer, len);
	if (err)
		pr_warn("no answer to '%s': %pe\n",
			mk_peer_name(message->peer), ERR_PTR(err));
}

static int on_peer(struct notifier_block *nb, unsigned long event, void *data)
{
	struct mk_peer *peer = data;

	pr_info("'%s', start %u, is %s\n", mk_peer_name(peer),
		mk_peer_epoch(peer), event == MK_PEER_UP ? "up" : "down");
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = on_peer };

static int greet(const char *name)
{
	static const char text[] = "good day";
	char answer[MK_REPLY_MAX];
	struct mk_peer *peer;
	ssize_t len;

	peer = mk_peer_get(name);
	if (IS_ERR(peer)) {
		pr_warn("no way to '%s': %pe\n", name, peer);
		return PTR_ERR(peer);
	}
	len = mk_request(peer, GREETING, text, strlen(text), answer,
			 sizeof(answer), TIMEOUT_MS);
	if (len < 0)
		pr_warn("'%s' gave no answer: %pe\n", name, ERR_PTR(len));
	else
		pr_info("'%s' answers: %.*s\n", name, (int)len, answer);
	mk_peer_put(peer);
	return len < 0 ? len : 0;
}

static int greet_set(const char *val, const struct kernel_param *kp)
{
	char name[MK_NAME_MAX];

	if (strscpy(name, val, sizeof(name)) < 0)
		return -EINVAL;
	return greet(strim(name));
}

static const struct kernel_param_ops greet_ops = { .set = greet_set };
module_param_cb(greet, &greet_ops, NULL, 0200);
MODULE_PARM_DESC(greet, "written: name of a kernel to greet");

/* Runs in process context, on the CPU that was called. */
static void on_call(struct mk_ipi_data *data, void *ctx)
{
	if (data->type != CALL)
		return;
	pr_info("CPU with APIC id %d calls %s: %.*s\n", data->sender_cpu,
		(const char *)ctx, (int)data->data_size, data->buffer);
}

static int call_set(const char *val, const struct kernel_param *kp)
{
	char text[] = "are you there?";
	int cpu, err;

	err = kstrtoint(val, 0, &cpu);
	if (err)
		return err;
	err = multikernel_send_ipi_data(cpu, text, strlen(text), CALL);
	if (err)
		pr_warn("APIC id %d cannot be called: %pe\n", cpu,
			ERR_PTR(err));
	return err;
}

static const struct kernel_param_ops call_ops = { .set = call_set };
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "written: APIC id of a CPU to call");

static int __init mk_hello_init(void)
{
	int err;

	greeting = mk_handler_add(GREETING, GREETING, on_greeting, NULL, 0);
	if (IS_ERR(greeting))
		return PTR_ERR(greeting);
	callback = multikernel_register_handler(on_call, "me");
	if (!callback) {
		err = -ENOMEM;
		goto remove_greeting;
	}
	err = mk_peer_notifier_register(&notifier);
	if (err)
		goto unregister_callback;
	return 0;

unregister_callback:
	multikernel_unregister_handler(callback);
remove_greeting:
	mk_handler_remove(greeting);
	return err;
}
module_init(mk_hello_init);

static void __exit mk_hello_exit(void)
{
	mk_peer_notifier_unregister(&notifier);
	multikernel_unregister_handler(callback);
	mk_handler_remove(greeting);
}
module_exit(mk_hello_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Greetings between kernels");
