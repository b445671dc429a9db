// SPDX-License-Identifier: GPL-2.0-only
/* What is answered to scrapers and browsers. The instance is opened for each request: it may come and go meanwhile. */
#include "serve.h"

#include <time.h>

#include "page.h"
#include "snapshot.h"

static void serve_metrics(const char *accept, struct httpd_reply *reply, void *arg)
{
	enum metrics_format format = metrics_accepted(accept);
	struct xf_error err;

	if (snapshot_metrics(&reply->body, arg, format, &err) < 0) {
		reply->status = 503;
		buf_printf(&reply->body, "%s\n", err.text);
		return;
	}
	reply->content_type = metrics_content_type(format);
}

static void serve_page(const char *accept, struct httpd_reply *reply, void *arg)
{
	struct metrics_input in;
	struct snapshot s;
	struct xf_error err;

	(void)accept;
	reply->content_type = "text/html; charset=utf-8";
	if (snapshot_take(&s, arg, &err) < 0) {
		reply->status = 503;
		page_write_error(&reply->body, err.text);
		return;
	}
	in = snapshot_input(&s);
	page_write(&reply->body, &in, (double)time(NULL));
	snapshot_free(&s);
}

static void serve_healthy(const char *accept, struct httpd_reply *reply, void *arg)
{
	(void)accept;
	(void)arg;
	buf_puts(&reply->body, "ok\n");
}

const struct httpd_route serve_routes[] = {
	{"/metrics", serve_metrics},
	{"/", serve_page},
	{"/-/healthy", serve_healthy},
	{0},
};
