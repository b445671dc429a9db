/* SPDX-License-Identifier: GPL-2.0-only */
/* What `run` waits for: descriptors and times, changes of the network and of a file, and what it tells its manager. */
#include "sandbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "filewatch.h"
#include "monitor.h"
#include "notify.h"

#define LONG_MS 20000 /* until a test is given up */

struct world {
	struct loop *loop;
	struct loop_timer deadline;
	int calls, wanted;
};

static void give_up(struct loop_timer *timer)
{
	loop_stop(((struct world *)timer->arg)->loop);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || loop_new(&w->loop, NULL))
		return -1;
	w->deadline = (struct loop_timer){.due = give_up, .arg = w};
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	loop_free(w->loop);
	free(w);
	return 0;
}

static void called(void *arg)
{
	struct world *w = arg;

	if (++w->calls >= w->wanted)
		loop_stop(w->loop);
}

/* Until it was called so often. */
static void run_until(struct world *w, int calls)
{
	w->calls = 0;
	w->wanted = calls;
	loop_timer_set(w->loop, &w->deadline, LONG_MS);
	assert_int_equal(loop_run(w->loop, NULL), 0);
	loop_timer_stop(w->loop, &w->deadline);
	assert_int_equal(w->calls, calls);
}

/* ---- the loop */

static char order[8];

static void note_timer(struct loop_timer *timer)
{
	strncat(order, timer->arg, sizeof(order) - strlen(order) - 1);
}

static void test_timers(void **state)
{
	struct world *w = *state;
	struct loop_timer a = {.due = note_timer, .arg = "a"}, b = {.due = note_timer, .arg = "b"};
	struct loop_timer c = {.due = note_timer, .arg = "c"}, end = {.due = give_up, .arg = w};

	loop_timer_set(w->loop, &a, 30);
	loop_timer_set(w->loop, &b, 10);
	loop_timer_set(w->loop, &c, 20);
	loop_timer_set(w->loop, &a, 15); /* moved */
	loop_timer_stop(w->loop, &c);
	loop_timer_stop(w->loop, &c); /* again does no harm */
	loop_timer_set(w->loop, &end, 40);
	assert_int_equal(loop_run(w->loop, NULL), 0);
	assert_string_equal(order, "ba");
}

static void forget_both(struct loop_fd *fd, uint32_t events)
{
	struct loop_fd *other = fd->arg;

	assert_true(events & EPOLLIN);
	close(other->fd);
	close(fd->fd);
	memset(other, 0x5a, sizeof(*other)); /* as if it were freed */
	memset(fd, 0x5a, sizeof(*fd));
	strcat(order, "!");
}

/* Both are ready; the first one that is called takes the other away. */
static void test_forgotten(void **state)
{
	struct world *w = *state;
	struct loop_timer end = {.due = give_up, .arg = w};
	struct loop_fd fd[2] = {{.ready = forget_both, .arg = &fd[1]}, {.ready = forget_both, .arg = &fd[0]}};
	int i, pair[2];

	order[0] = '\0';
	for (i = 0; i < 2; i++) {
		assert_int_equal(pipe(pair), 0);
		assert_int_equal(write(pair[1], "x", 1), 1);
		close(pair[1]);
		fd[i].fd = pair[0];
		assert_int_equal(loop_watch(w->loop, &fd[i], EPOLLIN), 0);
	}
	loop_timer_set(w->loop, &end, 20);
	assert_int_equal(loop_run(w->loop, NULL), 0);
	assert_string_equal(order, "!");
}

/* ---- the network */

static struct monitor *monitor(struct world *w, uint32_t buffer)
{
	const struct monitor_options options = {.changed = called, .arg = w, .quiet_ms = 20, .buffer_size = buffer};
	struct monitor *m = NULL;

	assert_int_equal(monitor_new(&m, w->loop, &options, NULL), 0);
	return m;
}

static void test_network(void **state)
{
	static const char *const changes[] = {
		"link add one type veth peer name two\n",
		"link set one up\n",
		"addr add 198.18.0.1/24 dev one\n",
		"addr add 2001:db8::1/64 dev one nodad\n",
		"link set one down\nlink set one name three\n",
		"route add 198.18.9.0/24 dev lo\n",
		"addr del 198.18.0.1/24 dev three\n",
		"link del three\n",
	};
	struct world *w = *state;
	struct monitor *m;
	size_t i;

	assert_int_equal(sandbox_ip(0, "link set lo up\n"), 0);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		m = monitor(w, 0);
		assert_int_equal(sandbox_ip(0, changes[i]), 0);
		run_until(w, 1);
		monitor_free(m);
	}
}

/* More at once than the socket has room for: it is told all the same, and what comes after that, too. */
static void test_overrun(void **state)
{
	struct world *w = *state;
	struct monitor *m = monitor(w, 1);
	char lines[16384] = "";
	int i, len = 0;

	for (i = 1; i < 200; i++)
		len += snprintf(lines + len, sizeof(lines) - (size_t)len, "addr add 198.18.1.%d/32 dev lo\n", i);
	assert_int_equal(sandbox_ip(0, lines), 0);
	run_until(w, 1);
	assert_int_equal(sandbox_ip(0, "addr del 198.18.1.1/32 dev lo\n"), 0);
	run_until(w, 1);
	monitor_free(m);
}

/* ---- a file */

static char directory[] = "/tmp/xdpfwd-test-XXXXXX";

static const char *in_directory(const char *name)
{
	static char path[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", directory, name);
	return path[next];
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_file(void **state)
{
	struct world *w = *state;
	struct filewatch_options options = {.quiet_ms = 20, .changed = called, .arg = w};
	struct filewatch *f;

	assert_non_null(mkdtemp(directory));
	options.path = in_directory("config");
	write_file(options.path, "one");
	assert_int_equal(filewatch_new(&f, w->loop, &options, NULL), 0);

	write_file(options.path, "another");
	run_until(w, 1);
	write_file(in_directory("new"), "renamed");
	assert_int_equal(rename(in_directory("new"), options.path), 0);
	run_until(w, 1);
	assert_int_equal(unlink(options.path), 0);
	run_until(w, 1);
	write_file(options.path, "here again");
	run_until(w, 1);
	filewatch_free(f);
}

/* As Kubernetes does it: the link leads to another directory, and then to yet another. */
static void test_link(void **state)
{
	struct world *w = *state;
	struct filewatch_options options = {.quiet_ms = 20, .changed = called, .arg = w};
	struct filewatch *f;
	char target[128];

	mkdir(in_directory("v1"), 0700);
	mkdir(in_directory("v2"), 0700);
	write_file(in_directory("v1/f"), "one");
	write_file(in_directory("v2/f"), "two!");
	snprintf(target, sizeof(target), "%s", in_directory("link"));
	options.path = target;
	assert_int_equal(symlink("v1/f", target), 0);
	assert_int_equal(filewatch_new(&f, w->loop, &options, NULL), 0);

	write_file(in_directory("v1/f"), "one, but longer");
	run_until(w, 1);
	assert_int_equal(symlink("v2/f", in_directory("tmp")), 0);
	assert_int_equal(rename(in_directory("tmp"), target), 0);
	run_until(w, 1);
	write_file(in_directory("v2/f"), "two, but longer");
	run_until(w, 1);
	filewatch_free(f);
}

/* Others in the directory are none of its business. */
static void test_neighbour(void **state)
{
	struct world *w = *state;
	struct filewatch_options options = {.quiet_ms = 0, .changed = called, .arg = w};
	struct loop_timer end = {.due = give_up, .arg = w};
	struct filewatch *f;

	options.path = in_directory("config");
	assert_int_equal(filewatch_new(&f, w->loop, &options, NULL), 0);
	write_file(in_directory("other"), "x");
	w->calls = 0;
	w->wanted = 1;
	loop_timer_set(w->loop, &end, 50);
	assert_int_equal(loop_run(w->loop, NULL), 0);
	assert_int_equal(w->calls, 0);
	filewatch_free(f);
}

static int remove_directory(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

/* ---- the manager */

static int manager(const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, name);
	if (name[0] == '@')
		sa.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *heard(int fd)
{
	static char text[1024];
	ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[len < 0 ? 0 : len] = '\0';
	return text;
}

static void test_notify(void **state)
{
	unsigned long long usec;
	int fd;

	(void)state;
	fd = manager("@xdpfwd-test-notify");
	notify_ready("all well");
	assert_string_equal(heard(fd), "READY=1\nSTATUS=all well\n");
	notify_reloading();
	assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu\n", &usec), 1);
	assert_true(usec > 0 && usec / 1000 <= (unsigned long long)loop_now());
	notify_watchdog();
	assert_string_equal(heard(fd), "WATCHDOG=1\n");
	notify_stopping();
	assert_string_equal(heard(fd), "STOPPING=1\n");
	close(fd);
	notify_ready("nobody there"); /* and no harm done */

	unsetenv("NOTIFY_SOCKET");
	notify_ready("nobody asked");
}

static void test_watchdog(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_interval(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_interval(), 15000);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_interval(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_interval(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(notify_watchdog_interval(), 0);
}

static int enter(void **state)
{
	(void)state;
	return sandbox_enter();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_timers), TEST(test_forgotten), TEST(test_network), TEST(test_overrun),  TEST(test_file),
		TEST(test_link),   TEST(test_neighbour), TEST(test_notify),  TEST(test_watchdog),
	};

	return cmocka_run_group_tests_name("loop", tests, enter, remove_directory);
}
