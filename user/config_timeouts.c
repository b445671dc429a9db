// SPDX-License-Identifier: GPL-2.0-only
/* timeout: a mapping, or a text as on the command line. */
#include <stdio.h>
#include <string.h>

#include "config_int.h"
#include "timeouts.h"

/* As if "udp=60s" had been written. */
static bool take_one(struct reader *r, const char *name, uint32_t node, uint32_t timeout[XF_TIMEOUT_COUNT])
{
	const char *text = config_text(r, node);
	struct xf_error err;
	char both[160];

	if (!text)
		return false;
	snprintf(both, sizeof(both), "%s=%.120s", name, text);
	if (!strchr(text, ',') && !xf_timeouts_parse(both, timeout, &err))
		return true;
	config_blame(r, node, "%s", strchr(text, ',') ? "only one duration belongs here" : err.text);
	return false;
}

static bool take_map(struct reader *r, uint32_t node, uint32_t timeout[XF_TIMEOUT_COUNT])
{
	const char *keys[XF_TIMEOUT_COUNT];
	struct map_kind kind = {"timeout", keys, XF_TIMEOUT_COUNT};
	struct slot slots[XF_TIMEOUT_COUNT];
	bool good = true;
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		keys[i] = xf_timeout_name((enum xf_timeout)i);
	if (!config_map(r, node, &kind, slots))
		return false;
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (slots[i].key)
			good &= take_one(r, keys[i], slots[i].value, timeout);
	return good;
}

bool config_timeouts(struct reader *r, uint32_t node, uint32_t timeout[XF_TIMEOUT_COUNT])
{
	struct xf_error err;
	const char *text;

	if (r->doc.node[doc_resolve(&r->doc, node)].kind == DOC_MAP)
		return take_map(r, node, timeout);
	text = config_text(r, node);
	if (!text)
		return false;
	if (!xf_timeouts_parse(text, timeout, &err))
		return true;
	config_blame(r, node, "%s", err.text);
	return false;
}
