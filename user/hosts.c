// SPDX-License-Identifier: GPL-2.0-only
#include "hosts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* By name, as DNS compares them. */
static int compare(const struct host *host, const char *name, uint8_t family)
{
	int order = strcasecmp(host->name, name);

	return order ? order : (int)host->family - (int)family;
}

/* Where it is, or would have to be put. */
static size_t place(const struct hosts *hosts, const char *name, uint8_t family)
{
	size_t lo = 0, hi = hosts->n, middle;

	while (lo < hi) {
		middle = lo + (hi - lo) / 2;
		if (compare(hosts->host[middle], name, family) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

struct host *hosts_find(const struct hosts *hosts, const char *name, uint8_t family)
{
	size_t i = place(hosts, name, family);

	return i < hosts->n && !compare(hosts->host[i], name, family) ? hosts->host[i] : NULL;
}

static bool make_room(struct hosts *hosts)
{
	size_t room = hosts->room ? 2 * hosts->room : 16;
	struct host **grown;

	if (hosts->n < hosts->room)
		return true;
	grown = realloc(hosts->host, room * sizeof(struct host *));
	if (!grown)
		return false;
	hosts->host = grown;
	hosts->room = room;
	return true;
}

struct host *hosts_want(struct hosts *hosts, const char *name, uint8_t family)
{
	struct host *host = hosts_find(hosts, name, family);
	size_t i;

	if (host) {
		host->wanted = true;
		return host;
	}
	host = calloc(1, sizeof(*host));
	if (!host || !make_room(hosts)) {
		free(host);
		return NULL;
	}
	memcpy(host->name, name, strnlen(name, sizeof(host->name) - 1));
	host->family = family;
	host->wanted = true;
	i = place(hosts, name, family);
	memmove(&hosts->host[i + 1], &hosts->host[i], (hosts->n - i) * sizeof(struct host *));
	hosts->host[i] = host;
	hosts->n++;
	return host;
}

void hosts_sweep(struct hosts *hosts)
{
	size_t i, kept = 0;

	for (i = 0; i < hosts->n; i++) {
		struct host *host = hosts->host[i];

		/* Who answers has a pointer to it. */
		if (!host->wanted && !host->asking) {
			free(host);
			continue;
		}
		host->wanted = false;
		hosts->host[kept++] = host;
	}
	hosts->n = kept;
}

struct host *hosts_due(const struct hosts *hosts, int64_t now, int64_t *next)
{
	size_t i;

	*next = INT64_MAX;
	for (i = 0; i < hosts->n; i++) {
		struct host *host = hosts->host[i];

		if (host->asking)
			continue;
		if (host->next <= now)
			return host;
		if (host->next < *next)
			*next = host->next;
	}
	return NULL;
}

void hosts_free(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		free(hosts->host[i]);
	free(hosts->host);
	memset(hosts, 0, sizeof(*hosts));
}

static int64_t seconds_until_retry(uint32_t failures)
{
	int64_t wait = HOST_TTL_MIN;

	while (--failures && wait < HOST_RETRY_MAX)
		wait *= 2;
	return wait < HOST_RETRY_MAX ? wait : HOST_RETRY_MAX;
}

static bool is_among(const struct xf_address *addr, const struct resolve_answer *answer)
{
	size_t i;

	for (i = 0; i < answer->n; i++)
		if (xf_address_equal(addr, &answer->addr[i]))
			return true;
	return false;
}

enum host_news host_take(struct host *host, const struct resolve_answer *answer, int64_t now)
{
	uint32_t ttl = answer->ttl;

	if (!answer->n) {
		host->failures++;
		host->next = now + seconds_until_retry(host->failures) * 1000;
		return host->failures == 1 ? HOST_FAILED : HOST_SAME;
	}
	ttl = ttl < HOST_TTL_MIN ? HOST_TTL_MIN : ttl > HOST_TTL_MAX ? HOST_TTL_MAX : ttl;
	host->next = now + (int64_t)ttl * 1000;
	host->failures = 0;
	if (host->addr.family && is_among(&host->addr, answer))
		return HOST_SAME;
	host->addr = answer->addr[0];
	return HOST_MOVED;
}
