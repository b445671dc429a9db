// SPDX-License-Identifier: GPL-2.0-only
/* ban: sources that no rule takes traffic from; ban list shows them, ban lift ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cidr.h"
#include "cmd.h"
#include "dataplane.h"
#include "duration.h"
#include "netdev.h"
#include "record_watch.h"
#include "session.h"

static const char *duration;
static bool force;

static const struct opt options[] = {
	{"for", "DURATION", "how long: 30s, 10m, 2h, 7d; default: for good", OPT_TEXT, &duration, 0, 0},
	{"force", NULL, "even if that is everybody, this machine, or where you work from", OPT_FLAG, &force, 0, 0},
	CMD_OPT_JSON,
	{0},
};

static const struct opt_command command = {
	.name = "ban",
	.operands = "CIDR...|list|lift CIDR...",
	.about = "Bans networks or addresses: rules refuse their packets (reason \"banned\"), and the\n"
		 "connections that they have are ended. All those named, or none if one of them cannot be.\n\n"
		 "  list           shows who is banned, until when, and how many packets were refused\n"
		 "  lift CIDR...   ends bans, as they are listed\n\n"
		 "Bans end by themselves, with no process running. A wider one holds for the networks in\n"
		 "it as well, whatever becomes of theirs.",
	.example = "  xdpfwd ban 198.51.100.7 --for 1h\n"
		   "  xdpfwd ban list\n"
		   "  xdpfwd ban lift 198.51.100.7",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
};

static const struct out_column columns[] = {
	{"NETWORK", "network", NULL, OUT_TEXT},
	{"LEFT", "seconds_left", NULL, OUT_SECONDS},
	{"EXPIRES", "expires", NULL, OUT_TEXT},
	{"REFUSED", "packets", NULL, OUT_COUNT},
	{0},
};

/* ---- what may not be banned by mistake */

struct own {
	const struct cidr *net;
	struct xf_address found;
};

static int find_own(const struct nd_addr *addr, void *arg)
{
	struct own *own = arg;

	if (!cidr_contains(own->net, &addr->addr))
		return 0;
	own->found = addr->addr;
	return 1;
}

static int judge(const struct cidr *net, struct xf_error *err)
{
	char text[CIDR_STRLEN], addr[XF_ENDPOINT_STRLEN];
	struct own own = {.net = net};
	struct xf_address client;

	cidr_format(net, text, sizeof(text));
	if (!net->bits)
		return xf_fail(err, "%s is everybody; add --force if that is what you want", text);
	if (session_client(&client) && cidr_contains(net, &client))
		return xf_fail(err, "%s has %s in it, from where you are connected by SSH; add --force to ban it", text,
			       xf_address_format(&client, addr, sizeof(addr)));
	if (nd_addresses(find_own, &own, err) < 0)
		return -1;
	if (own.found.family)
		return xf_fail(err, "%s has %s in it, an address of this machine; add --force to ban it", text,
			       xf_address_format(&own.found, addr, sizeof(addr)));
	return 0;
}

/* ---- ban */

static int ban_all(struct dataplane *dp, const struct dp_ban_request *r, struct xf_error *err)
{
	char text[CIDR_STRLEN], length[64] = "good";
	uint32_t ended;
	size_t i;

	for (i = 0; i < r->n && !force; i++)
		if (judge(&r->nets[i], err))
			return -1;
	if (dp_ban(dp, r, &ended, err))
		return -1;
	if (r->seconds)
		xf_duration_format(r->seconds, length, sizeof(length));
	for (i = 0; i < r->n; i++)
		printf("banned %s for %s\n", cidr_format(&r->nets[i], text, sizeof(text)), length);
	if (ended)
		printf("ended %u connection%s\n", ended, ended == 1 ? "" : "s");
	return 0;
}

/* ---- ban lift */

/* Is it banned, as such? Else err says what is. */
static int find_ban(const struct dp_ban *bans, size_t n, const struct cidr *net, struct xf_error *err)
{
	char text[CIDR_STRLEN], wider[CIDR_STRLEN];
	size_t i;

	for (i = 0; i < n; i++)
		if (!cidr_compare(&bans[i].net, net))
			return 0;
	cidr_format(net, text, sizeof(text));
	for (i = 0; i < n; i++)
		if (bans[i].net.bits < net->bits && cidr_contains(&bans[i].net, &net->addr))
			return xf_fail(err, "%s is not banned by itself but with %s; lift that", text,
				       cidr_format(&bans[i].net, wider, sizeof(wider)));
	return xf_fail(err, "%s is not banned; see `xdpfwd ban list`", text);
}

static int lift_all(struct dataplane *dp, const struct dp_ban_request *r, struct xf_error *err)
{
	char text[CIDR_STRLEN];
	struct dp_ban *bans;
	size_t n, i;
	int rc = 0;

	if (dp_bans(dp, &bans, &n, err))
		return -1;
	for (i = 0; i < r->n && !rc; i++)
		rc = find_ban(bans, n, &r->nets[i], err);
	free(bans);
	for (i = 0; i < r->n && !rc; i++) {
		rc = dp_ban_lift(dp, &r->nets[i], err);
		if (!rc)
			printf("lifted the ban on %s\n", cidr_format(&r->nets[i], text, sizeof(text)));
	}
	return rc;
}

/* ---- ban list */

static int list(struct dataplane *dp, const struct dp_ban_request *r, struct xf_error *err)
{
	json_t *array = json_array();
	struct dp_ban *bans;
	size_t n, i;

	(void)r;
	if (dp_bans(dp, &bans, &n, err)) {
		json_decref(array);
		return -1;
	}
	for (i = 0; i < n && array; i++) {
		if (!json_array_append_new(array, record_ban(&bans[i], time(NULL))))
			continue;
		json_decref(array);
		array = NULL;
	}
	free(bans);
	return out_records(array, columns) == CMD_DONE ? 0 : xf_fail(err, "not enough memory");
}

/* ---- the command line */

static int parse_nets(int argc, char **argv, struct dp_ban_request *r, struct xf_error *err)
{
	struct cidr *nets = calloc((size_t)argc + 1, sizeof(*nets));
	int i;

	r->nets = nets;
	if (!nets)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < argc; i++)
		if (cidr_parse_network(argv[i], &nets[i], err))
			return -1;
	r->n = (size_t)argc;
	return 0;
}

static const struct verb {
	const char *word; /* NULL: a network */
	int (*run)(struct dataplane *dp, const struct dp_ban_request *r, struct xf_error *err);
	bool writes;
} verbs[] = {{"list", list, false}, {"lift", lift_all, true}, {NULL, ban_all, true}};

/* Operands and options that belong together. */
static int parse(const struct verb *verb, int argc, char **argv, struct dp_ban_request *r, struct xf_error *err)
{
	if (verb->word && (duration || force))
		return xf_fail(err, "%s takes neither --for nor --force", verb->word);
	if (out_is_json && verb->writes)
		return xf_fail(err, "--json is for list");
	if (!verb->writes && argc)
		return xf_fail(err, "list: %.80s is too much", argv[0]);
	if (verb->writes && !argc)
		return xf_fail(err, "lift: the network is missing");
	if (duration && xf_duration_parse(duration, &r->seconds, err))
		return -1;
	return parse_nets(argc, argv, r, err);
}

static int run(const char *state, const struct verb *verb, const struct dp_ban_request *r)
{
	struct dataplane *dp;
	struct xf_error err;
	int ret;

	if (dp_open(&dp, state, verb->writes, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = verb->run(dp, r, &err);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}

int cmd_ban(const char *state, int argc, char **argv)
{
	const struct verb *verb = verbs;
	struct dp_ban_request r = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	while (verb->word && strcmp(verb->word, argv[0]))
		verb++;
	if (verb->word) {
		argc--;
		argv++;
	}
	if (parse(verb, argc, argv, &r, &err) < 0)
		ret = cmd_misuse(&command, &err);
	else
		ret = run(state, verb, &r);
	free((void *)r.nets);
	return ret;
}
