// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve: answers scrapers and browsers, and keeps a file for node_exporter.
 * The instance is opened for each request: it may come and go meanwhile.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "httpd.h"
#include "log.h"
#include "serve.h"
#include "snapshot.h"
#include "textfile.h"

#define SERVE_FILE_INTERVAL 15 /* seconds; as often as Prometheus scrapes by default */

static const char *listen_text, *textfile;

static const struct opt options[] = {
	{"listen", "ADDR:PORT", "where to answer; default " SERVE_LISTEN ", port 0: any", OPT_TEXT, &listen_text, 0, 0},
	{"textfile", "FILE", "write the metrics there every 15 s; without --listen only that", OPT_TEXT, &textfile, 0,
	 0},
	{0},
};

static const struct opt_command command = {
	.name = "serve",
	.operands = "",
	.about = "Serves Prometheus at /metrics, a status page at / and a sign of life at /-/healthy,\n"
		 "until it is ended by a signal. Traffic does not depend on it.",
	.example = "  xdpfwd serve --listen [::1]:9977\n"
		   "  xdpfwd serve --textfile /var/lib/prometheus/node-exporter/xdpfwd.prom",
	.options = options,
};

/* ADDR:PORT or [ADDR6]:PORT. */
static int parse_listen(const char *text, struct httpd_options *to, struct xf_error *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool v6 = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	char addr[64] = "";
	uint32_t port;

	if (len < sizeof(addr))
		snprintf(addr, sizeof(addr), "%.*s", (int)len - 2 * v6, text + v6);
	if (xf_address_parse(addr, &to->addr, err) < 0 || (to->addr.family == XF_IPV6) != v6)
		return xf_fail(err, "--listen: %.80s is not ADDR:PORT or [ADDR6]:PORT, as in %s", text, SERVE_LISTEN);
	if (xf_u32_parse(colon + 1, 0, 65535, &port, err) < 0)
		return xf_fail(err, "--listen: the port of %.80s is not a number up to 65535", text);
	to->port = (uint16_t)port;
	return 0;
}

enum file_state {
	FILE_NEW,
	FILE_WRITTEN,
	FILE_ABSENT, /* the instance could not be read, which was told */
	FILE_FAILED, /* it could not be written, which was told */
};

/*
 * Keeps the file true: while the instance cannot be read there is no file, as
 * old numbers would look like new ones. Tells of each change, not each time.
 */
static enum file_state write_file(const char *state, enum file_state before)
{
	enum file_state after = FILE_WRITTEN;
	struct buf text = {0};
	struct xf_error err;

	if (snapshot_metrics(&text, state, METRICS_TEXT, &err) < 0)
		after = FILE_ABSENT;
	else if (textfile_replace(textfile, &text, &err) < 0)
		after = FILE_FAILED;
	if (after == FILE_ABSENT && before == FILE_WRITTEN)
		unlink(textfile);
	if (after != FILE_WRITTEN && after != before)
		log_error("%s", err.text);
	buf_free(&text);
	return after;
}

/* Until a signal ends it. A file that was written once is tried again: disks fill and empty. */
static int serve_until(const char *state, const sigset_t *end)
{
	struct timespec wait = {.tv_sec = SERVE_FILE_INTERVAL};
	enum file_state file = FILE_NEW;
	int signal;

	if (!textfile) {
		sigwait(end, &signal);
		return CMD_DONE;
	}
	file = write_file(state, file);
	if (file == FILE_FAILED)
		return CMD_FAILED;
	while (sigtimedwait(end, NULL, &wait) < 0)
		file = write_file(state, file);
	return CMD_DONE;
}

int cmd_serve(const char *state, int argc, char **argv)
{
	struct httpd_options http = {.routes = serve_routes, .arg = (void *)state};
	struct httpd *server = NULL;
	struct xf_error err;
	sigset_t end;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (parse_listen(listen_text ? listen_text : SERVE_LISTEN, &http, &err) < 0)
		return cmd_misuse(&command, &err);

	/* Before the server's thread is there, which must not take the signals. */
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (listen_text || !textfile) {
		if (httpd_start(&server, &http, &err) < 0)
			return out_fail(CMD_FAILED, &err);
		fprintf(stderr, "xdpfwd: serving http://%s/metrics\n", httpd_address(server));
	}
	ret = serve_until(state, &end);
	if (server)
		httpd_stop(server);
	return ret;
}
