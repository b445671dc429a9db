/* SPDX-License-Identifier: GPL-2.0-only */
/* What sshd tells its children of the connection that they serve. Pure: the text is read by whoever calls. */
#ifndef XDPFWD_USER_SSH_SESSION_H
#define XDPFWD_USER_SSH_SESSION_H

#include "addr.h"

/* The server's end of it. */
struct ssh_session {
	struct xf_address addr; /* family 0: not told */
	uint16_t port;
};

/*
 * SSH_CONNECTION ("CLIENT PORT SERVER PORT") or SSH_CLIENT ("CLIENT PORT
 * SERVER-PORT"); false if it is neither.
 */
bool ssh_session_parse(const char *text, struct ssh_session *session);

/* The client's address, with which both begin; whatever follows it. */
bool ssh_session_client(const char *text, struct xf_address *client);

#endif
