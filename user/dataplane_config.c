/* SPDX-License-Identifier: GPL-2.0-only */
/* An instance's settings: sizes by the machine's memory, time-outs by the RFCs, ports clear of the host's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "dataplane_int.h"

#define DEFAULT_PORT_LO 16384
#define DEFAULT_PORT_HI 32767
#define FIRST_PORT	1025
#define LEAST_PORTS	4096

/* A flow is some 400 octets of kernel memory over all maps, whether used or not. */
static __u32 default_max_flows(void)
{
	const unsigned long long gib = 1ULL << 30;
	unsigned long long memory;
	struct sysinfo si;

	if (sysinfo(&si))
		return 16384;
	/* What the firmware kept for itself is missing from the total. */
	memory = (unsigned long long)si.totalram * si.mem_unit;
	if (memory <= gib)
		return 16384;
	return memory <= 4 * gib ? 65536 : DP_DEFAULT_MAX_FLOWS;
}

/* The kernel's tick: the coarse clock advances by one jiffy. */
static __u32 kernel_hz(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) || !res.tv_nsec)
		return 250;
	return (__u32)((1000000000L + res.tv_nsec / 2) / res.tv_nsec);
}

static void describe_ports(struct xf_port_range ports, char buf[16])
{
	snprintf(buf, 16, "%u-%u", ports.lo, ports.hi);
}

/* The wider of the stretches below and above the ephemeral ports, as wide as the default at most. */
static int ports_beside(struct xf_port_range ephemeral, struct xf_port_range *ports, struct xf_error *err)
{
	const __u32 want = DEFAULT_PORT_HI - DEFAULT_PORT_LO + 1;
	__u32 below = ephemeral.lo > FIRST_PORT ? ephemeral.lo - FIRST_PORT : 0;
	__u32 above = 65535u - ephemeral.hi;
	__u32 n = below >= above ? below : above;
	char text[16];

	describe_ports(ephemeral, text);
	if (n < LEAST_PORTS)
		return xf_fail(err,
			       "net.ipv4.ip_local_port_range %s leaves no %u ports in a row for masquerading; make it "
			       "narrower",
			       text, LEAST_PORTS);
	if (n > want)
		n = want;
	if (below >= above)
		*ports = (struct xf_port_range){.lo = (__u16)(ephemeral.lo - n), .hi = (__u16)(ephemeral.lo - 1)};
	else
		*ports = (struct xf_port_range){.lo = (__u16)(ephemeral.hi + 1), .hi = (__u16)(ephemeral.hi + n)};
	return 0;
}

/* A port that the host itself may connect from must not be handed out: its replies would be taken for ours. */
static int choose_ports(struct xf_port_range asked, struct xf_config *config, struct xf_error *err)
{
	struct xf_port_range ports = asked.lo ? asked : (struct xf_port_range){DEFAULT_PORT_LO, DEFAULT_PORT_HI};
	struct xf_port_range ephemeral;
	char ours[16], theirs[16];

	if (!nd_ephemeral_ports(&ephemeral) && xf_ports_overlap(ports, ephemeral)) {
		if (asked.lo) {
			describe_ports(asked, ours);
			describe_ports(ephemeral, theirs);
			return xf_fail(err,
				       "masquerade ports %s overlap net.ipv4.ip_local_port_range %s, from which this "
				       "machine's own connections come",
				       ours, theirs);
		}
		if (ports_beside(ephemeral, &ports, err))
			return -1;
	}
	config->port_lo = ports.lo;
	config->port_hi = ports.hi;
	return 0;
}

static void choose_timeouts(const struct dp_load_options *options, struct xf_config *config)
{
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (options->timeout[i])
			config->timeout[i] = options->timeout[i] * config->hz;
}

int dp_config_make(const struct dp_load_options *options, struct xf_config *config, struct xf_error *err)
{
	__u32 hz = kernel_hz();

	*config = (struct xf_config){
		.abi = XF_ABI_VERSION,
		.set = 1,
		.hz = hz,
		.flags = XF_CONFIG_NO_BANS | (options->no_auto_attach ? XF_CONFIG_NO_AUTO_ATTACH : 0),
		.max_rules = options->max_rules ? options->max_rules : DP_DEFAULT_MAX_RULES,
		.max_flows = options->max_flows ? options->max_flows : default_max_flows(),
		.route_ttl = hz,
		.timeout[XF_TIMEOUT_UDP_PENDING] = 30 * hz,
		.timeout[XF_TIMEOUT_UDP] = 300 * hz,
		.timeout[XF_TIMEOUT_TCP_TRANSITORY] = 240 * hz,
		.timeout[XF_TIMEOUT_TCP_ESTABLISHED] = 7440 * hz,
		.netns = dp_netns(),
	};
	if (getrandom(config->secret, sizeof(config->secret), 0) != (ssize_t)sizeof(config->secret) ||
	    getrandom(&config->port_secret, sizeof(config->port_secret), 0) != (ssize_t)sizeof(config->port_secret))
		return xf_fail(err, "the kernel has no random numbers: %s", strerror(errno));
	if (config->max_rules > DP_MAX_RULES_LIMIT)
		return xf_fail(err, "--max-rules %u is more than %u", config->max_rules, DP_MAX_RULES_LIMIT);
	if (config->max_flows > DP_MAX_FLOWS_LIMIT)
		return xf_fail(err, "--max-flows %u is more than %u", config->max_flows, DP_MAX_FLOWS_LIMIT);
	snprintf(config->version, sizeof(config->version), "%s", XF_VERSION);
	choose_timeouts(options, config);
	return choose_ports(options->masquerade_ports, config, err);
}

int dp_config_update(const struct dp_load_options *options, struct xf_config *config, struct xf_error *err)
{
	if (options->max_rules && options->max_rules != config->max_rules)
		return xf_fail(err,
			       "the data plane has room for %u rules; to change that, run `xdpfwd unload --all` first",
			       config->max_rules);
	if (options->max_flows && options->max_flows != config->max_flows)
		return xf_fail(err,
			       "the data plane has room for %u flows; to change that, run `xdpfwd unload --all` first",
			       config->max_flows);
	if (options->no_auto_attach)
		config->flags |= XF_CONFIG_NO_AUTO_ATTACH;
	memset(config->version, 0, sizeof(config->version));
	snprintf(config->version, sizeof(config->version), "%s", XF_VERSION);
	choose_timeouts(options, config);
	return options->masquerade_ports.lo ? choose_ports(options->masquerade_ports, config, err) : 0;
}
