/* SPDX-License-Identifier: GPL-2.0-only */
/* The web server over real sockets on loopback: what it answers, and what it does not put up with. */
#include "support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd.h"

static void make_echo(const char *accept, struct httpd_reply *reply, void *arg)
{
	reply->content_type = "text/x-echo";
	buf_printf(&reply->body, "%s %s", (const char *)arg, accept ? accept : "(none)");
}

static void make_broken(const char *accept, struct httpd_reply *reply, void *arg)
{
	(void)accept;
	(void)arg;
	reply->status = 503;
	buf_puts(&reply->body, "not now\n");
}

static void make_empty(const char *accept, struct httpd_reply *reply, void *arg)
{
	(void)accept;
	(void)arg;
	(void)reply;
}

static const struct httpd_route routes[] = {
	{"/echo", make_echo},
	{"/broken", make_broken},
	{"/empty", make_empty},
	{0},
};

static struct httpd *server;

static int start(void **state)
{
	struct httpd_options options = {.routes = routes, .arg = "hello"};
	struct xf_error err;

	(void)state;
	assert_int_equal(xf_address_parse("127.0.0.1", &options.addr, &err), 0);
	return httpd_start(&server, &options, &err);
}

static int stop(void **state)
{
	(void)state;
	httpd_stop(server);
	return 0;
}

static uint16_t server_port(void)
{
	struct xf_target where;
	struct xf_error err;

	assert_int_equal(xf_target_parse(httpd_address(server), &where, &err), 0);
	return where.port;
}

static int dial(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(server_port())};
	struct timeval patience = {.tv_sec = 30}; /* only so that a hang is a failure */
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	/* The server may close while we still talk. */
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* All that comes until the server closes. */
static const char *hear(int fd)
{
	static char text[8192];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	return hear(fd);
}

#define END "Host: x\r\nConnection: close\r\n\r\n"

static void test_answers(void **state)
{
	static const struct {
		const char *request, *status, *part;
	} cases[] = {
		{"GET /echo HTTP/1.1\r\n" END, "200", "\r\n\r\nhello (none)"},
		{"GET /echo HTTP/1.1\r\nAccept: a/b\r\n" END, "200", "\r\n\r\nhello a/b"},
		{"GET /echo?x=y HTTP/1.1\r\n" END, "200", "Content-Type: text/x-echo\r\n"},
		{"GET /echo HTTP/1.0\r\n\r\n", "200", "hello"},
		{"GET /empty HTTP/1.1\r\n" END, "200", "Content-Length: 0\r\n"},
		{"GET /broken HTTP/1.1\r\n" END, "503", "\r\n\r\nnot now\n"},
		{"GET / HTTP/1.1\r\n" END, "404", "not found"},
		{"GET /echo/ HTTP/1.1\r\n" END, "404", ""},
		{"GET /../echo HTTP/1.1\r\n" END, "404", ""},
		{"GET //echo HTTP/1.1\r\n" END, "404", ""},
		{"POST /echo HTTP/1.1\r\nContent-Length: 4\r\n" END "body", "405", "Allow: GET, HEAD\r\n"},
		{"DELETE /echo HTTP/1.1\r\n" END, "405", ""},
		{"GET /echo HTTP/1.1\r\nContent-Length: 4\r\n" END "body", "413", ""},
		{"GET /echo HTTP/1.1\r\nContent-Length: 99999999999\r\n" END, "413", ""},
		{"GET /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END, "413", ""},
		{"GET /echo HTTP/1.1\r\nContent-Length: 0\r\n" END, "200", ""},
		{"GET /echo HTTP/1.1\r\n\r\n", "400", ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *reply = ask(cases[i].request);

		print_message("%.40s...\n", cases[i].request);
		if (strncmp(reply, "HTTP/1.1 ", 9) || strncmp(reply + 9, cases[i].status, 3) ||
		    !strstr(reply, cases[i].part))
			fail_msg("not %s with \"%s\":\n%s", cases[i].status, cases[i].part, reply);
	}
}

static void test_head_has_no_body(void **state)
{
	const char *reply = ask("HEAD /echo HTTP/1.1\r\n" END);

	(void)state;
	assert_non_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(reply, "Content-Length: 12\r\n"));
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

/* Two requests, one connection: scrapers do that. */
static void test_keeps_connection(void **state)
{
	const char *reply = ask("GET /echo HTTP/1.1\r\nHost: x\r\nAccept: 1\r\n\r\n"
				"GET /echo HTTP/1.1\r\nAccept: 2\r\n" END);
	const char *first = strstr(reply, "hello 1");

	(void)state;
	assert_non_null(first);
	assert_non_null(strstr(first, "hello 2"));
}

static void test_long_header(void **state)
{
	size_t len = 65536;
	char *request = malloc(len + 64);
	int at = sprintf(request, "GET /echo HTTP/1.1\r\nHost: x\r\nX: ");
	const char *reply;

	(void)state;
	memset(request + at, 'a', len - (size_t)at);
	strcpy(request + len, "\r\n\r\n");
	reply = ask(request);
	assert_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(ask("GET /echo HTTP/1.1\r\n" END), "HTTP/1.1 200"));
	free(request);
}

/* One client cannot take all connections, and gets service again once it lets go. */
static void test_connections_are_bounded(void **state)
{
	int fds[20], served = 0;
	char got[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial();
		say(fds[i], "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	/* Beyond the limit the server closes: that is the event waited for. */
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		served += recv(fds[i], got, sizeof(got), 0) > 0;
	assert_in_range(served, 1, 16);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	/* The server learns of it when it next looks. */
	for (i = 0; i < 1000; i++)
		if (strstr(ask("GET /echo HTTP/1.1\r\n" END), "HTTP/1.1 200"))
			return;
	fail_msg("no service after the connections were closed");
}

static void test_port_in_use(void **state)
{
	struct httpd_options options = {.routes = routes};
	struct httpd *second;
	struct xf_error err;

	(void)state;
	assert_int_equal(xf_address_parse("127.0.0.1", &options.addr, &err), 0);
	options.port = server_port();
	assert_int_equal(httpd_start(&second, &options, &err), -1);
	assert_error("a port twice", &err, "127.0.0.1:|in use|--listen");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_head_has_no_body),
		cmocka_unit_test(test_keeps_connection),
		cmocka_unit_test(test_long_header),
		cmocka_unit_test(test_connections_are_bounded),
		cmocka_unit_test(test_port_in_use),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
