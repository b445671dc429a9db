// SPDX-License-Identifier: GPL-2.0-only
/* import: another tool's port forwards as a config on stdout; what is not in it, on stderr. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "import.h"
#include "log.h"

static struct opt_list zones;

static const struct opt options[] = {
	{"zone", "ZONE=IFACE", "fw4: the interface of a zone that names none; as often as needed", OPT_LIST, &zones, 0,
	 0},
	{0},
};

static const struct opt_command command = {
	.name = "import",
	.operands = "{nft|iptables|fw4|docker} [FILE|-]",
	.about = "Reads another tool's port forwards from FILE, or from standard input, and prints a config.\n"
		 "Nothing is changed. What cannot be carried over it says on stderr, with its place and the\n"
		 "reason; a forward whose conditions cannot all be stated is left out, not opened wider.\n\n"
		 "  nft        nft -j list ruleset\n"
		 "  iptables   iptables-save, ip6tables-save\n"
		 "  fw4        OpenWrt's /etc/config/firewall\n"
		 "  docker     docker inspect CONTAINER..., or the list of containers of Docker's API",
	.example = "  nft -j list ruleset | xdpfwd import nft > rules.yaml\n"
		   "  iptables-save -t nat | xdpfwd import iptables\n"
		   "  xdpfwd import fw4 --zone wan=eth1 /etc/config/firewall\n"
		   "  docker inspect $(docker ps -q) | xdpfwd import docker",
	.options = options,
	.min_operands = 1,
	.max_operands = 2,
};

/* ---- the input */

static int read_all(FILE *from, struct buf *text)
{
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), from)) > 0) {
		buf_add(text, chunk, n);
		if (buf_failed(text))
			return ENOMEM;
		if (text->len > IMPORT_INPUT_MAX)
			return EFBIG;
	}
	return ferror(from) ? errno : 0;
}

static int read_input(const char *path, struct buf *text, struct xf_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *from = is_stdin ? stdin : fopen(path, "re");
	int error;

	if (!from)
		return xf_fail(err, "cannot read %.200s: %s", path, strerror(errno));
	error = read_all(from, text);
	if (!is_stdin)
		fclose(from);
	if (error)
		return xf_fail(err, "cannot read %.200s: %s", is_stdin ? "standard input" : path, strerror(error));
	return 0;
}

/* ---- the tools */

static struct import_zone zone[OPT_LIST_MAX + 1];

static int parse_zones(struct xf_error *err)
{
	const char *equals;
	int i;

	for (i = 0; i < zones.n; i++) {
		equals = strchr(zones.text[i], '=');
		if (!equals || equals == zones.text[i] || !equals[1])
			return xf_fail(err, "--zone: %.80s is not ZONE=IFACE", zones.text[i]);
		zone[i] = (struct import_zone){zones.text[i], (size_t)(equals - zones.text[i]), equals + 1};
	}
	return 0;
}

static const struct tool {
	const char *name;
	int (*read)(struct import *im, const char *text, size_t len, struct xf_error *err);
} tools[] = {
	{"nft", import_nft}, {"iptables", import_iptables}, {"fw4", import_fw4}, {"docker", import_docker},
	{NULL, NULL},
};

static const struct tool *find_tool(const char *name, struct xf_error *err)
{
	const struct tool *tool = tools;

	while (tool->name && strcmp(tool->name, name))
		tool++;
	if (tool->name)
		return tool;
	xf_fail(err, "%.80s is no tool that it reads: write nft, iptables, fw4 or docker", *name ? name : "\"\"");
	return NULL;
}

static void print_notes(char *notes)
{
	char *line;

	while ((line = strsep(&notes, "\n")))
		if (*line)
			log_warning("%s", line);
}

static int convert(const struct tool *tool, struct import *im, const struct buf *text, struct xf_error *err)
{
	struct buf config = {0};
	int rc = tool->read(im, text->data ? text->data : "", text->len, err);

	if (rc)
		return rc;
	import_finish(im);
	import_print(im, tool->name, &config);
	if (im->failed || buf_failed(&config)) {
		rc = xf_fail(err, "not enough memory");
	} else {
		print_notes(im->notes.data);
		out_text(config.data, config.len);
	}
	buf_free(&config);
	return rc;
}

int cmd_import(const char *state, int argc, char **argv)
{
	struct import im = {.input = "standard input", .zones = zone};
	struct buf text = {0};
	const struct tool *tool;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);
	const char *path;

	(void)state;
	if (ret != CMD_GO_ON)
		return ret;
	tool = find_tool(argv[0], &err);
	if (!tool || parse_zones(&err))
		return cmd_misuse(&command, &err);
	path = argc > 1 ? argv[1] : "-";
	if (strcmp(path, "-"))
		im.input = path;
	ret = read_input(path, &text, &err);
	if (!ret)
		ret = convert(tool, &im, &text, &err);
	import_free(&im);
	buf_free(&text);
	return ret ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
