// SPDX-License-Identifier: GPL-2.0-only
/*
 * Published ports of containers: docker inspect, which tells all; the list of
 * Docker's API, which tells enough; and docker ps, which lacks the addresses.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "import.h"

struct container {
	struct import *im;
	char name[64];
	struct xf_address addr4, addr6; /* family 0: it has none */
};

/* One port of a container, on one address of the host. */
struct published {
	const char *host_ip;
	const char *host_port;
	const char *port, *proto;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- which address a container has */

static bool take_addresses(struct container *c, const json_t *network)
{
	if (!c->addr4.family)
		xf_address_parse(text_of(network, "IPAddress"), &c->addr4, NULL);
	if (!c->addr6.family)
		xf_address_parse(text_of(network, "GlobalIPv6Address"), &c->addr6, NULL);
	return c->addr4.family || c->addr6.family;
}

static void find_addresses(struct container *c, const json_t *json)
{
	const json_t *settings = json_object_get(json, "NetworkSettings");
	const json_t *networks = json_object_get(settings, "Networks");
	const char *mode = text_of(json_object_get(json, "HostConfig"), "NetworkMode"), *key;
	json_t *network;

	if (take_addresses(c, json_object_get(networks, strcmp(mode, "default") ? mode : "bridge")))
		return;
	json_object_foreach((json_t *)networks, key, network) {
		if (!take_addresses(c, network))
			continue;
		if (json_object_size(networks) > 1)
			import_note(c->im, "of several networks, its address in %.60s is taken", key);
		return;
	}
	take_addresses(c, settings);
}

/* ---- one port */

static int listen_of(const struct published *p, struct import_cond *cond, struct xf_error *err)
{
	struct import_nets nets = {.n = 0};

	if (import_ports_add(&cond->ports, p->host_port, err) || xf_protos_parse(p->proto, &cond->protos, err))
		return -1;
	if (!*p->host_ip || !strcmp(p->host_ip, "0.0.0.0") || !strcmp(p->host_ip, "::")) {
		cond->family = strcmp(p->host_ip, "::") ? XF_IPV4 : XF_IPV6;
		return 0;
	}
	if (import_nets_add(&nets, p->host_ip, err))
		return -1;
	cond->family = nets.net[0].addr.family;
	import_cond_to(cond, &nets);
	return 0;
}

static void publish(struct container *c, const struct published *p)
{
	struct import_cond cond = {.family = 0};
	struct import_forward f = {.cond = &cond, .name = c->name};
	struct import_ports ports = {.n = 0};
	struct xf_error err;

	if (listen_of(p, &cond, &err) || import_ports_add(&ports, p->port, &err)) {
		import_lost(c->im, "%.20s/%.10s: %.150s", p->port, p->proto, err.text);
		return;
	}
	f.target.addr = cond.family == XF_IPV4 ? c->addr4 : c->addr6;
	f.target.ports = ports.range[0];
	if (f.target.addr.family)
		import_forward(c->im, &f);
	else if (cond.family == XF_IPV6 && c->addr4.family)
		import_lost(c->im,
			    "port %s for IPv6: the container has no IPv6 address, and a rule does not translate "
			    "between the two",
			    p->host_port);
	else
		import_lost(c->im, "port %s: the container has no address; is it running?", p->host_port);
}

/* ---- the three forms */

/* "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], or null where it is not published. */
static void read_inspected(struct container *c, const json_t *ports)
{
	const char *key, *slash;
	char port[8];
	json_t *list;
	size_t i;

	json_object_foreach((json_t *)ports, key, list) {
		slash = strchr(key, '/');
		snprintf(port, sizeof(port), "%.*s", slash ? (int)(slash - key > 7 ? 7 : slash - key) : 0, key);
		for (i = 0; i < json_array_size(list) && import_step(c->im); i++) {
			const json_t *on = json_array_get(list, i);
			struct published p = {text_of(on, "HostIp"), text_of(on, "HostPort"), port,
					      slash ? slash + 1 : ""};

			publish(c, &p);
		}
	}
}

/* [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}] */
static void read_listed(struct container *c, const json_t *ports)
{
	char public[24], private[24];
	size_t i;

	for (i = 0; i < json_array_size(ports) && import_step(c->im); i++) {
		const json_t *on = json_array_get(ports, i), *number = json_object_get(on, "PublicPort");
		struct published p = {text_of(on, "IP"), public, private, text_of(on, "Type")};

		if (!number)
			continue;
		snprintf(public, sizeof(public), "%lld", (long long)json_integer_value(number));
		snprintf(private, sizeof(private), "%lld",
			 (long long)json_integer_value(json_object_get(on, "PrivatePort")));
		publish(c, &p);
	}
}

static const char *name_of(const json_t *json)
{
	const char *name = text_of(json, "Name");

	if (!*name)
		name = text_of(json, "Names");
	if (!*name) {
		name = json_string_value(json_array_get(json_object_get(json, "Names"), 0));
		name = name ? name : text_of(json, "Id");
	}
	return *name == '/' ? name + 1 : name;
}

static bool read_container(struct import *im, const json_t *json)
{
	const json_t *settings = json_object_get(json, "NetworkSettings"), *ports = json_object_get(json, "Ports");
	struct container c = {.im = im};

	snprintf(c.name, sizeof(c.name), "%s", name_of(json));
	import_at(im, "%.60s", *c.name ? c.name : "?");
	if (json_is_string(ports)) {
		if (strstr(json_string_value(ports), "->"))
			import_lost(im, "docker ps does not tell its address: docker inspect %s does", c.name);
		return true;
	}
	if (json_is_array(ports)) {
		find_addresses(&c, json);
		read_listed(&c, ports);
		return true;
	}
	if (!json_is_object(settings))
		return false;
	find_addresses(&c, json);
	ports = json_object_get(settings, "Ports");
	if (!json_object_size(ports))
		ports = json_object_get(json_object_get(json, "HostConfig"), "PortBindings");
	read_inspected(&c, ports);
	return true;
}

/* A list of containers, or one of them. */
static void read_value(struct import *im, const json_t *json)
{
	bool is_list = json_is_array(json);
	size_t i, n = is_list ? json_array_size(json) : 1;

	for (i = 0; i < n && import_step(im); i++) {
		if (read_container(im, is_list ? json_array_get(json, i) : json))
			continue;
		import_at(im, "value %zu", i + 1);
		import_lost(im, "no container: it has neither NetworkSettings nor Ports");
	}
}

static bool is_blank(const char *text, size_t len)
{
	while (len && strchr(" \t\r\n", *text) && *text) {
		text++;
		len--;
	}
	return !len;
}

int import_docker(struct import *im, const char *text, size_t len, struct xf_error *err)
{
	json_error_t why;
	json_t *json;

	if (is_blank(text, len))
		return xf_fail(err, "%.80s: nothing in it: give what `docker inspect` prints", im->input);
	/* docker ps --format json prints one object a line. */
	while (!is_blank(text, len) && import_step(im)) {
		json = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, &why);
		if (!json)
			return xf_fail(err, "%.80s:%d:%d: no JSON: %.100s: give what `docker inspect` prints",
				       im->input, why.line, why.column, why.text);
		read_value(im, json);
		json_decref(json);
		text += why.position;
		len -= (size_t)why.position;
	}
	import_at(im, "%s", "");
	if (im->n)
		import_note(im, "the addresses of containers may change whenever they start");
	return 0;
}
