// SPDX-License-Identifier: GPL-2.0-only
#include "resolve.h"

#include <ares.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Each of the name servers is asked so often, and waited for so long at first. */
#define TRIES	   3
#define TIMEOUT_MS 1000

/* One of c-ares' sockets; they come and go. */
struct channel_fd {
	struct loop_fd fd;
	struct channel_fd *next;
};

struct resolver {
	struct loop *loop;
	ares_channel channel;
	bool has_channel, closing;
	size_t open; /* questions */
	int inside;  /* calls of c-ares that have not returned: the channel must not be closed */
	struct timespec configured;
	struct channel_fd *fds;
	struct loop_timer timer;
};

struct question {
	struct resolver *resolver;
	resolve_fn fn;
	void *arg;
	uint8_t family;
};

/* ---- c-ares' sockets and time-outs in our loop */

static void set_timer(struct resolver *r)
{
	struct timeval tv;

	if (!r->has_channel || !ares_timeout(r->channel, NULL, &tv)) {
		loop_timer_stop(r->loop, &r->timer);
		return;
	}
	loop_timer_set(r->loop, &r->timer, tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
}

static void process(struct resolver *r, ares_socket_t readable, ares_socket_t writable)
{
	r->inside++;
	ares_process_fd(r->channel, readable, writable);
	r->inside--;
	set_timer(r);
}

static void timed_out(struct loop_timer *timer)
{
	struct resolver *r = timer->arg;

	process(r, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void ready(struct loop_fd *fd, uint32_t events)
{
	struct resolver *r = fd->arg;
	int s = fd->fd; /* fd itself may be gone when c-ares has closed the socket */
	bool reads = events & (EPOLLIN | EPOLLERR | EPOLLHUP);

	process(r, reads ? s : ARES_SOCKET_BAD, events & EPOLLOUT ? s : ARES_SOCKET_BAD);
}

static void forget_socket(struct resolver *r, struct channel_fd **at)
{
	struct channel_fd *gone = *at;

	loop_forget(r->loop, &gone->fd);
	*at = gone->next;
	free(gone);
}

static void socket_state(void *arg, ares_socket_t s, int readable, int writable)
{
	struct resolver *r = arg;
	struct channel_fd **at = &r->fds;

	while (*at && (*at)->fd.fd != s)
		at = &(*at)->next;
	if (!readable && !writable) {
		if (*at)
			forget_socket(r, at);
		return;
	}
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return; /* the question will time out */
		(*at)->fd = (struct loop_fd){.fd = s, .ready = ready, .arg = r};
	}
	loop_watch(r->loop, &(*at)->fd, (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u));
}

/* ---- the channel */

static void close_channel(struct resolver *r)
{
	if (r->has_channel)
		ares_destroy(r->channel);
	r->has_channel = false;
	while (r->fds)
		forget_socket(r, &r->fds);
	loop_timer_stop(r->loop, &r->timer);
}

static int open_channel(struct resolver *r)
{
	struct ares_options options = {
		.timeout = TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = socket_state,
		.sock_state_cb_data = r,
	};
	int rc = ares_init_options(&r->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);

	r->has_channel = rc == ARES_SUCCESS;
	return rc;
}

/* Which name servers there are may change while we run: DHCP, VPN. c-ares reads that once for each channel. */
static int renew_channel(struct resolver *r)
{
	struct stat st = {0};

	stat("/etc/resolv.conf", &st);
	if (r->has_channel &&
	    (r->open || r->inside ||
	     (st.st_mtim.tv_sec == r->configured.tv_sec && st.st_mtim.tv_nsec == r->configured.tv_nsec)))
		return ARES_SUCCESS;
	close_channel(r);
	r->configured = st.st_mtim;
	return open_channel(r);
}

/* ---- questions */

static bool take_address(struct resolve_answer *answer, const struct sockaddr *sa, uint8_t family)
{
	struct xf_address *to = &answer->addr[answer->n];

	if (answer->n == RESOLVE_ADDRESSES_MAX || sa->sa_family != (family == XF_IPV4 ? AF_INET : AF_INET6))
		return false;
	memset(to, 0, sizeof(*to));
	to->family = family;
	if (family == XF_IPV4)
		to->addr.v4 = ((const struct sockaddr_in *)sa)->sin_addr.s_addr;
	else
		memcpy(to->addr.v6, &((const struct sockaddr_in6 *)sa)->sin6_addr, sizeof(to->addr.v6));
	answer->n++;
	return true;
}

/* The answer is good as long as all that it consists of. */
static void take_addresses(struct resolve_answer *answer, const struct ares_addrinfo *info, uint8_t family)
{
	const struct ares_addrinfo_cname *cname;
	const struct ares_addrinfo_node *node;
	int ttl = INT32_MAX;

	for (node = info->nodes; node; node = node->ai_next)
		if (take_address(answer, node->ai_addr, family) && node->ai_ttl < ttl)
			ttl = node->ai_ttl;
	for (cname = info->cnames; cname; cname = cname->next)
		if (cname->name && cname->ttl < ttl)
			ttl = cname->ttl;
	answer->ttl = ttl > 0 ? (uint32_t)ttl : 0;
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct question q = *(struct question *)arg;
	struct resolve_answer answer = {.n = 0};

	(void)timeouts;
	free(arg);
	q.resolver->open--;
	if (status == ARES_SUCCESS)
		take_addresses(&answer, info, q.family);
	if (info)
		ares_freeaddrinfo(info);
	if (q.resolver->closing)
		return;
	if (!answer.n)
		answer.why = status == ARES_SUCCESS || status == ARES_ENODATA ?
				     (q.family == XF_IPV4 ? "it has no IPv4 address; for IPv6, listen on [ADDR6]:PORT" :
							    "it has no IPv6 address, and the rule listens on IPv6") :
				     ares_strerror(status);
	q.fn(&answer, q.arg);
}

void resolver_ask(struct resolver *r, const char *host, uint8_t family, resolve_fn fn, void *arg)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = family == XF_IPV4 ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_STREAM, /* else each address comes once for every kind */
		.ai_flags = ARES_AI_NOSORT, /* which sends datagrams to find out */
	};
	struct resolve_answer none = {.why = "out of memory"};
	struct question *q = malloc(sizeof(*q));
	int rc = renew_channel(r);

	if (!q || rc != ARES_SUCCESS) {
		free(q);
		none.why = ares_strerror(rc == ARES_SUCCESS ? ARES_ENOMEM : rc);
		fn(&none, arg);
		return;
	}
	*q = (struct question){.resolver = r, .fn = fn, .arg = arg, .family = family};
	r->open++;
	r->inside++;
	ares_getaddrinfo(r->channel, host, NULL, &hints, answered, q);
	r->inside--;
	set_timer(r);
}

int resolver_new(struct resolver **out, struct loop *loop, struct xf_error *err)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return xf_fail(err, "out of memory");
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(r);
		return xf_fail(err, "cannot set up the resolver");
	}
	r->loop = loop;
	r->timer = (struct loop_timer){.due = timed_out, .arg = r};
	*out = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	r->closing = true;
	close_channel(r);
	ares_library_cleanup();
	free(r);
}
