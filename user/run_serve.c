// SPDX-License-Identifier: GPL-2.0-only
/* The exporter and the status page, where the config says. */
#include "log.h"
#include "run.h"
#include "serve.h"

static void stop(struct run *run)
{
	if (!run->http)
		return;
	httpd_stop(run->http);
	run->http = NULL;
}

static bool is_there_already(const struct run *run, const struct config *config)
{
	return run->http && run->http_port == config->metrics_port &&
	       xf_address_equal(&run->http_addr, &config->metrics);
}

int run_serve(struct run *run, const struct config *config, struct xf_error *err)
{
	const struct httpd_options options = {
		.addr = config->metrics,
		.port = config->metrics_port,
		.routes = serve_routes,
		.arg = (void *)run->state,
	};

	if (is_there_already(run, config))
		return 0;
	stop(run);
	if (!config->metrics.family)
		return 0;
	if (httpd_start(&run->http, &options, err))
		return -1;
	run->http_addr = config->metrics;
	run->http_port = config->metrics_port;
	log_info("serving http://%s/metrics", httpd_address(run->http));
	return 0;
}
