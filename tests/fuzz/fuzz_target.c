/* SPDX-License-Identifier: GPL-2.0-only */
/* TARGET: a text that is taken comes back as text that means the same; one that is refused changes nothing. */
#include "property.h"

static void taken(const char *text, const struct xf_target *t)
{
	char first[XF_ENDPOINT_STRLEN], second[XF_ENDPOINT_STRLEN];
	struct xf_listen listen;
	struct xf_target again;

	PROPERTY(t->host[0] ? !t->addr.family : t->addr.family == XF_IPV4 || t->addr.family == XF_IPV6);
	PROPERTY(!t->host[0] || !xf_host_check(t->host, NULL));
	xf_target_format(t, first, sizeof(first));
	PROPERTY(strlen(first) < sizeof(first) - 1);
	PROPERTY(!xf_target_parse(first, &again, NULL));
	PROPERTY(t->host[0] ? !strcmp(again.host, t->host) : xf_address_equal(&again.addr, &t->addr));
	PROPERTY(again.port == t->port);
	PROPERTY(!strcmp(xf_target_format(&again, second, sizeof(second)), first));

	if (t->host[0])
		return;
	/* With a port it could be listened on as well: both parsers read it alike. */
	PROPERTY(!xf_listen_parse(text, &listen, NULL) == (t->port != 0));
	PROPERTY(!t->port || (listen.ports.lo == t->port && xf_address_equal(&listen.addr, &t->addr)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = property_text(data, size);
	struct xf_target t, before;
	struct xf_error err;

	memset(&err, 0xff, sizeof(err));
	memset(&t, 0x5a, sizeof(t));
	before = t;
	if (!xf_target_parse(text, &t, &err)) {
		taken(text, &t);
	} else {
		property_error(&err);
		PROPERTY(!memcmp(&t, &before, sizeof(t)));
	}
	free(text);
	return 0;
}
