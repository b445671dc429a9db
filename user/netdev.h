/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel knows of interfaces, addresses, routes, neighbours and
 * sockets: the one facade before rtnetlink, generic netlink and sock_diag,
 * behind which are the netdev*.c files. All functions act on the caller's
 * network namespace; none keeps anything open or remembers anything.
 */
#ifndef XDPFWD_USER_NETDEV_H
#define XDPFWD_USER_NETDEV_H

#include "addr.h"

struct nd_link {
	unsigned int ifindex;
	char name[XF_IFNAME_LEN];
	char kind[32];	 /* IFLA_INFO_KIND: "veth", "bridge", "tun", "vlan", ...; empty for hardware */
	bool up;	 /* IFF_UP */
	bool l3;	 /* frames start at the IP header; false for loopback, which has an Ethernet header */
	bool loopback;	 /* IFF_LOOPBACK */
	bool unresolved; /* no ARP or ND here: loopback, point-to-point, "arp off" */
	uint8_t mac[6];	 /* all zero where there is none */
	unsigned int mtu;
	unsigned int master;  /* ifindex of the bridge or bond it is a port of; 0: none */
	uint32_t xdp_prog_id; /* 0: no XDP program attached (any mode); with several modes, the software one's */
	uint8_t xdp_attached; /* XDP_ATTACHED_* of linux/if_link.h */
};

/*
 * By name or alternative name (link->name is then the real one); -1 with err
 * "no interface NAME" (and what else went wrong).
 */
int nd_link_by_name(const char *name, struct nd_link *link, struct xf_error *err);
int nd_link_by_index(unsigned int ifindex, struct nd_link *link, struct xf_error *err);

/*
 * netdev genl xdp-features (kernel 6.3), NETDEV_XDP_ACT_* bits; -1 with errno
 * where the kernel does not tell (ENOENT: an older one). They change with the
 * device: a veth has ND_XDP_NDO_XMIT only while its peer takes XDP frames.
 */
#define ND_XDP_BASIC	(1u << 0)
#define ND_XDP_REDIRECT (1u << 1)
#define ND_XDP_NDO_XMIT (1u << 2)
int nd_xdp_features(unsigned int ifindex, uint64_t *features);

/* Is there a VLAN device on top of this one? 1, 0, or -1 with errno. */
int nd_vlan_exists_on(unsigned int ifindex);
/* Does the interface give frames to the kernel without their VLAN tag, and the tag beside it? 1, 0, or -1 with errno. */
int nd_tags_taken_off(const char *ifname);

/*
 * Calls fn for each unicast address of this machine, loopback's included, those
 * of interfaces that are down, tentative and deprecated ones too; a non-zero
 * return stops (and is no error).
 */
struct nd_addr {
	unsigned int ifindex;
	struct xf_address addr;
	uint8_t prefixlen;
};
int nd_addresses(int (*fn)(const struct nd_addr *addr, void *arg), void *arg, struct xf_error *err);
/* Is it an address of this machine, or in a prefix that is routed to itself (127/8)? 1, 0, or -1 with err. */
int nd_address_is_local(const struct xf_address *addr, struct xf_error *err);

struct nd_route {
	unsigned int ifindex;	   /* way out */
	struct xf_address gateway; /* family 0: the destination is on the link; of IPv4 it may be XF_IPV6 */
	struct xf_address prefsrc; /* what the kernel would send from; family 0: none */
	bool local;		   /* the destination is this machine; ifindex is then that of lo */
};
/*
 * What the kernel's own routing says for a packet to dst; -1 with err: "no route
 * to DST: ...", or "DST is a broadcast address". *route is set only on success.
 */
int nd_route_get(const struct xf_address *dst, struct nd_route *route, struct xf_error *err);

/*
 * Asks the kernel to keep a neighbour resolved (NTF_EXT_MANAGED, 5.16), or to
 * forget it. Both return 0, or -1 with err and errno; EOPNOTSUPP from managing:
 * this kernel has no managed neighbours. Nothing to do, and no error: a neighbour
 * that the user made permanent (neither call touches it), an interface where
 * nothing is resolved (nd_link.unresolved), and forgetting one that is gone.
 */
int nd_neigh_manage(unsigned int ifindex, const struct xf_address *addr, struct xf_error *err);
int nd_neigh_forget(unsigned int ifindex, const struct xf_address *addr, struct xf_error *err);

/*
 * Local sockets, those bound to lo excepted, in the order of protocol and port.
 * Waiting: TCP listeners and unconnected UDP sockets, which whoever comes
 * reaches. Connected: TCP alone. Free sockets->socket.
 */
struct nd_socket {
	uint8_t proto;		/* IPPROTO_TCP or IPPROTO_UDP */
	bool v4, v6;		/* which packets reach it */
	uint16_t port;		/* host order */
	struct xf_address addr; /* what it is bound to, a mapped IPv4 address as IPv4; family 0: any */
	uint32_t inode;
};
struct nd_sockets {
	struct nd_socket *socket;
	size_t n;
};
int nd_sockets_waiting(struct nd_sockets *sockets, struct xf_error *err);
int nd_sockets_connected(struct nd_sockets *sockets, struct xf_error *err);

/* (netdev_proc.c) A process, as far as /proc tells us: another user's may stay unknown. */
struct nd_process {
	int pid;       /* 0: not known */
	char comm[16]; /* printable */
};
/* Whose a socket is. */
void nd_process_of_socket(uint32_t inode, struct nd_process *process);
bool nd_process_has_socket(int pid, uint32_t inode);
/* Moves on to who has started it; false: nobody, or not known. */
bool nd_process_parent(struct nd_process *process);

/* net.ipv4.conf.IFACE.forwarding or net.ipv6.conf.IFACE.forwarding: 1, 0, or -1 where it cannot be read. */
int nd_forwarding(const char *ifname, uint8_t family);
/* net.ipv4.conf.IFACE.NAME: its value, or -1 where it cannot be read; and set. */
int nd_conf_get(const char *ifname, const char *name);
int nd_conf_set(const char *ifname, const char *name, int value, struct xf_error *err);
/* net.ipv4.ip_local_port_range; -1 where it cannot be read. */
int nd_ephemeral_ports(struct xf_port_range *range);

/*
 * clsact qdisc: is there one (1/0), and how many ingress and egress filters does
 * it hold, whoever made them (0 without a clsact)? -1 with errno.
 */
int nd_clsact_exists(unsigned int ifindex);
int nd_clsact_filters(unsigned int ifindex);

#endif
