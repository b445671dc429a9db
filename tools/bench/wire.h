/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs at the ends of the wire (generator, target, client) and the bare
 * ones between them. All of it ends with the process.
 */
#ifndef XDPFWD_BENCH_WIRE_H
#define XDPFWD_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "sink.h"

/* A network device in a named network namespace. */
struct port {
	const char *netns;
	const char *ifname;
	unsigned int ifindex;
	uint8_t mac[6];
};

struct traffic {
	struct bench_kind kind;
	uint32_t flows;
	uint32_t rules;
	uint32_t first;	     /* of the flows, when they are gone through in order */
	uint32_t masquerade; /* what the target sees as source, host order; 0: the client */
	uint8_t ttl;	     /* with which the router's packets arrive at the target */
	bool lossy;	     /* send however much of it arrives */
};

enum bare {
	BARE_NONE,
	BARE_REDIRECT,
	BARE_TC, /* the same behind the driver, on socket buffers */
	BARE_PASS,
	BARE_DROP,
};

struct generator;
struct sink;

/* Each of these says on stderr what went wrong and ends the process: a benchmark has no second way. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void port_enter(const struct port *port);		/* the calling thread enters the port's namespace */
void port_find(struct port *port, char *spec);		/* NETNS:IFACE */
void port_attach(const struct port *port, int program); /* a native program, for as long as this process lives */
void port_attach_tc(const struct port *port, int program);
__u64 port_received(const struct port *port);	   /* packets, as the kernel counts them */
int port_program(const struct port *port);	   /* the descriptor of the program that is attached there */
void port_lead(const struct port *port, int wire); /* element 0 of that devmap becomes the port */

/* Both receiving ends. */
struct sink *sink_attach(const struct port *target, const struct port *client, const struct traffic *traffic);
/* on: check each packet at the target, too; answer: and send it back when it is right. */
void sink_verify(struct sink *sink, bool on, bool answer);
struct bench_end sink_end(const struct sink *sink, enum bench_which which);
int sink_ends_fd(const struct sink *sink);

/* Begins to run, at the pace at which frames arrive, without sending anything yet. */
struct generator *generator_start(const struct port *from, const struct port *to, const struct traffic *traffic,
				  const struct sink *sink);
/* One flow after the other, that many frames in all; clock: the end at which a frame counts as arrived. */
void generator_in_order(struct generator *generator, enum bench_which clock, __u64 frames);
/* As much as is taken, flows at random; if it is a lossy one, in order. */
void generator_at_full_rate(struct generator *generator);
__u64 generator_sent(const struct generator *generator);
void generator_stop(struct generator *generator);

/* A bare program towards the target: its file descriptor. */
int bare_load(enum bare which, const struct bench_kind *kind, const struct port *out, const struct port *target);

#endif
