/* SPDX-License-Identifier: GPL-2.0-only */
#include "configs.h"

const char *file_text;

static int read_file(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	if (!strcmp(path, "missing"))
		return xf_fail(err, "cannot read missing: No such file or directory");
	snprintf(file->name, sizeof(file->name), "/%.100s", path + (*path == '/'));
	file->text = strdup(file_text);
	file->len = strlen(file_text);
	return 0;
}

int config_read(const char *text, size_t len, struct config *config, struct buf *lines)
{
	/* At the very end of an allocation, and without a NUL. */
	char *copy = malloc(len ? len : 1);
	struct config_source from = {.text = copy, .len = len, .now = NOW, .read = read_file};
	struct config_errors errors;
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = config_parse(&from, config, &errors);
	config_errors_write(&errors, "f", lines);
	assert_int_equal(rc == 0, lines->len == 0);
	assert_false(errors.failed);
	config_errors_free(&errors);
	free(copy);
	return rc;
}

struct config config_of(const char *text)
{
	struct buf lines = {0};
	struct config config;

	if (config_read(text, strlen(text), &config, &lines))
		fail_msg("%s\nis refused:\n%s", text, lines.data);
	return config;
}

void assert_errors(const char *text, const char *wanted)
{
	struct config config, empty = {0};
	struct buf lines = {0};

	if (!config_read(text, strlen(text), &config, &lines))
		fail_msg("%s\nis taken, without\n%s", text, wanted);
	if (strcmp(lines.data, wanted))
		fail_msg("%s\nhas the errors\n%swhich should be\n%s", text, lines.data, wanted);
	assert_memory_equal(&config, &empty, sizeof(empty));
	buf_free(&lines);
}

/* ---- rules at random */

static void random_address(struct xf_address *addr, bool v6, uint32_t number)
{
	struct xf_error err;
	char text[64];

	if (v6)
		snprintf(text, sizeof(text), "2001:db8::%x:%x", number >> 16 & 0xffff, number & 0xffff);
	else
		snprintf(text, sizeof(text), "198.%u.%u.%u", 18 + (number >> 16 & 1), number >> 8 & 255, number & 255);
	assert_int_equal(xf_address_parse(text, addr, &err), 0);
}

static void random_text(char *text, size_t size)
{
	static const char *const parts[] = {"a",
					    "\"",
					    "\\",
					    ": ",
					    " #",
					    "'",
					    "- ",
					    "{",
					    "é",
					    "\xf0\x9f\x90\xa7",
					    "\xef\xbb\xbf",
					    "%",
					    "null",
					    "&a",
					    "*b",
					    "\xef\xbf\xbe",
					    "\xef\xbf\xbf",
					    "1e3",
					    "~",
					    "\\n"};
	uint32_t n = random_below(12);
	size_t at = 0;

	for (*text = '\0'; n; n--) {
		const char *part = parts[random_below(ARRAY_SIZE(parts))];

		if (at + strlen(part) < size)
			at += (size_t)snprintf(text + at, size - at, "%s", part);
	}
}

/* Each has ports, an address or an interface of its own: no two are in each other's way. */
static void random_ends(struct xf_rule_spec *rule, uint32_t number)
{
	bool v6 = random_below(2);
	uint16_t lo = (uint16_t)(1 + number % 4000 * 16);

	rule->protos = (uint8_t)(1 + random_below(3));
	rule->listen.kind = (enum xf_listen_kind)random_below(3);
	rule->listen.ports = (struct xf_port_range){lo, (uint16_t)(lo + random_below(16))};
	if (rule->listen.kind == XF_LISTEN_ADDR)
		random_address(&rule->listen.addr, v6, number);
	if (rule->listen.kind == XF_LISTEN_IFACE)
		snprintf(rule->listen.ifname, sizeof(rule->listen.ifname), "%s%u", random_below(2) ? "eth" : "\"ü\\{",
			 random_below(10));
	random_address(&rule->target.addr, v6, 0x10000 + random_below(60000));
	rule->target.port = random_below(2) ? (uint16_t)(1 + random_below(60000)) : 0;
	rule->source = (enum xf_source)random_below(3);
	if (rule->source == XF_SOURCE_MASQUERADE && random_below(2))
		random_address(&rule->masquerade.first, v6, number);
	if (rule->masquerade.first.family)
		rule->masquerade.more = (uint8_t)random_below(3);
}

static const struct xf_prefixes *random_list(struct config *config, bool v6)
{
	struct xf_prefixes *list = calloc(1, sizeof(*list));
	struct xf_error err;

	assert_non_null(list);
	assert_int_equal(xf_prefixes_add(list, v6 ? "2001:db8:1::/48" : "203.0.113.0/24", read_file, &err), 0);
	if (random_below(2))
		assert_int_equal(xf_prefixes_add(list, "198.51.100.7,2001:db8:f::/64", read_file, &err), 0);
	if (random_below(4) == 0)
		assert_int_equal(xf_prefixes_add(list, "@/etc/office \"north\"", read_file, &err), 0);
	xf_prefixes_settle(list);
	config->lists[config->n_lists++] = list;
	return list;
}

static struct xf_rate random_rate(void)
{
	static const uint32_t units[] = {1, 60, 3600, 86400, 604800};
	struct xf_rate rate = {0};

	if (random_below(2))
		rate = (struct xf_rate){.count = 1 + random_below(1000), .unit = units[random_below(5)]};
	if (rate.count && random_below(2))
		rate.burst = 1 + random_below(50);
	return rate;
}

static void random_policy(struct config *config, struct xf_rule_spec *rule)
{
	bool v6 = rule->target.addr.family == XF_IPV6;
	int i;

	if (random_below(3) == 0)
		rule->allow = random_list(config, v6);
	if (random_below(3) == 0)
		rule->deny = random_list(config, v6);
	rule->rate = random_rate();
	rule->source_rate = random_rate();
	rule->max_flows = random_below(2) ? 1 + random_below(16777216) : 0;
	rule->max_flows_per_source = random_below(2) ? 1 + random_below(rule->max_flows ? rule->max_flows : 100) : 0;
	rule->syn_threshold = rule->protos & XF_PROTO_TCP && random_below(2) ? 999 + random_below(3) : 0;
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (random_below(3) == 0 &&
		    rule->protos & (i < XF_TIMEOUT_TCP_TRANSITORY ? XF_PROTO_UDP : XF_PROTO_TCP))
			rule->timeout[i] = 1 + random_below(20 * 86400);
	/* Some of them are over. */
	rule->expires = random_below(2) ? NOW - 86400 + (int64_t)random_below(1000000000) : 0;
	rule->expires_by_date = rule->expires != 0;
	rule->disabled = random_below(3) == 0;
}

struct config random_config(size_t n_rules)
{
	static const char *const forms[] = {"web-%zu", "%zu", "_%zu", "tcp-443-%zu", "1e%zu", "A.b+c_%zu"};
	struct config config = {.n_rules = n_rules, .has_rules = true};
	size_t i;

	config.rules = calloc(n_rules + 1, sizeof(*config.rules));
	config.lists = calloc(2 * n_rules + 1, sizeof(struct xf_prefixes *));
	assert_true(config.rules && config.lists);
	for (i = 0; i < n_rules; i++) {
		struct xf_rule_spec *rule = &config.rules[i];
		struct xf_error err;

		do {
			memset(rule, 0, sizeof(*rule));
			random_ends(rule, (uint32_t)i);
		} while (xf_rule_check(rule, &err));
		snprintf(rule->name, sizeof(rule->name), forms[random_below(ARRAY_SIZE(forms))], i);
		random_text(rule->comment, sizeof(rule->comment));
		random_policy(&config, rule);
		/* Of those that can be without state, some are. */
		rule->stateless = random_below(2);
		if (rule->stateless && xf_rule_check(rule, &err))
			rule->stateless = false;
		if (xf_rule_check(rule, &err))
			fail_msg("a rule at random: %s", err.text);
	}
	return config;
}
