/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that would lock their author out, or take a local service's traffic. */
#include "lockout.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netdev.h"
#include "ssh_session.h"

#define ANCESTORS_MAX 64 /* a command is not nested deeper; /proc may change meanwhile */

struct lockout {
	struct nd_sockets waiting;
	/* The server's ends of SSH connections that lead to this command: of its variables, and of its ancestors. */
	struct session {
		struct nd_socket socket;
		struct nd_process server; /* pid 0: not known */
	} session[2];
	size_t n_sessions;
};

/* ---- the session */

static void note_session(struct lockout *l, const struct nd_socket *socket, const struct nd_process *server)
{
	if (l->n_sessions < sizeof(l->session) / sizeof(l->session[0]))
		l->session[l->n_sessions++] = (struct session){.socket = *socket, .server = *server};
}

static void find_session_in_environment(struct lockout *l)
{
	const char *variables[] = {getenv("SSH_CONNECTION"), getenv("SSH_CLIENT")};
	struct nd_process unknown = {0};
	struct ssh_session ssh;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		struct nd_socket socket = {.proto = IPPROTO_TCP};

		if (!variables[i] || !ssh_session_parse(variables[i], &ssh))
			continue;
		socket.port = ssh.port;
		socket.addr = ssh.addr;
		socket.v4 = ssh.addr.family != XF_IPV6;
		socket.v6 = ssh.addr.family != XF_IPV4;
		note_session(l, &socket, &unknown);
		return;
	}
}

static bool serves_ssh(const struct nd_process *process)
{
	return !strncmp(process->comm, "sshd", 4) || !strcmp(process->comm, "dropbear");
}

/* sudo and su take the variables away, but not the ancestors. */
static int find_session_of_ancestors(struct lockout *l, struct xf_error *err)
{
	struct nd_process process = {.pid = getpid()};
	struct nd_sockets connected;
	int depth = 0;
	size_t i;

	do {
		if (depth++ == ANCESTORS_MAX || !nd_process_parent(&process))
			return 0;
	} while (!serves_ssh(&process));
	if (nd_sockets_connected(&connected, err))
		return -1;
	for (i = 0; i < connected.n; i++)
		if (nd_process_has_socket(process.pid, connected.socket[i].inode))
			note_session(l, &connected.socket[i], &process);
	free(connected.socket);
	return 0;
}

/* ---- a rule and a socket */

/* Loopback or multicast: no packet from outside to an address of this machine arrives there. */
static bool is_out_of_reach(const struct xf_address *a)
{
	const uint8_t first = a->addr.v6[0];

	if (xf_address_is_loopback(a))
		return true;
	return a->family == XF_IPV4 ? (first & 0xf0) == 224 : a->family == XF_IPV6 && first == 0xff;
}

struct owner_search {
	const struct xf_address *addr;
	unsigned int ifindex;
	bool found;
};

static int is_its_address(const struct nd_addr *addr, void *arg)
{
	struct owner_search *search = arg;

	search->found = addr->ifindex == search->ifindex && xf_address_equal(&addr->addr, search->addr);
	return search->found;
}

/* An interface that is not there has no addresses. */
static int is_address_of(const char *ifname, const struct xf_address *addr, struct xf_error *err)
{
	struct owner_search search = {.addr = addr};
	struct nd_link link;

	if (nd_link_by_name(ifname, &link, err))
		return 0;
	search.ifindex = link.ifindex;
	return nd_addresses(is_its_address, &search, err) ? -1 : search.found;
}

/* Do packets that the rule takes now reach an address that the socket is bound to? 1, 0, or -1 with err. */
static int listens_in_front(const struct xf_rule_spec *rule, const struct nd_socket *socket, struct xf_error *err)
{
	const struct xf_listen *listen = &rule->listen;

	/* A socket bound to any address is reached only through addresses of this machine. */
	if (!socket->addr.family)
		return listen->kind == XF_LISTEN_ADDR ? nd_address_is_local(&listen->addr, err) : 1;
	if (listen->kind == XF_LISTEN_ADDR)
		return xf_address_equal(&listen->addr, &socket->addr);
	if (is_out_of_reach(&socket->addr))
		return 0;
	return listen->kind == XF_LISTEN_IFACE ? is_address_of(listen->ifname, &socket->addr, err) : 1;
}

/* Does the rule lead what it takes to that very socket? 1, 0, or -1 with err. */
static int leads_to(const struct xf_rule_spec *rule, const struct nd_socket *socket, struct xf_error *err)
{
	const struct xf_target *target = &rule->target;

	if (target->port && target->port != rule->listen.ports.lo)
		return 0;
	if (socket->addr.family)
		return xf_address_equal(&target->addr, &socket->addr);
	return nd_address_is_local(&target->addr, err);
}

/* 1, 0, or -1 with err. */
static int takes_from(const struct xf_rule_spec *rule, const struct nd_socket *socket, struct xf_error *err)
{
	uint8_t proto = socket->proto == IPPROTO_TCP ? XF_PROTO_TCP : XF_PROTO_UDP;
	int rc;

	if (!(rule->protos & proto) || socket->port < rule->listen.ports.lo || socket->port > rule->listen.ports.hi)
		return 0;
	if (!(rule->target.addr.family == XF_IPV4 ? socket->v4 : socket->v6))
		return 0;
	rc = listens_in_front(rule, socket, err);
	if (rc <= 0)
		return rc;
	rc = leads_to(rule, socket, err);
	return rc < 0 ? rc : !rc;
}

/* ---- all of them */

/* A session at an address that is not this machine's does not come through this network namespace. */
static int takes_session(const struct xf_rule_spec *rule, const struct nd_socket *socket, struct xf_error *err)
{
	int rc = takes_from(rule, socket, err);

	if (rc <= 0 || !socket->addr.family || rule->listen.kind == XF_LISTEN_ADDR)
		return rc;
	return nd_address_is_local(&socket->addr, err);
}

static int judge_session(const struct session *session, const struct xf_rule_spec *rule, struct xf_error *err)
{
	const struct nd_process *server = &session->server;
	int rc = takes_session(rule, &session->socket, err);

	if (rc <= 0)
		return rc;
	if (!server->pid)
		return xf_fail(err,
			       "tcp port %u is in use by the SSH session that this command comes by, and "
			       "who reconnects would meet the rule's target; use --force to do it anyway",
			       session->socket.port);
	return xf_fail(err,
		       "tcp port %u is in use by the SSH session that this command comes by, of %s (pid "
		       "%d), and who reconnects would meet the rule's target; use --force to do it anyway",
		       session->socket.port, server->comm, server->pid);
}

static int judge_socket(const struct nd_socket *socket, const struct xf_rule_spec *rule, struct xf_error *err)
{
	const char *proto = socket->proto == IPPROTO_TCP ? "tcp" : "udp";
	int rc = takes_from(rule, socket, err);
	struct nd_process owner;

	if (rc <= 0)
		return rc;
	nd_process_of_socket(socket->inode, &owner);
	if (!owner.pid)
		return xf_fail(err,
			       "%s port %u is in use by a socket of this machine, and the rule would take "
			       "its connections; use --force to do it anyway",
			       proto, socket->port);
	return xf_fail(err,
		       "%s port %u is in use by %s (pid %d), and the rule would take its connections; use "
		       "--force to do it anyway",
		       proto, socket->port, owner.comm, owner.pid);
}

/* The first socket of that protocol whose port is not below this one. */
static size_t first_from(const struct nd_sockets *sockets, uint8_t proto, uint16_t port)
{
	size_t lo = 0, hi = sockets->n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		const struct nd_socket *s = &sockets->socket[middle];

		if (s->proto < proto || (s->proto == proto && s->port < port))
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static int judge_sockets(const struct nd_sockets *sockets, uint8_t proto, const struct xf_rule_spec *rule,
			 struct xf_error *err)
{
	size_t i = first_from(sockets, proto, rule->listen.ports.lo);

	for (; i < sockets->n; i++) {
		const struct nd_socket *socket = &sockets->socket[i];

		if (socket->proto != proto || socket->port > rule->listen.ports.hi)
			break;
		if (judge_socket(socket, rule, err))
			return -1;
	}
	return 0;
}

int lockout_judge(const struct lockout *l, const struct xf_rule_spec *rule, struct xf_error *err)
{
	size_t i;

	for (i = 0; i < l->n_sessions; i++)
		if (judge_session(&l->session[i], rule, err))
			return -1;
	if (judge_sockets(&l->waiting, IPPROTO_TCP, rule, err))
		return -1;
	return judge_sockets(&l->waiting, IPPROTO_UDP, rule, err);
}

struct lockout *lockout_open(struct xf_error *err)
{
	struct lockout *l = calloc(1, sizeof(*l));

	if (!l) {
		xf_fail(err, "out of memory");
		return NULL;
	}
	find_session_in_environment(l);
	if (!nd_sockets_waiting(&l->waiting, err) && !find_session_of_ancestors(l, err))
		return l;
	lockout_close(l);
	return NULL;
}

void lockout_close(struct lockout *l)
{
	if (!l)
		return;
	free(l->waiting.socket);
	free(l);
}
