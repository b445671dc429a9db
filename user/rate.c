// SPDX-License-Identifier: GPL-2.0-only
#include "rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "xdpfwd/policy.h"

/* A bucket that takes longer to fill is a mistake, and more than its clock can say. */
#define FILL_MAX (366 * (uint64_t)86400)

static int refuse(const char *text, struct xf_error *err)
{
	return xf_fail(err,
		       "%.80s is not a rate: write N/UNIT as in 20/s, 100/min, 5/h or 10/d, with ,burst=N after it for "
		       "another burst than N",
		       *text ? text : "\"\"");
}

/* A number from 1 on, of so many characters. */
static int count_parse(const char *text, size_t len, uint32_t *out, struct xf_error *err)
{
	char number[16];

	if (!len || len >= sizeof(number))
		return xf_fail(err, "%.80s is not a number from 1 to %u", *text ? text : "\"\"", XF_RATE_MAX);
	memcpy(number, text, len);
	number[len] = '\0';
	return xf_u32_parse(number, 1, XF_RATE_MAX, out, err);
}

static int burst_parse(const char *text, const char *burst, struct xf_rate *rate, struct xf_error *err)
{
	static const char key[] = "burst=";
	struct xf_error why;
	uint64_t fill;

	if (strncmp(burst, key, strlen(key)))
		return refuse(text, err);
	burst += strlen(key);
	if (count_parse(burst, strlen(burst), &rate->burst, &why))
		return xf_fail(err, "%.80s: %s", text, why.text);
	fill = (uint64_t)rate->burst * rate->unit / rate->count;
	if (fill > FILL_MAX)
		return xf_fail(err, "%.80s: a burst of %u would take %" PRIu64 " days to save up; write a smaller one",
			       text, rate->burst, fill / 86400);
	return 0;
}

int xf_rate_parse(const char *text, struct xf_rate *out, struct xf_error *err)
{
	const char *slash = strchr(text, '/'), *comma = strchr(text, ',');
	struct xf_rate rate = {0};
	struct xf_error why;
	const char *unit;

	if (!slash || (comma && comma < slash))
		return refuse(text, err);
	unit = slash + 1;
	rate.unit = xf_unit_parse(unit, comma ? (size_t)(comma - unit) : strlen(unit));
	if (!rate.unit)
		return refuse(text, err);
	if (count_parse(text, (size_t)(slash - text), &rate.count, &why))
		return xf_fail(err, "%.80s: %s", text, why.text);
	if (comma && burst_parse(text, comma + 1, &rate, err))
		return -1;
	*out = rate;
	return 0;
}

const char *xf_rate_format(const struct xf_rate *rate, char *buf, size_t len)
{
	char burst[24] = "";

	if (rate->burst)
		snprintf(burst, sizeof(burst), ",burst=%u", rate->burst);
	if (rate->count)
		snprintf(buf, len, "%u/%s%s", rate->count, xf_unit_name(rate->unit), burst);
	else if (len)
		*buf = '\0';
	return buf;
}

void xf_rate_bucket(const struct xf_rate *rate, uint32_t hz, __u64 *cost, __u64 *burst)
{
	*cost = *burst = 0;
	if (!rate->count)
		return;
	*cost = (XF_TICKS_PER_JIFFY * hz * rate->unit + rate->count / 2) / rate->count;
	if (!*cost)
		*cost = 1;
	*burst = *cost * (rate->burst ? rate->burst : rate->count);
}
