// SPDX-License-Identifier: GPL-2.0-only
/* run: loads, applies a config, and follows what changes, until a signal ends it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <linux/capability.h>

#include "cmd.h"
#include "log.h"
#include "notify.h"
#include "privileges.h"
#include "run.h"

static const char *config_path;
static struct run_health_options health = {.period = 10, .threshold = 3};

static const struct opt options[] = {
	{"config", "FILE", "what to load and which rules to have", OPT_TEXT, &config_path, 0, 0},
	{"health", "SECONDS", "ask each target so often whether it is there; default 10, 0: never", OPT_U32,
	 &health.period, 0, 86400},
	{"health-threshold", "N", "believe it when N answers in a row say otherwise; default 3", OPT_U32,
	 &health.threshold, 1, 1000},
	{0},
};

static const struct opt_command command = {
	.name = "run",
	.operands = "",
	.about = "For a service manager: loads the data plane, brings FILE's rules into force, and stays\n"
		 "to follow what changes: the file (also on SIGHUP), addresses, interfaces and routes of\n"
		 "this machine, and host names of targets, asked for again when their time in DNS is\n"
		 "over. A rule's connections stay with the address that they were made to.\n\n"
		 "Targets of TCP rules are asked by a connection, those of UDP rules by ICMP echo; what\n"
		 "comes of it is in `map list --json` and the metric xdpfwd_target_up. The metrics are\n"
		 "served where FILE says. Traffic does not depend on this process: it may be killed and\n"
		 "started again.",
	.example = "  xdpfwd run --config /etc/xdpfwd/xdpfwd.yaml",
	.options = options,
};

/* ---- signals and the manager's watchdog */

struct service {
	struct run run;
	struct loop_fd signals;
	struct loop_timer watchdog;
};

static void take_signal(struct loop_fd *fd, uint32_t events)
{
	struct service *s = fd->arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		run_config_reload(&s->run);
	else
		loop_stop(s->run.loop);
}

static void feed_watchdog(struct loop_timer *timer)
{
	struct service *s = timer->arg;

	notify_watchdog();
	loop_timer_set(s->run.loop, timer, notify_watchdog_interval());
}

static int take_signals(struct service *s, struct xf_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = (struct loop_fd){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = take_signal,
		.arg = s,
	};
	if (s->signals.fd < 0 || loop_watch(s->run.loop, &s->signals, EPOLLIN))
		return xf_fail(err, "cannot take signals: %s", strerror(errno));
	s->watchdog = (struct loop_timer){.due = feed_watchdog, .arg = s};
	if (notify_watchdog_interval())
		loop_timer_set(s->run.loop, &s->watchdog, 0);
	return 0;
}

/* ---- privileges */

/* libxdp, and making programs anew for generic XDP, look kernel objects up by number, which takes CAP_SYS_ADMIN. */
static bool needs_admin(const struct run *run, const struct config *config)
{
	struct dp_status status;
	struct xf_error ignored;
	struct dataplane *dp;
	bool needed = false;
	size_t i;

	for (i = 0; i < config->n_ifaces; i++)
		needed |= config->ifaces[i].mode == DP_MODE_GENERIC;
	if (dp_open(&dp, run->state, false, &ignored))
		return needed;
	if (!dp_status(dp, &status, &ignored)) {
		for (i = 0; i < status.n_ifaces; i++)
			needed |= status.ifaces[i].dispatcher || status.ifaces[i].tier == XF_TIER_GENERIC;
		dp_status_free(&status);
	}
	dp_close(dp);
	return needed;
}

static int drop_privileges(const struct run *run, const struct config *config, struct xf_error *err)
{
	uint64_t keep = PRIVILEGE(CAP_BPF) | PRIVILEGE(CAP_NET_ADMIN) | PRIVILEGE(CAP_PERFMON);

	if (needs_admin(run, config))
		keep |= PRIVILEGE(CAP_SYS_ADMIN);
	if (config->metrics.family && config->metrics_port && config->metrics_port < 1024)
		keep |= PRIVILEGE(CAP_NET_BIND_SERVICE);
	return privileges_keep(keep, err);
}

/* ---- from beginning to end */

/* Programs and maps; the interfaces come with the config, those that are there. */
static int load(const struct run *run, const struct config *config, struct xf_error *err)
{
	const struct dp_load_options options = {.max_rules = config->max_rules, .max_flows = config->max_flows};

	return dp_load(run->state, &options, err);
}

static int start(struct service *s, struct config *config, struct xf_error *err)
{
	struct run *run = &s->run;

	if (loop_new(&run->loop, err) || take_signals(s, err) || load(run, config, err))
		return -1;
	if (run_health_start(run, &health, err) || drop_privileges(run, config, err))
		return -1;
	if (run_network_start(run, err) || run_hosts_start(run, err) || run_config_watch(run, err))
		return -1;
	/* What names meant before is known before they are asked for. */
	run_targets_look(run);
	run_config_take(run, config);
	return 0;
}

static void end(struct service *s)
{
	struct run *run = &s->run;

	run_health_end(run);
	if (run->http)
		httpd_stop(run->http);
	filewatch_free(run->watch);
	monitor_free(run->monitor);
	resolver_free(run->resolver);
	hosts_free(&run->hosts);
	dp_close(run->dp);
	config_free(&run->config);
	config_free(&run->next);
	free(run->wanted);
	loop_free(run->loop);
}

static int serve(struct service *s, struct config *config, struct xf_error *err)
{
	int rc = start(s, config, err);

	if (!rc && !s->run.failed)
		rc = loop_run(s->run.loop, err);
	notify_stopping();
	if (rc)
		log_error("%s", err->text);
	return rc || s->run.failed ? CMD_FAILED : CMD_DONE;
}

int cmd_run(const char *state, int argc, char **argv)
{
	struct service service = {.run = {.state = state}};
	struct config config = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (!config_path) {
		xf_fail(&err, "--config is missing: it says which rules to have");
		return cmd_misuse(&command, &err);
	}
	service.run.path = config_path;
	log_as_service();
	if (run_config_read(&service.run, &config))
		return CMD_FAILED;
	ret = serve(&service, &config, &err);
	end(&service);
	config_free(&config);
	return ret;
}
