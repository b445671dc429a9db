// SPDX-License-Identifier: GPL-2.0-only
/*
 * synflood DEVICE MAC ADDR PORT RATE COUNT [mixed]
 *
 * Sends SYNs to ADDR:PORT from sources that do not exist, 198.18.0.0/15 or
 * 2001:db8:f000::/36, in frames for MAC: RATE a second, COUNT in all; with
 * "mixed" every other packet is a UDP datagram. Says "flowing" when a tenth is
 * out, and "done" at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <linux/if_packet.h>

#define BATCH 64

union l4 {
	struct tcphdr tcp;
	struct udphdr udp;
};

struct packet4 {
	struct iphdr ip;
	union l4 l4;
};

struct packet6 {
	struct ip6_hdr ip;
	union l4 l4;
};

struct flood {
	int fd;
	bool ipv6, mixed;
	uint8_t to[16];
	uint16_t port;
	uint32_t random;
	struct sockaddr_ll link;
};

static void die(const char *what)
{
	fprintf(stderr, "synflood: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The same numbers in each run (Numerical Recipes' generator; its upper bits are the better ones). */
static uint32_t next(struct flood *f)
{
	uint32_t high;

	f->random = f->random * 1664525u + 1013904223u;
	high = f->random & 0xffff0000u;
	f->random = f->random * 1664525u + 1013904223u;
	return high | f->random >> 16;
}

static uint32_t sum(uint32_t sum, const void *octets, size_t len)
{
	const uint8_t *p = octets;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void make_tcp(struct flood *f, struct tcphdr *tcp, uint32_t pseudo)
{
	memset(tcp, 0, sizeof(*tcp));
	tcp->source = htons((uint16_t)(1024 + next(f) % 60000));
	tcp->dest = htons(f->port);
	tcp->seq = next(f);
	tcp->doff = 5;
	tcp->syn = 1;
	tcp->window = htons(64240);
	tcp->check = fold(sum(pseudo, tcp, sizeof(*tcp)));
}

static void make_udp(struct flood *f, struct udphdr *udp, uint32_t pseudo)
{
	memset(udp, 0, sizeof(*udp));
	udp->source = htons((uint16_t)(1024 + next(f) % 60000));
	udp->dest = htons(f->port);
	udp->len = htons(sizeof(*udp));
	udp->check = fold(sum(pseudo, udp, sizeof(*udp)));
	if (!udp->check)
		udp->check = 0xffff;
}

static void make_l4(struct flood *f, union l4 *l4, int proto, uint32_t addresses)
{
	if (proto == IPPROTO_UDP)
		make_udp(f, &l4->udp, addresses + IPPROTO_UDP + sizeof(l4->udp));
	else
		make_tcp(f, &l4->tcp, addresses + IPPROTO_TCP + sizeof(l4->tcp));
}

static size_t l4_size(int proto)
{
	return proto == IPPROTO_UDP ? sizeof(struct udphdr) : sizeof(struct tcphdr);
}

static size_t make4(struct flood *f, struct packet4 *p, int proto)
{
	size_t len = sizeof(p->ip) + l4_size(proto);

	p->ip = (struct iphdr){
		.version = 4, .ihl = 5, .tot_len = htons((uint16_t)len), .ttl = 64, .protocol = (uint8_t)proto};
	p->ip.saddr = htonl(0xc6120000u | (next(f) & 0x1ffff));
	memcpy(&p->ip.daddr, f->to, 4);
	p->ip.check = fold(sum(0, &p->ip, sizeof(p->ip)));
	make_l4(f, &p->l4, proto, sum(0, &p->ip.saddr, 8));
	return len;
}

static size_t make6(struct flood *f, struct packet6 *p, int proto)
{
	uint32_t *from = p->ip.ip6_src.s6_addr32;

	memset(&p->ip, 0, sizeof(p->ip));
	p->ip.ip6_vfc = 0x60;
	p->ip.ip6_plen = htons((uint16_t)l4_size(proto));
	p->ip.ip6_nxt = (uint8_t)proto;
	p->ip.ip6_hlim = 64;
	from[0] = htonl(0x20010db8);
	from[1] = htonl(0xf0000000u | (next(f) & 0x0fffffff));
	from[3] = next(f);
	memcpy(&p->ip.ip6_dst, f->to, 16);
	make_l4(f, &p->l4, proto, sum(0, &p->ip.ip6_src, 32));
	return sizeof(p->ip) + l4_size(proto);
}

static int send_batch(struct flood *f, int n)
{
	union {
		struct packet4 v4;
		struct packet6 v6;
	} packet[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH] = {0};
	int sent = 0, rc;

	for (int i = 0; i < n; i++) {
		int proto = f->mixed && i & 1 ? IPPROTO_UDP : IPPROTO_TCP;

		iov[i].iov_base = &packet[i];
		iov[i].iov_len = f->ipv6 ? make6(f, &packet[i].v6, proto) : make4(f, &packet[i].v4, proto);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
		msg[i].msg_hdr.msg_name = &f->link;
		msg[i].msg_hdr.msg_namelen = sizeof(f->link);
	}
	while (sent < n) {
		rc = sendmmsg(f->fd, msg + sent, (unsigned int)(n - sent), 0);
		if (rc < 0 && errno != ENOBUFS && errno != EINTR)
			die("sendmmsg");
		sent += rc > 0 ? rc : 0;
	}
	return n;
}

static void wait_for(const struct timespec *begin, double seconds)
{
	struct timespec at = *begin;
	long ns = at.tv_nsec + (long)((seconds - (double)(long)seconds) * 1e9);

	at.tv_sec += (long)seconds + ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void flow(struct flood *f, long rate, long count)
{
	struct timespec begin;
	bool said = false;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long sent = 0; sent < count;) {
		sent += send_batch(f, count - sent < BATCH ? (int)(count - sent) : BATCH);
		if (!said && sent >= count / 10) {
			said = true;
			printf("flowing\n");
			fflush(stdout);
		}
		wait_for(&begin, (double)sent / (double)rate);
	}
	printf("done\n");
}

int main(int argc, char **argv)
{
	struct flood f = {.random = 1};
	const struct ether_addr *mac;

	f.mixed = argc == 8 && !strcmp(argv[7], "mixed");
	if (argc != 7 + f.mixed) {
		fprintf(stderr, "usage: synflood DEVICE MAC ADDR PORT RATE COUNT [mixed]\n");
		return 2;
	}
	mac = ether_aton(argv[2]);
	f.ipv6 = strchr(argv[3], ':') != NULL;
	if (!mac || inet_pton(f.ipv6 ? AF_INET6 : AF_INET, argv[3], f.to) != 1) {
		errno = EINVAL;
		die(mac ? argv[3] : argv[2]);
	}
	f.port = (uint16_t)atoi(argv[4]);
	f.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (f.fd < 0)
		die("socket");
	f.link.sll_family = AF_PACKET;
	f.link.sll_protocol = htons(f.ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	f.link.sll_ifindex = (int)if_nametoindex(argv[1]);
	f.link.sll_halen = 6;
	memcpy(f.link.sll_addr, mac, 6);
	if (!f.link.sll_ifindex)
		die(argv[1]);
	flow(&f, atol(argv[5]), atol(argv[6]));
	return 0;
}
