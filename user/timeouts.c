// SPDX-License-Identifier: GPL-2.0-only
#include "timeouts.h"

#include <string.h>

#include "duration.h"

static const struct {
	const char *name;
	uint8_t proto;
} names[XF_TIMEOUT_COUNT] = {
	[XF_TIMEOUT_UDP_PENDING] = {"udp-pending", XF_PROTO_UDP},
	[XF_TIMEOUT_UDP] = {"udp", XF_PROTO_UDP},
	[XF_TIMEOUT_TCP_TRANSITORY] = {"tcp-transitory", XF_PROTO_TCP},
	[XF_TIMEOUT_TCP_ESTABLISHED] = {"tcp", XF_PROTO_TCP},
};

const char *xf_timeout_name(enum xf_timeout timeout)
{
	return (unsigned int)timeout < XF_TIMEOUT_COUNT ? names[timeout].name : "?";
}

uint8_t xf_timeout_proto(enum xf_timeout timeout)
{
	return (unsigned int)timeout < XF_TIMEOUT_COUNT ? names[timeout].proto : 0;
}

static int find_name(const char *name, size_t len)
{
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return i;
	return -1;
}

/* One NAME=DURATION, which ends with the text or with a comma. */
static int take_one(const char *text, size_t len, uint32_t seconds[XF_TIMEOUT_COUNT], struct xf_error *err)
{
	const char *equals = memchr(text, '=', len);
	int which = equals ? find_name(text, (size_t)(equals - text)) : -1;
	char duration[64];
	struct xf_error why;
	uint64_t value;

	if (which < 0)
		return xf_fail(
			err,
			"%.*s is not NAME=DURATION with a NAME of udp, udp-pending, tcp or tcp-transitory: write it "
			"as in udp=60s",
			len ? (int)(len < 80 ? len : 80) : 2, len ? text : "\"\"");
	if (seconds[which])
		return xf_fail(err, "%s is given twice", names[which].name);
	len -= (size_t)(++equals - text);
	if (len >= sizeof(duration))
		return xf_fail(err, "%s=%.60s... is too long to be a duration", names[which].name, equals);
	memcpy(duration, equals, len);
	duration[len] = '\0';
	if (xf_duration_parse(duration, &value, &why))
		return xf_fail(err, "%s: %s", names[which].name, why.text);
	if (value > XF_TIMEOUT_MAX_DAYS * 86400)
		return xf_fail(err, "%s: %s is too long: at most %dd", names[which].name, duration,
			       XF_TIMEOUT_MAX_DAYS);
	seconds[which] = (uint32_t)value;
	return 0;
}

int xf_timeouts_parse(const char *text, uint32_t out[XF_TIMEOUT_COUNT], struct xf_error *err)
{
	uint32_t seconds[XF_TIMEOUT_COUNT] = {0};
	size_t len;
	int i;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (take_one(text, len, seconds, err))
			return -1;
		if (!text[len])
			break;
	}
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (seconds[i])
			out[i] = seconds[i];
	return 0;
}
