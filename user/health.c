// SPDX-License-Identifier: GPL-2.0-only
#include "health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo.h"
#include "log.h"
#include "pulse.h"

/* How long an answer may take, and how many may be waited for at a time. */
#define ANSWER_MS     3000
#define UNDER_WAY_MAX 256

/* One address, and for TCP a port: what some rules have in common. */
struct probe {
	struct health *health;
	struct xf_address addr;
	uint16_t port; /* 0: by ICMP */
	size_t first, n;
	struct pulse pulse;
	bool under_way;
	uint16_t number; /* of the echo that is under way */
	int64_t started;
	struct loop_fd fd;
	TAILQ_ENTRY(probe) next;
};

struct health {
	struct loop *loop;
	struct health_options options;
	struct dp_target *targets;
	struct probe *probes; /* sorted, as the targets are */
	size_t n, at;	      /* whose turn it is */
	struct echo *echo;    /* NULL: we may not */
	uint16_t number;
	TAILQ_HEAD(, probe) under_way; /* the oldest first */
	size_t n_under_way;
	struct loop_timer turn, patience;
};

/* ---- answers */

static void end(struct probe *p)
{
	struct health *h = p->health;

	if (!p->under_way)
		return;
	TAILQ_REMOVE(&h->under_way, p, next);
	h->n_under_way--;
	p->under_way = false;
	if (p->fd.fd >= 0)
		close(p->fd.fd);
	p->fd.fd = -1;
}

static void verdict(struct probe *p, bool up, const char *why)
{
	struct health *h = p->health;
	struct health_news news = {
		.target = &h->targets[p->first],
		.n = p->n,
		.why = why,
		/* Until the next answer but two would have been there. */
		.good_ms = (h->options.period_ms + ANSWER_MS) * 3,
	};

	end(p);
	/* Many a machine does not answer echoes and is well all the same: only who did can be down. */
	if (!p->port && !up && !p->pulse.known)
		return;
	news.changed = pulse_take(&p->pulse, up, h->options.threshold);
	news.up = p->pulse.up;
	h->options.told(&news, h->options.arg);
}

/* What is wrong with us is no news of the target. */
static void failed(struct probe *p, int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
		verdict(p, false, strerror(error));
		break;
	default:
		log_debug("cannot ask whether the target of rule \"%s\" is up: %s", p->health->targets[p->first].name,
			  strerror(error));
		end(p);
	}
}

static void connected(struct loop_fd *fd, uint32_t events)
{
	socklen_t len = sizeof(int);
	struct probe *p = fd->arg;
	int error = 0;

	(void)events;
	if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error)
		failed(p, error);
	else
		verdict(p, true, NULL);
}

static void echoed(const struct xf_address *from, uint16_t number, void *arg)
{
	struct health *h = arg;
	struct probe *p;

	TAILQ_FOREACH(p, &h->under_way, next)
	{
		if (!p->port && p->number == number && xf_address_equal(&p->addr, from)) {
			verdict(p, true, NULL);
			return;
		}
	}
}

static void wait_for_oldest(struct health *h)
{
	struct probe *oldest = TAILQ_FIRST(&h->under_way);

	if (oldest)
		loop_timer_set(h->loop, &h->patience, oldest->started + ANSWER_MS - loop_now());
}

static void out_of_patience(struct loop_timer *timer)
{
	struct health *h = timer->arg;
	int64_t now = loop_now();
	struct probe *p;

	while ((p = TAILQ_FIRST(&h->under_way)) && p->started + ANSWER_MS <= now)
		failed(p, ETIMEDOUT);
	wait_for_oldest(h);
}

/* ---- questions */

static int connect_to(struct probe *p)
{
	struct sockaddr_in6 sa6 = {.sin6_family = AF_INET6, .sin6_port = htons(p->port)};
	struct sockaddr_in sa4 = {.sin_family = AF_INET, .sin_port = htons(p->port)};
	/* A reset ends it at once: no side keeps anything of it. */
	const struct linger at_once = {.l_onoff = 1};
	bool v4 = p->addr.family == XF_IPV4;
	int rc;

	p->fd.fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd.fd < 0)
		return -1;
	setsockopt(p->fd.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	sa4.sin_addr.s_addr = p->addr.addr.v4;
	memcpy(&sa6.sin6_addr, p->addr.addr.v6, sizeof(sa6.sin6_addr));
	rc = v4 ? connect(p->fd.fd, (struct sockaddr *)&sa4, sizeof(sa4)) :
		  connect(p->fd.fd, (struct sockaddr *)&sa6, sizeof(sa6));
	if (rc && errno != EINPROGRESS)
		return -1;
	/* One that is connected already is ready at once, so both go on there. */
	return loop_watch(p->health->loop, &p->fd, EPOLLOUT);
}

static void ask(struct probe *p)
{
	struct health *h = p->health;

	if (p->under_way || (!p->port && !h->echo))
		return;
	p->under_way = true;
	p->started = loop_now();
	TAILQ_INSERT_TAIL(&h->under_way, p, next);
	h->n_under_way++;
	p->number = h->number++;
	if (p->port ? connect_to(p) : echo_ask(h->echo, &p->addr, p->number))
		failed(p, errno);
}

/* All of them once a period, spread over it; where there are more than milliseconds, several at a time. */
static void take_turn(struct loop_timer *timer)
{
	struct health *h = timer->arg;
	uint32_t pace = h->n ? h->options.period_ms / (uint32_t)h->n : 0;
	size_t many = pace ? 1 : h->n / h->options.period_ms + 1;

	loop_timer_set(h->loop, timer, h->n ? (pace ? pace : 1) : h->options.period_ms);
	for (; h->n && many && h->n_under_way < UNDER_WAY_MAX; many--) {
		ask(&h->probes[h->at]);
		h->at = (h->at + 1) % h->n;
	}
	wait_for_oldest(h);
}

/* ---- which targets there are */

static uint16_t port_of(const struct dp_target *t)
{
	return t->protos & XF_PROTO_TCP ? t->port : 0;
}

static int compare_ends(const struct xf_address *a, uint16_t a_port, const struct xf_address *b, uint16_t b_port)
{
	int order = (int)a->family - (int)b->family;

	if (!order)
		order = memcmp(&a->addr, &b->addr, sizeof(a->addr));
	return order ? order : (int)a_port - (int)b_port;
}

static int by_end(const void *a, const void *b)
{
	const struct dp_target *x = a, *y = b;
	int order = compare_ends(&x->target.addr, port_of(x), &y->target.addr, port_of(y));

	return order ? order : strcmp(x->name, y->name);
}

static size_t make_probes(struct health *h, struct probe *probes, const struct dp_target *targets, size_t n)
{
	size_t i, made = 0;

	for (i = 0; i < n; i++) {
		const struct dp_target *t = &targets[i];

		if (made && !compare_ends(&probes[made - 1].addr, probes[made - 1].port, &t->target.addr, port_of(t))) {
			probes[made - 1].n++;
			continue;
		}
		probes[made] = (struct probe){
			.health = h,
			.addr = t->target.addr,
			.port = port_of(t),
			.first = i,
			.n = 1,
			.fd = {.fd = -1, .ready = connected, .arg = &probes[made]},
		};
		made++;
	}
	return made;
}

/* Both are sorted. */
static void keep_pulses(struct probe *probes, size_t n, const struct health *old)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		while (k < old->n &&
		       compare_ends(&old->probes[k].addr, old->probes[k].port, &probes[i].addr, probes[i].port) < 0)
			k++;
		if (k < old->n &&
		    !compare_ends(&old->probes[k].addr, old->probes[k].port, &probes[i].addr, probes[i].port))
			probes[i].pulse = old->probes[k].pulse;
	}
}

static void forget_all(struct health *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		end(&h->probes[i]);
	free(h->probes);
	free(h->targets);
	h->probes = NULL;
	h->targets = NULL;
	h->n = 0;
}

static bool same_targets(const struct health *h, const struct dp_target *targets, size_t n)
{
	size_t known = h->n ? h->probes[h->n - 1].first + h->probes[h->n - 1].n : 0, i;

	for (i = 0; known == n && i < n; i++)
		if (by_end(&h->targets[i], &targets[i]) || h->targets[i].tag != targets[i].tag)
			return false;
	return known == n;
}

int health_targets(struct health *h, struct dp_target *targets, size_t n, struct xf_error *err)
{
	struct probe *probes;
	size_t made;

	qsort(targets, n, sizeof(*targets), by_end);
	if (same_targets(h, targets, n)) {
		free(targets);
		return 0;
	}
	probes = calloc(n + 1, sizeof(*probes));
	if (!probes) {
		free(targets);
		return xf_fail(err, "out of memory");
	}
	made = make_probes(h, probes, targets, n);
	keep_pulses(probes, made, h);
	forget_all(h);
	h->targets = targets;
	h->probes = probes;
	h->n = made;
	h->at = 0;
	loop_timer_set(h->loop, &h->turn, 0);
	return 0;
}

int health_new(struct health **out, struct loop *loop, const struct health_options *options, struct xf_error *err)
{
	struct health *h = calloc(1, sizeof(*h));
	const struct echo_options echo = {.answered = echoed, .arg = h};
	struct xf_error why;

	if (!h)
		return xf_fail(err, "out of memory");
	h->loop = loop;
	h->options = *options;
	TAILQ_INIT(&h->under_way);
	h->turn = (struct loop_timer){.due = take_turn, .arg = h};
	h->patience = (struct loop_timer){.due = out_of_patience, .arg = h};
	if (echo_new(&h->echo, loop, &echo, &why))
		log_warning("%s; it stays unknown whether the targets of UDP rules are up", why.text);
	*out = h;
	return 0;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	forget_all(h);
	loop_timer_stop(h->loop, &h->turn);
	loop_timer_stop(h->loop, &h->patience);
	echo_free(h->echo);
	free(h);
}
