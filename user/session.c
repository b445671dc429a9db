// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE    "SSH_CONNECTION"
#define GENERATIONS 32 /* of parents that are looked at */

/* "CLIENT PORT SERVER PORT", the client with a scope if it is link-local. */
static bool parse(const char *connection, struct xf_address *client)
{
	size_t len = strcspn(connection, " %");
	char text[64];

	if (len >= sizeof(text))
		return false;
	memcpy(text, connection, len);
	text[len] = '\0';
	return !xf_address_parse(text, client, NULL);
}

/* sudo takes the variable away, but has it itself. */
static bool find_in_environment(pid_t pid, struct xf_address *client)
{
	char path[64], *entry = NULL;
	bool found = false;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	f = fopen(path, "re");
	while (f && !found && getdelim(&entry, &room, '\0', f) > 0)
		if (!strncmp(entry, VARIABLE "=", sizeof(VARIABLE)))
			found = parse(entry + sizeof(VARIABLE), client);
	free(entry);
	if (f)
		fclose(f);
	return found;
}

/* 0: there is none, or it cannot be told. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[128];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (f)
		fclose(f);
	return parent;
}

bool session_client(struct xf_address *client)
{
	const char *connection = getenv(VARIABLE);
	pid_t pid = getppid();
	int i;

	if (connection)
		return parse(connection, client);
	for (i = 0; i < GENERATIONS && pid > 1; i++) {
		if (find_in_environment(pid, client))
			return true;
		pid = parent_of(pid);
	}
	return false;
}
