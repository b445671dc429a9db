/* SPDX-License-Identifier: GPL-2.0-only */
/* What sshd says of a connection: taken with a port, or refused and nothing changed. */
#include "property.h"

#include "ssh_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xf_address client;
	struct ssh_session session = {.port = 7};
	char *text = property_text(data, size);

	if (ssh_session_parse(text, &session))
		PROPERTY(session.port && ssh_session_client(text, &client));
	else
		PROPERTY(session.port == 7 && !session.addr.family);
	free(text);
	return 0;
}
