// SPDX-License-Identifier: GPL-2.0-only
#include "httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* A scraper and a few browsers; more is somebody who should not hold up the scraper. */
#define HTTPD_CONNECTIONS	 32
#define HTTPD_CONNECTIONS_PER_IP 16
#define HTTPD_TIMEOUT_SECONDS	 10
#define HTTPD_MEMORY		 16384 /* of a connection: bounds the request's header */

struct httpd {
	struct httpd_options options;
	struct MHD_Daemon *daemon;
	char address[XF_ENDPOINT_STRLEN];
};

static enum MHD_Result httpd_queue(struct MHD_Connection *connection, unsigned int status,
				   struct MHD_Response *response)
{
	enum MHD_Result ret;

	if (!response)
		return MHD_NO; /* closes the connection */
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Content-Security-Policy",
				"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	/* Whoever asks for what there is not, or sends a body nobody reads, begins anew. */
	if (status >= 400 && status < 500)
		MHD_add_response_header(response, "Connection", "close");
	ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result httpd_refuse(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	if (response)
		MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	return httpd_queue(connection, status, response);
}

static enum MHD_Result httpd_answer(struct MHD_Connection *connection, const struct httpd_route *route, void *arg)
{
	struct httpd_reply reply = {.status = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8"};
	struct MHD_Response *response;

	route->make(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept"), &reply, arg);
	if (buf_failed(&reply.body)) {
		buf_free(&reply.body);
		return httpd_refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not enough memory\n");
	}
	/* The response frees the text; an empty one has none. */
	response = MHD_create_response_from_buffer(reply.body.len, reply.body.data, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		buf_free(&reply.body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", reply.content_type);
	MHD_add_response_header(response, "Vary", "Accept");
	return httpd_queue(connection, reply.status, response);
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding");
}

/* What is wrong with a request that its header tells already, or 0. */
static unsigned int httpd_verdict(struct MHD_Connection *connection, const char *method, const char **text)
{
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		*text = "only GET and HEAD\n";
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	if (has_body(connection)) {
		*text = "no request bodies\n";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	return 0;
}

/*
 * MHD_AccessHandlerCallback: called when the header is there, and again when
 * the whole request is. A refusal comes at once, before any body is read; an
 * answer at the first call would end the connection, and scrapers keep theirs.
 */
static enum MHD_Result httpd_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				     const char *version, const char *upload_data, size_t *upload_data_size,
				     void **con_cls)
{
	const struct httpd_route *route;
	struct httpd *h = cls;
	const char *text;
	unsigned int status;

	(void)version;
	(void)upload_data;
	(void)upload_data_size;
	if (!*con_cls) {
		*con_cls = h; /* any mark but NULL */
		status = httpd_verdict(connection, method, &text);
		return status ? httpd_refuse(connection, status, text) : MHD_YES;
	}
	for (route = h->options.routes; route->path; route++)
		if (!strcmp(route->path, url))
			return httpd_answer(connection, route, h->options.arg);
	return httpd_refuse(connection, MHD_HTTP_NOT_FOUND, "not found: see /metrics, / and /-/healthy\n");
}

static void httpd_log(void *cls, const char *fmt, va_list args)
{
	char line[256];

	(void)cls;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

static socklen_t socket_address(const struct httpd_options *o, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (o->addr.family == XF_IPV4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(o->port);
		v4->sin_addr.s_addr = o->addr.addr.v4;
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(o->port);
	memcpy(&v6->sin6_addr, o->addr.addr.v6, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

/* Our own socket rather than one of MHD's: it says why it cannot listen. */
static int httpd_listen(struct httpd *h, struct xf_error *err)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&h->options, &sa);
	int fd, one = 1;

	xf_endpoint_format(&h->options.addr, h->options.port, h->address, sizeof(h->address));
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return xf_fail(err, "cannot listen on %s: %s", h->address, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, HTTPD_CONNECTIONS) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
		xf_fail(err, "cannot listen on %s: %s%s", h->address, strerror(errno),
			errno == EADDRINUSE ? "; choose another with --listen ADDR:PORT" : "");
		close(fd);
		return -1;
	}
	h->options.port = ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port :
							  ((struct sockaddr_in6 *)&sa)->sin6_port);
	xf_endpoint_format(&h->options.addr, h->options.port, h->address, sizeof(h->address));
	return fd;
}

int httpd_start(struct httpd **out, const struct httpd_options *options, struct xf_error *err)
{
	struct httpd *h = calloc(1, sizeof(*h));
	int fd;

	if (!h)
		return xf_fail(err, "not enough memory");
	h->options = *options;
	fd = httpd_listen(h, err);
	if (fd < 0)
		goto fail;
	h->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
				     httpd_request, h, MHD_OPTION_EXTERNAL_LOGGER, httpd_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned int)HTTPD_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
				     (unsigned int)HTTPD_CONNECTIONS_PER_IP, MHD_OPTION_CONNECTION_TIMEOUT,
				     (unsigned int)HTTPD_TIMEOUT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				     (size_t)HTTPD_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!h->daemon) {
		xf_fail(err, "cannot serve %s: the HTTP server does not start", h->address);
		close(fd);
		goto fail;
	}
	*out = h;
	return 0;
fail:
	free(h);
	return -1;
}

const char *httpd_address(const struct httpd *h)
{
	return h->address;
}

void httpd_stop(struct httpd *h)
{
	MHD_stop_daemon(h->daemon); /* closes the listening socket too */
	free(h);
}
