/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules ask of this machine: which addresses are its own, which way leads
 * to a target, what an interface's name stands for, which ports are in use. Each
 * question goes to the kernel once, however many rules ask it.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane_rule_int.h"
#include "lockout.h"

/* An answer that is kept; `failed`: why there is none. */
struct dp_answer {
	bool asked_local, asked_route, failed;
	int local;
	struct nd_route route;
	struct xf_error why;
};

static struct dp_answer *answer_of(struct dp_machine *m, const struct xf_address *addr)
{
	char text[XF_ENDPOINT_STRLEN];
	struct name *name = names_add(&m->addresses, xf_address_format(addr, text, sizeof(text)));
	struct dp_answer *grown;

	if (!name)
		return NULL;
	if (name->at)
		return &m->answers[name->at - 1];
	if (m->n_answers == m->room) {
		m->room = m->room ? 2 * m->room : 64;
		grown = realloc(m->answers, m->room * sizeof(*grown));
		if (!grown)
			return NULL;
		m->answers = grown;
	}
	m->answers[m->n_answers] = (struct dp_answer){0};
	name->at = (uint32_t)++m->n_answers;
	return &m->answers[m->n_answers - 1];
}

int dp_machine_owns(struct dp_machine *m, const struct xf_address *addr, struct xf_error *err)
{
	struct dp_answer *a = answer_of(m, addr);

	if (!a)
		return xf_fail(err, "out of memory");
	if (!a->asked_local)
		a->local = nd_address_is_local(addr, &a->why);
	a->asked_local = true;
	return a->local < 0 ? xf_fail(err, "%s", a->why.text) : a->local;
}

int dp_machine_route(struct dp_machine *m, const struct xf_address *addr, struct nd_route *route, struct xf_error *err)
{
	struct dp_answer *a = answer_of(m, addr);

	if (!a)
		return xf_fail(err, "out of memory");
	if (!a->asked_route)
		a->failed = nd_route_get(addr, &a->route, &a->why);
	a->asked_route = true;
	if (a->failed)
		return xf_fail(err, "%s", a->why.text);
	*route = a->route;
	return 0;
}

int dp_machine_link(struct dp_machine *m, const char *ifname, struct nd_link *link, struct xf_error *err)
{
	if (strcmp(m->link.name, ifname) && nd_link_by_name(ifname, &m->link, err)) {
		memset(&m->link, 0, sizeof(m->link));
		return -1;
	}
	*link = m->link;
	return 0;
}

bool dp_machine_says(struct dp_machine *m, const char *what)
{
	struct name *name = names_add(&m->said, what);

	return name && !name->at++;
}

int dp_machine_locks_out(struct dp_machine *m, const struct xf_rule_spec *rule, struct xf_error *err)
{
	if (!m->lockout)
		m->lockout = lockout_open(err);
	return m->lockout ? lockout_judge(m->lockout, rule, err) : -1;
}

void dp_machine_free(struct dp_machine *m)
{
	lockout_close(m->lockout);
	names_free(&m->addresses);
	names_free(&m->said);
	free(m->answers);
	free(m->own.addr);
	memset(m, 0, sizeof(*m));
}
