// SPDX-License-Identifier: GPL-2.0-only
/* check: the doctor. What is wrong with the instance, its interfaces and rules, and what helps. */
#include <stdlib.h>

#include "check.h"
#include "cmd.h"
#include "netdev.h"
#include "ruleset.h"
#include "snapshot.h"

static const struct opt options[] = {CMD_OPT_JSON, {0}};

static const struct opt_command command = {
	.name = "check",
	.operands = "[NAME...]",
	.about = "Looks for what keeps the rules named, or all of them, from forwarding: interfaces\n"
		 "that do not forward, tables and port ranges that ran full, targets that cannot be\n"
		 "reached or never answer. Each finding comes with its remedy.\n"
		 "Exit code 1: there is at least one failure.",
	.example = "  xdpfwd check web",
	.options = options,
	.max_operands = -1,
};

static const char *word(const json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

/* A line each, and a second one where something is to be done. */
static void print_checks(const json_t *checks)
{
	const json_t *c;
	size_t i;

	json_array_foreach(checks, i, c) {
		printf("%-7s  %s %s: %s\n", word(c, "result"), word(c, "id"), word(c, "subject"), word(c, "message"));
		if (word(c, "remedy"))
			printf("         remedy: %s\n", word(c, "remedy"));
	}
}

/* What check_judge is asked about; begins all zero. */
struct patient {
	struct snapshot s;
	struct ruleset set; /* of s */
	struct check_forwarding *forwarding;
	const struct dp_rule **rules;
	size_t n_rules;
};

static void discharge(struct patient *p)
{
	free(p->forwarding);
	free(p->rules);
	snapshot_free(&p->s);
}

static int pick_rules(struct patient *p, const struct cmd_names *names, struct xf_error *err)
{
	int i;

	p->set.rules = p->s.rules;
	p->set.n = p->s.n_rules;
	if (ruleset_check_names(&p->set, names->name, names->n, err) < 0)
		return -1;
	p->rules = calloc(p->set.n + 1, sizeof(*p->rules));
	if (!p->rules)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < names->n; i++)
		p->rules[p->n_rules++] = ruleset_find(&p->set, names->name[i], err);
	while (!names->n && p->n_rules < p->set.n) {
		p->rules[p->n_rules] = &p->set.rules[p->n_rules];
		p->n_rules++;
	}
	return 0;
}

static int look_at_interfaces(struct patient *p, struct xf_error *err)
{
	const struct dp_status *status = &p->s.status;
	size_t i;

	p->forwarding = calloc(status->n_ifaces + 1, sizeof(*p->forwarding));
	if (!p->forwarding)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < status->n_ifaces; i++) {
		p->forwarding[i].ipv4 = nd_forwarding(status->ifaces[i].name, XF_IPV4);
		p->forwarding[i].ipv6 = nd_forwarding(status->ifaces[i].name, XF_IPV6);
	}
	return 0;
}

/* Takes the reference. */
static int tell(json_t *checks)
{
	bool failed = check_failed(checks);
	int ret = CMD_DONE;

	if (out_is_json)
		ret = out_records(json_pack("{s:O}", "checks", checks), NULL);
	else
		print_checks(checks);
	json_decref(checks);
	return ret == CMD_DONE && failed ? CMD_FAILED : ret;
}

int cmd_check(const char *state, int argc, char **argv)
{
	struct patient p = {0};
	struct cmd_names names;
	struct xf_error err;
	json_t *checks;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	names = (struct cmd_names){argv, argc};
	if (snapshot_take(&p.s, state, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	if (pick_rules(&p, &names, &err) < 0 || look_at_interfaces(&p, &err) < 0) {
		ret = out_fail(CMD_FAILED, &err);
	} else {
		checks = check_judge(&(struct check_input){
			.status = &p.s.status, .forwarding = p.forwarding, .rules = p.rules, .n_rules = p.n_rules});
		ret = checks ? tell(checks) : out_records(NULL, NULL);
	}
	discharge(&p);
	return ret;
}
