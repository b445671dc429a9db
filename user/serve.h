/* SPDX-License-Identifier: GPL-2.0-only */
/* The paths of the exporter and the status page. */
#ifndef XDPFWD_USER_SERVE_H
#define XDPFWD_USER_SERVE_H

#include "httpd.h"

#define SERVE_LISTEN "127.0.0.1:9977"

/* For httpd_options.routes; .arg is the instance's state directory, a const char *. */
extern const struct httpd_route serve_routes[];

#endif
