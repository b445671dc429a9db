/* SPDX-License-Identifier: GPL-2.0-only */
/* LISTEN: a text that is taken comes back as text that means the same; one that is refused changes nothing. */
#include "property.h"

static void taken(const struct xf_listen *l)
{
	char first[XF_ENDPOINT_STRLEN], second[XF_ENDPOINT_STRLEN];
	struct xf_listen again;

	PROPERTY(l->ports.lo >= 1 && l->ports.lo <= l->ports.hi);
	PROPERTY((l->kind == XF_LISTEN_ADDR) == (l->addr.family != 0));
	PROPERTY((l->kind == XF_LISTEN_IFACE) == (l->ifname[0] != '\0'));

	/* Shorter than the buffer, so nothing was cut off. */
	xf_listen_format(l, first, sizeof(first));
	PROPERTY(strlen(first) < sizeof(first) - 1);
	PROPERTY(!xf_listen_parse(first, &again, NULL));
	PROPERTY(again.kind == l->kind);
	PROPERTY(xf_address_equal(&again.addr, &l->addr));
	PROPERTY(!strcmp(again.ifname, l->ifname));
	PROPERTY(again.ports.lo == l->ports.lo && again.ports.hi == l->ports.hi);
	PROPERTY(!strcmp(xf_listen_format(&again, second, sizeof(second)), first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = property_text(data, size);
	struct xf_listen l, before;
	struct xf_error err;

	memset(&err, 0xff, sizeof(err));
	memset(&l, 0x5a, sizeof(l));
	before = l;
	if (!xf_listen_parse(text, &l, &err)) {
		taken(&l);
	} else {
		property_error(&err);
		PROPERTY(!memcmp(&l, &before, sizeof(l)));
	}
	free(text);
	return 0;
}
