/* SPDX-License-Identifier: GPL-2.0-only */
/* SSH_CONNECTION and SSH_CLIENT. */
#include "ssh_session.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 4
#define WORD_LEN  64

/* Of the first word. Link-local addresses come with the name of their interface. */
static bool parse_address(const char *text, struct xf_address *addr)
{
	size_t len = strcspn(text, " %");
	char word[WORD_LEN];

	if (len >= sizeof(word))
		return false;
	snprintf(word, sizeof(word), "%.*s", (int)len, text);
	return !xf_address_parse(word, addr, NULL);
}

static bool parse_port(const char *text, uint16_t *port)
{
	uint32_t number;

	if (xf_u32_parse(text, 1, 65535, &number, NULL))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* How many words there are; more than WORDS_MAX, or one too long: 0. */
static int split(const char *text, char words[WORDS_MAX][WORD_LEN])
{
	int n;

	for (n = 0; *text; n++) {
		size_t len = strcspn(text, " ");

		if (n == WORDS_MAX || !len || len >= WORD_LEN)
			return 0;
		snprintf(words[n], WORD_LEN, "%.*s", (int)len, text);
		text += len;
		text += *text == ' ';
	}
	return n;
}

bool ssh_session_client(const char *text, struct xf_address *client)
{
	return parse_address(text, client);
}

bool ssh_session_parse(const char *text, struct ssh_session *session)
{
	struct ssh_session server = {0};
	char words[WORDS_MAX][WORD_LEN];
	struct xf_address client;
	uint16_t client_port;
	int n = split(text, words);

	if (n < 3 || !parse_address(words[0], &client) || !parse_port(words[1], &client_port))
		return false;
	if (n == 4 && !parse_address(words[2], &server.addr))
		return false;
	if (!parse_port(words[n - 1], &server.port))
		return false;
	*session = server;
	return true;
}
