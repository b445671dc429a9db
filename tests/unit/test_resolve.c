/* SPDX-License-Identifier: GPL-2.0-only */
/* Names, asked of a name server that is the test itself; and targets, some of which answer. */
#include "sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "echo.h"
#include "health.h"
#include "privileges.h"
#include "resolve.h"

#define LONG_MS 20000 /* until a test is given up */

static struct loop *loop;
static bool gave_up;

static void give_up(struct loop_timer *timer)
{
	(void)timer;
	gave_up = true;
	loop_stop(loop);
}

static void run(void)
{
	struct loop_timer deadline = {.due = give_up};

	loop_timer_set(loop, &deadline, LONG_MS);
	assert_int_equal(loop_run(loop, NULL), 0);
	loop_timer_stop(loop, &deadline);
	assert_false(gave_up);
}

/* ---- a name server */

static struct loop_fd server;
static int questions;
static bool silent;

/* Writes the answer's part behind the question; of the names only "v4.test", "v6.test" and "two.test" are. */
static size_t write_records(char *at, const char *name, bool v4)
{
	static const unsigned char head[] = {0xc0, 12}; /* the question's name */
	struct {
		uint16_t type, class;
		uint32_t ttl;
		uint16_t len;
	} __attribute__((packed)) record = {htons(v4 ? 1 : 28), htons(1), htonl(77), htons(v4 ? 4 : 16)};
	static const unsigned char addr4[][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
	static const unsigned char addr6[16] = {0x20, 1, 0xd, 0xb8, [15] = 6};
	int n = !strcmp(name, "two") && v4 ? 2 : !strcmp(name, v4 ? "v4" : "v6"), i;
	char *start = at;

	for (i = 0; i < n; i++) {
		at = mempcpy(at, head, sizeof(head));
		at = mempcpy(at, &record, sizeof(record));
		at = v4 ? mempcpy(at, addr4[i], 4) : mempcpy(at, addr6, 16);
	}
	return (size_t)(at - start);
}

static void serve(struct loop_fd *fd, uint32_t events)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	unsigned char m[512];
	char name[64] = "";
	ssize_t len = recvfrom(fd->fd, m, sizeof(m), 0, (struct sockaddr *)&from, &from_len);
	size_t label, end, records;
	bool v4, known;

	(void)events;
	questions++;
	if (len < 17 || silent)
		return;
	label = m[12];
	memcpy(name, m + 13, label < sizeof(name) ? label : 0);
	for (end = 12; m[end]; end += m[end] + 1u)
		;
	end += 5;
	v4 = m[end - 3] == 1;
	m[2] = 0x81;
	m[3] = 0x80;
	memset(m + 6, 0, 6); /* no other records: EDNS is not answered */
	records = write_records((char *)m + end, name, v4);
	known = !strcmp(name, "v4") || !strcmp(name, "v6") || !strcmp(name, "two");
	m[7] = (unsigned char)(records / (v4 ? 16 : 28));
	if (!known)
		m[3] |= 3; /* NXDOMAIN */
	sendto(fd->fd, m, end + records, 0, (struct sockaddr *)&from, from_len);
}

/* Our own /etc/resolv.conf and /etc/hosts, which others do not see. */
static int replace(const char *path, const char *text)
{
	char name[] = "/tmp/xdpfwd-test-XXXXXX";
	int fd = mkstemp(name), rc;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -1;
	close(fd);
	chmod(name, 0644);
	rc = mount(name, path, NULL, MS_BIND, NULL);
	unlink(name);
	return rc;
}

static int setup(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f000035)};

	(void)state;
	if (sandbox_enter() || unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (sandbox_ip(0, "link set lo up\n") || replace("/etc/resolv.conf", "nameserver 127.0.0.53\n") ||
	    replace("/etc/hosts", "127.0.0.1 localhost\n192.0.2.77 listed.test\n") || loop_new(&loop, NULL))
		return -1;
	server = (struct loop_fd){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .ready = serve};
	if (bind(server.fd, (struct sockaddr *)&sa, sizeof(sa)))
		return -1;
	return loop_watch(loop, &server, EPOLLIN);
}

static struct resolve_answer got;
static char why[200];
static int n_got, n_wanted;

static void take_answer(const struct resolve_answer *answer, void *arg)
{
	(void)arg;
	got = *answer;
	snprintf(why, sizeof(why), "%s", answer->why ? answer->why : "");
	if (++n_got == n_wanted)
		loop_stop(loop);
}

static void ask(struct resolver *r, const char *name, uint8_t family)
{
	n_got = 0;
	n_wanted = 1;
	resolver_ask(r, name, family, take_answer, NULL);
	if (!n_got)
		run();
}

static void assert_first(const char *text)
{
	char addr[XF_ENDPOINT_STRLEN];

	assert_true(got.n > 0);
	assert_string_equal(xf_address_format(&got.addr[0], addr, sizeof(addr)), text);
}

static void test_answers(void **state)
{
	struct resolver *r;

	(void)state;
	assert_int_equal(resolver_new(&r, loop, NULL), 0);
	ask(r, "v4.test", XF_IPV4);
	assert_int_equal(got.n, 1);
	assert_first("192.0.2.1");
	assert_int_equal(got.ttl, 77);
	ask(r, "v6.test", XF_IPV6);
	assert_int_equal(got.n, 1);
	assert_first("2001:db8::6");
	assert_int_equal(got.ttl, 77);
	ask(r, "two.test", XF_IPV4);
	assert_int_equal(got.n, 2);
	ask(r, "v6.test", XF_IPV4);
	assert_int_equal(got.n, 0);
	assert_non_null(strstr(why, "no IPv4 address"));
	ask(r, "nosuch.test", XF_IPV4);
	assert_int_equal(got.n, 0);
	assert_true(why[0]);
	ask(r, "listed.test", XF_IPV4); /* in /etc/hosts */
	assert_first("192.0.2.77");
	resolver_free(r);
}

static void test_many(void **state)
{
	struct resolver *r;
	int i;

	(void)state;
	assert_int_equal(resolver_new(&r, loop, NULL), 0);
	n_got = 0;
	n_wanted = 100;
	for (i = 0; i < n_wanted; i++)
		resolver_ask(r, i % 2 ? "v4.test" : "two.test", XF_IPV4, take_answer, NULL);
	run();
	resolver_free(r);
}

/* A name server that says nothing: nothing waits for it, and in the end that is the answer. */
static void test_silence(void **state)
{
	struct resolver *r;
	int before = questions;
	int64_t start = loop_now();

	(void)state;
	silent = true;
	assert_int_equal(resolver_new(&r, loop, NULL), 0);
	n_got = 0;
	n_wanted = 1;
	resolver_ask(r, "v4.test", XF_IPV4, take_answer, NULL);
	assert_int_equal(n_got, 0);
	assert_true(loop_now() - start < 1000);
	run();
	assert_int_equal(got.n, 0);
	assert_true(questions - before > 1);
	/* And one that is not waited for. */
	resolver_ask(r, "v4.test", XF_IPV4, take_answer, NULL);
	resolver_free(r);
	silent = false;
}

/* ---- targets */

struct news {
	int told;
	bool up, changed;
	size_t n;
	int wanted;
};

static void take_news(const struct health_news *news, void *arg)
{
	struct news *n = arg;

	n->told++;
	n->n = news->n;
	n->up = news->up;
	n->changed |= news->changed;
	if (n->told == n->wanted)
		loop_stop(loop);
}

static struct dp_target *targets(const char *target, uint8_t protos, size_t n)
{
	struct dp_target *t = calloc(n, sizeof(*t));
	size_t i;

	for (i = 0; i < n; i++) {
		t[i] = (struct dp_target){.id = (uint32_t)i, .tag = (uint32_t)i, .protos = protos};
		snprintf(t[i].name, sizeof(t[i].name), "rule%zu", i);
		assert_int_equal(xf_target_parse(target, &t[i].target, NULL), 0);
		t[i].port = t[i].target.port;
	}
	return t;
}

static void wait_news(struct news *n, int told)
{
	*n = (struct news){.wanted = told};
	run();
}

static int listener(int family, uint16_t port)
{
	struct sockaddr_in6 sa6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	struct sockaddr_in sa4 = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET)
		assert_int_equal(bind(fd, (struct sockaddr *)&sa4, sizeof(sa4)), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&sa6, sizeof(sa6)), 0);
	assert_int_equal(listen(fd, 100), 0);
	return fd;
}

static struct health *health(struct news *news)
{
	const struct health_options options = {.period_ms = 20, .threshold = 3, .told = take_news, .arg = news};
	struct health *h = NULL;

	assert_int_equal(health_new(&h, loop, &options, NULL), 0);
	return h;
}

static void tcp_target(int family, const char *target)
{
	int fd = listener(family, 7000);
	struct health *h;
	struct news news;

	h = health(&news);
	assert_int_equal(health_targets(h, targets(target, XF_PROTO_TCP, 3), 3, NULL), 0);
	wait_news(&news, 1);
	assert_true(news.up && news.changed);
	assert_int_equal(news.n, 3); /* asked once for three rules */
	close(fd);
	/* At most one question is under way now; those of the threshold follow. */
	wait_news(&news, 2);
	assert_true(news.up);
	wait_news(&news, 2);
	assert_true(!news.up && news.changed);
	/* What is known stays when other rules come. */
	assert_int_equal(health_targets(h, targets(target, XF_PROTO_TCP, 4), 4, NULL), 0);
	wait_news(&news, 1);
	assert_true(!news.up && !news.changed);
	fd = listener(family, 7000);
	wait_news(&news, 4);
	assert_true(news.up && news.changed);
	close(fd);
	health_free(h);
}

static void test_tcp(void **state)
{
	(void)state;
	tcp_target(AF_INET, "127.0.0.1:7000");
	tcp_target(AF_INET6, "[::1]:7000");
}

static void test_echo(void **state)
{
	struct health *h;
	struct news news;

	(void)state;
	h = health(&news);
	assert_int_equal(health_targets(h, targets("127.0.0.1:7000", XF_PROTO_UDP, 1), 1, NULL), 0);
	wait_news(&news, 2);
	assert_true(news.up && news.changed);
	assert_int_equal(health_targets(h, targets("[::1]:7000", XF_PROTO_UDP, 1), 1, NULL), 0);
	wait_news(&news, 2);
	assert_true(news.up && news.changed);
	health_free(h);
}

/* ---- privileges; in a process of its own, as there is no way back */

static bool has(const char *line, const char *wanted)
{
	char command[128];

	snprintf(command, sizeof(command), "grep -i '^%s' /proc/%d/status", line, getpid());
	return sandbox_shows(command, wanted);
}

static void test_privileges(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		/* CAP_NET_ADMIN 12, CAP_PERFMON 38 */
		if (privileges_keep(PRIVILEGE(12) | PRIVILEGE(38), NULL))
			_exit(1);
		if (!has("CapEff", "0000004000001000") || !has("CapPrm", "0000004000001000") ||
		    !has("CapBnd", "0000004000001000") || !has("CapInh", "0000000000000000") || !has("NoNewPrivs", "1"))
			_exit(2);
		_exit(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0 && errno == EPERM ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_many), cmocka_unit_test(test_silence),
		cmocka_unit_test(test_tcp),	cmocka_unit_test(test_echo), cmocka_unit_test(test_privileges),
	};

	return cmocka_run_group_tests_name("resolve", tests, setup, NULL);
}
