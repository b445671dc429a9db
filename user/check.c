// SPDX-License-Identifier: GPL-2.0-only
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

#define ALMOST 9 / 10 /* of a limit: time to say so */

struct check {
	const char *id;
	char subject[XF_NAME_LEN + XF_IFNAME_LEN];
	const char *result;
	char message[200];
	char remedy[200]; /* empty: none */
};

static const char ok[] = "ok", warning[] = "warning", failure[] = "failure";

static void say(char *to, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *to, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(to, room, format, args);
	va_end(args);
}

#define SAY(field, ...) say((field), sizeof(field), __VA_ARGS__)

static struct check begin(const char *id, const char *subject)
{
	struct check c = {.id = id, .result = ok};

	SAY(c.subject, "%s", subject);
	return c;
}

/* A check that found memory short shows as a missing one; check_judge counts them. */
static int add(json_t *checks, const struct check *c)
{
	return json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "id", c->id, "subject", c->subject,
						       "result", c->result, "message", c->message, "remedy",
						       *c->remedy ? c->remedy : NULL));
}

/* ---- the instance */

static int add_interfaces(json_t *checks, const struct check_input *in)
{
	struct check none = begin("interfaces", "instance");
	char name[4 * XF_IFNAME_LEN];
	size_t i;
	int rc = 0;

	for (i = 0; i < in->status->n_ifaces; i++) {
		const struct dp_iface *iface = &in->status->ifaces[i];
		struct check c = begin("tier", text_scrub(iface->name, name, sizeof(name)));

		SAY(c.message, "%s tier: %s", dp_tier_name(iface->tier), iface->reason);
		if (iface->tier == XF_TIER_GENERIC) {
			c.result = warning;
			SAY(c.remedy, "xdpfwd load %.15s --mode tc is as fast, and sees packets as they are", name);
		}
		rc |= add(checks, &c);
	}
	if (in->status->n_ifaces)
		return rc;
	none.result = failure;
	SAY(none.message, "no interface is attached, so nothing is forwarded");
	SAY(none.remedy, "xdpfwd load IFACE");
	return add(checks, &none);
}

static bool any_rule_forwards(const struct check_input *in, uint8_t family)
{
	size_t i;

	for (i = 0; i < in->n_rules; i++)
		if (!in->rules[i]->local && in->rules[i]->spec.target.addr.family == family)
			return true;
	return false;
}

/* The kernel's routing look-up refuses to lead through an interface that does not forward. */
static int add_forwarding(json_t *checks, const struct check_input *in, uint8_t family)
{
	int version = family == XF_IPV6 ? 6 : 4, on, rc = 0;
	char name[4 * XF_IFNAME_LEN];
	size_t i;

	for (i = 0; any_rule_forwards(in, family) && i < in->status->n_ifaces; i++) {
		struct check c = begin("forwarding", "");

		on = family == XF_IPV6 ? in->forwarding[i].ipv6 : in->forwarding[i].ipv4;
		if (on < 0)
			continue;
		text_scrub(in->status->ifaces[i].name, name, sizeof(name));
		SAY(c.subject, "%.15s IPv%d", name, version);
		SAY(c.message, "the kernel %s IPv%d from here", on ? "forwards" : "does not forward", version);
		if (!on) {
			c.result = failure;
			SAY(c.remedy, "sysctl -w net.ipv%d.conf.%.15s.forwarding=1", version, name);
		}
		rc |= add(checks, &c);
	}
	return rc;
}

static int add_rules_limit(json_t *checks, const struct dp_status *status)
{
	struct check c = begin("rules-limit", "instance");

	SAY(c.message, "%" PRIu32 " of %" PRIu32 " rules", status->rules, status->max_rules);
	if (status->rules >= (uint64_t)status->max_rules * ALMOST) {
		c.result = warning;
		SAY(c.remedy, "load with a larger --max-rules before there are more");
	}
	return add(checks, &c);
}

static uint64_t refused(const struct check_input *in, enum xf_reason reason)
{
	uint64_t sum = in->status->drops[reason];
	size_t i;

	for (i = 0; i < in->n_rules; i++)
		sum += in->rules[i]->drops[reason];
	return sum;
}

static int add_flow_table(json_t *checks, const struct check_input *in)
{
	const struct dp_status *status = in->status;
	uint64_t turned_away = refused(in, XF_REASON_FLOW_TABLE_FULL);
	struct check c = begin("flow-table", "instance");

	SAY(c.message, "%" PRIu64 " established flows in %" PRIu32 " places; %" PRIu64 " newcomers found no room",
	    status->flows_established, status->max_flows, turned_away);
	if (status->flows_established >= status->max_flows)
		c.result = failure;
	else if (turned_away || status->flows_established >= (uint64_t)status->max_flows * ALMOST)
		c.result = warning;
	if (c.result != ok)
		SAY(c.remedy, "load with a larger --max-flows, or limit rules with --max-flows-per-source");
	return add(checks, &c);
}

/* ---- rules, one by one */

/* What a rule's refusals say of it: nothing is added where it has none. */
static const struct complaint {
	const char *id;
	enum xf_reason reason;
	const char *what; /* "N packets: WHAT" */
	const char *remedy;
} complaints[] = {
	{"masquerade-ports", XF_REASON_PORTS_EXHAUSTED, "no masquerade port was free towards the target",
	 "load with a wider --masquerade-ports, or let the target see clients with --source preserve"},
	{"max-flows", XF_REASON_MAX_FLOWS, "the rule had as many flows as its --max-flows",
	 "raise --max-flows, or keep single sources short with --max-flows-per-source"},
	{"route", XF_REASON_NO_ROUTE, "the routing table had no way to the target", "ip route get TARGET tells why"},
	{"neighbour", XF_REASON_NO_NEIGHBOUR, "the next hop did not answer ARP or ND",
	 "is the target up, and its address in the right subnet? See ip neigh"},
	{"flow-conflict", XF_REASON_FLOW_CONFLICT, "another rule forwards the same client port to the same target",
	 "give the two rules different targets or ports, or --source masquerade"},
	{"redirect", XF_REASON_REDIRECT_FAILED, "the kernel refused to send the rewritten packet",
	 "ip -s link shows whether the way out drops; load it with --mode tc"},
};

static int add_complaints(json_t *checks, const struct dp_rule *rule)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < sizeof(complaints) / sizeof(*complaints); i++) {
		const struct complaint *complaint = &complaints[i];
		struct check c = begin(complaint->id, rule->spec.name);

		if (!rule->drops[complaint->reason])
			continue;
		c.result = warning;
		SAY(c.message, "%" PRIu64 " packets: %s", rule->drops[complaint->reason], complaint->what);
		SAY(c.remedy, "%s", complaint->remedy);
		rc |= add(checks, &c);
	}
	return rc;
}

static int add_door(json_t *checks, const struct dp_rule *rule)
{
	struct check c = begin("rule", rule->spec.name);

	SAY(c.message, "%s", rule->spec.disabled ? "disabled" : "takes newcomers");
	if (rule->expired) {
		c.result = warning;
		SAY(c.message, "closed, since its time is over");
		SAY(c.remedy, "xdpfwd map del %s, or add it again with a later --expires", rule->spec.name);
	}
	return add(checks, &c);
}

/* Nothing ever came back: no TCP target does so, whatever it thinks of its clients. UDP can be a one-way street. */
static int add_replies(json_t *checks, const struct dp_rule *rule)
{
	struct check c = begin("replies", rule->spec.name);
	char target[XF_ENDPOINT_STRLEN];

	SAY(c.message, "%" PRIu64 " packets to the target, %" PRIu64 " back", rule->packets_in, rule->packets_out);
	if (rule->packets_in && !rule->packets_out) {
		xf_address_format(&rule->spec.target.addr, target, sizeof(target));
		c.result = rule->spec.protos == XF_PROTO_UDP ? warning : failure;
		if (rule->masquerade.first.family)
			SAY(c.remedy, "is %s up, and does its firewall let this machine in?", target);
		else
			SAY(c.remedy,
			    "%s must be up and send its answers through this machine; else --source masquerade",
			    target);
	}
	return add(checks, &c);
}

/* As far as `run` asks it; nobody else does. */
static int add_target(json_t *checks, const struct dp_rule *rule)
{
	struct check c = begin("target", rule->spec.name);
	char target[XF_ENDPOINT_STRLEN];

	if (rule->health == DP_HEALTH_UNKNOWN)
		return 0;
	xf_target_format(&rule->spec.target, target, sizeof(target));
	SAY(c.message, "%.111s %s", target, rule->health == DP_HEALTH_UP ? "answers" : "does not answer");
	if (rule->health != DP_HEALTH_UP) {
		c.result = failure;
		SAY(c.remedy, "is %.111s up, and does something listen there?", target);
	}
	return add(checks, &c);
}

static int add_rule(json_t *checks, const struct dp_rule *rule)
{
	return add_door(checks, rule) | add_target(checks, rule) | add_replies(checks, rule) |
	       add_complaints(checks, rule);
}

/* ---- all of it */

json_t *check_judge(const struct check_input *in)
{
	json_t *checks = json_array();
	int rc = checks ? 0 : -1;
	size_t i;

	if (!rc)
		rc = add_interfaces(checks, in) | add_forwarding(checks, in, XF_IPV4) |
		     add_forwarding(checks, in, XF_IPV6) | add_rules_limit(checks, in->status) |
		     add_flow_table(checks, in);
	for (i = 0; !rc && i < in->n_rules; i++)
		rc = add_rule(checks, in->rules[i]);
	if (!rc)
		return checks;
	json_decref(checks);
	return NULL;
}

bool check_failed(const json_t *checks)
{
	const json_t *c;
	size_t i;

	json_array_foreach(checks, i, c)
		if (!strcmp(json_string_value(json_object_get(c, "result")), failure))
			return true;
	return false;
}
