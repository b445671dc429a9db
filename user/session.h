/* SPDX-License-Identifier: GPL-2.0-only */
/* From where the user works on this machine. */
#ifndef XDPFWD_USER_SESSION_H
#define XDPFWD_USER_SESSION_H

#include "addr.h"

/* The client of the SSH session that this runs in; false: there is none, or it cannot be told. */
bool session_client(struct xf_address *client);

#endif
