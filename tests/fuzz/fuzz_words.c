/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations, rates, dates and timeouts. The first octet chooses which. What is
 * taken comes back as text that means the same; what is refused changes nothing.
 */
#include "property.h"

#include <time.h>

#include "duration.h"
#include "rate.h"
#include "timeouts.h"
#include "when.h"
#include "xdpfwd/policy.h"

#define NOW 1800000000

static bool try_duration(const char *text, struct xf_error *err)
{
	uint64_t seconds = 77, again;
	char buf[64];

	if (xf_duration_parse(text, &seconds, err)) {
		PROPERTY(seconds == 77);
		return false;
	}
	PROPERTY(seconds >= 1 && seconds <= XF_DURATION_MAX);
	PROPERTY(!xf_duration_parse(xf_duration_format(seconds, buf, sizeof(buf)), &again, NULL));
	PROPERTY(again == seconds);
	return true;
}

static bool try_rate(const char *text, struct xf_error *err)
{
	struct xf_rate rate = {7, 7, 7}, again;
	char buf[XF_RATE_STRLEN];
	__u64 cost, burst;
	uint32_t hz;

	if (xf_rate_parse(text, &rate, err)) {
		PROPERTY(rate.count == 7 && rate.unit == 7 && rate.burst == 7);
		return false;
	}
	PROPERTY(!xf_rate_parse(xf_rate_format(&rate, buf, sizeof(buf)), &again, NULL));
	PROPERTY(!memcmp(&rate, &again, sizeof(rate)));
	for (hz = 100; hz <= 1000; hz += 450) {
		xf_rate_bucket(&rate, hz, &cost, &burst);
		PROPERTY(cost && burst >= cost && burst / cost == (rate.burst ? rate.burst : rate.count));
		/* Added to a clock that has run for a hundred years, it is still no overflow. */
		PROPERTY(burst < 1ull << 62);
	}
	return true;
}

static bool try_when(const char *text, struct xf_error *err)
{
	struct xf_when when = {.at = 77};
	char buf[XF_WHEN_STRLEN];

	if (xf_when_parse(text, NOW, &when, err)) {
		PROPERTY(when.at == 77);
		return false;
	}
	PROPERTY(when.at > NOW);
	PROPERTY(xf_when_read(xf_when_format(when.at, buf, sizeof(buf))) == when.at || when.at > 253402300799);
	return true;
}

static bool try_timeouts(const char *text, struct xf_error *err)
{
	static const uint32_t before[XF_TIMEOUT_COUNT] = {5, 5, 5, 5};
	uint32_t seconds[XF_TIMEOUT_COUNT];
	int i;

	memcpy(seconds, before, sizeof(seconds));
	if (xf_timeouts_parse(text, seconds, err)) {
		PROPERTY(!memcmp(seconds, before, sizeof(seconds)));
		return false;
	}
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		PROPERTY(seconds[i] >= 1 && seconds[i] <= XF_TIMEOUT_MAX_DAYS * 86400);
	return true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A place whose clocks change, written out: no file of time zones is read. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const tries[])(const char *, struct xf_error *) = {try_duration, try_rate, try_when,
									 try_timeouts};
	struct xf_error err;
	char *text;

	if (!size)
		return 0;
	text = property_text(data + 1, size - 1);
	memset(&err, 0xff, sizeof(err));
	if (!tries[data[0] % 4](text, &err))
		property_error(&err);
	free(text);
	return 0;
}
