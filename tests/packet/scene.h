/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows in each manner of translation, and ICMP errors about them. */
#ifndef XDPFWD_TESTS_PACKET_SCENE_H
#define XDPFWD_TESTS_PACKET_SCENE_H

#include "error.h"
#include "talk.h"

/* A flow, the rule it belongs to, and how it translates. */
struct scene {
	struct test *t;
	struct talk k;
	bool masquerade;
	uint32_t rule;
};

/* A new flow of CLIENT's to TARGET that has been answered. */
struct scene open_scene(struct test *t, uint8_t proto, bool masquerade);
/* Plays in all four: UDP and TCP, preserve and masquerade; a flow each. */
void in_each_scene(struct test *t, void (*play)(const struct scene *s));

/* "Port unreachable" about what the target got, and about what the client got. */
struct error by_target(const struct scene *s);
struct error by_client(const struct scene *s);
/* What must come out of them. */
struct error as_the_client_sees(const struct scene *s, const struct error *e);
struct error as_the_target_sees(const struct scene *s, const struct error *e);

/* The error arrives from the targets' side and goes to the client; or the other way. */
#define inwards(s, e)  (at(__FILE__, __LINE__), check_inwards(s, e))
#define outwards(s, e) (at(__FILE__, __LINE__), check_outwards(s, e))

void check_inwards(const struct scene *s, const struct error *e);
void check_outwards(const struct scene *s, const struct error *e);

#endif
