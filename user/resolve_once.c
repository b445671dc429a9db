// SPDX-License-Identifier: GPL-2.0-only
/* For commands that end: asks for a name, and waits. */
#include <string.h>

#include "resolve.h"

#define WAIT_MS 10000

struct once {
	struct loop *loop;
	struct resolve_answer answer;
	bool done;
};

static void take_answer(const struct resolve_answer *answer, void *arg)
{
	struct once *once = arg;

	once->answer = *answer;
	once->done = true;
	loop_stop(once->loop);
}

static void give_up(struct loop_timer *timer)
{
	loop_stop(((struct once *)timer->arg)->loop);
}

static int ask(struct once *once, const char *host, uint8_t family, struct xf_error *err)
{
	struct loop_timer timer = {.due = give_up, .arg = once};
	struct resolver *resolver;
	int rc = 0;

	if (resolver_new(&resolver, once->loop, err))
		return -1;
	resolver_ask(resolver, host, family, take_answer, once);
	loop_timer_set(once->loop, &timer, WAIT_MS);
	if (!once->done)
		rc = loop_run(once->loop, err);
	resolver_free(resolver);
	return rc;
}

int resolve_once(const char *host, struct xf_address *addr, struct xf_error *err)
{
	struct once once = {.answer.why = "no name server answers"};
	int rc;

	if (loop_new(&once.loop, err))
		return -1;
	rc = ask(&once, host, addr->family, err);
	loop_free(once.loop);
	if (rc)
		return -1;
	if (!once.answer.n)
		return xf_fail(err, "%.120s cannot be resolved: %s", host, once.answer.why);
	*addr = once.answer.addr[0];
	return 0;
}
