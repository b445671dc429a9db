// SPDX-License-Identifier: GPL-2.0-only
#include "record_watch.h"

#include <math.h>
#include <stdio.h>

#include "when.h"

static json_t *thousandths(double n)
{
	return json_real(floor(n * 1000 + 0.5) / 1000);
}

int record_watch(json_t *record, const struct dp_rule *rule)
{
	double flows = (double)rule->flows_established + rule->flows_pending;
	json_t *watch =
		json_pack("{s:I, s:{s:I, s:I}, s:o}", "sources", (json_int_t)rule->sources, "flows", "established",
			  (json_int_t)rule->flows_established, "pending", (json_int_t)rule->flows_pending, "half_open",
			  flows > 0 ? thousandths(rule->flows_pending / flows) : json_null());
	int rc = json_object_update(record, watch);

	json_decref(watch);
	return rc;
}

const char *source_format(const struct xf_address *addr, char buf[RECORD_SOURCE_LEN])
{
	char text[XF_ENDPOINT_STRLEN];

	snprintf(buf, RECORD_SOURCE_LEN, "%.50s%s", xf_address_format(addr, text, sizeof(text)),
		 addr->family == XF_IPV6 ? "/64" : "");
	return buf;
}

json_t *record_source(const struct dp_source *s, const char *rule_name)
{
	char text[RECORD_SOURCE_LEN];

	return json_pack("{s:s?, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "rule", rule_name, "source",
			 source_format(&s->addr, text), "flows_created", (json_int_t)s->flows_created, "refused",
			 (json_int_t)s->refused, "flows", (json_int_t)s->flows, "bytes_in", (json_int_t)s->bytes_in,
			 "bytes_out", (json_int_t)s->bytes_out, "last_seen", thousandths(s->last_seen_unix));
}

json_t *record_ban(const struct dp_ban *ban, int64_t now)
{
	char net[CIDR_STRLEN], when[XF_WHEN_STRLEN];
	int64_t left = ban->until_unix > now ? ban->until_unix - now : 0;
	const char *until = ban->until_unix ? xf_when_format(ban->until_unix, when, sizeof(when)) : NULL;

	return json_pack("{s:s, s:s?, s:o, s:I}", "network", cidr_format(&ban->net, net, sizeof(net)), "expires", until,
			 "seconds_left", until ? json_integer((json_int_t)left) : json_null(), "packets",
			 (json_int_t)ban->packets);
}
