/* SPDX-License-Identifier: GPL-2.0-only */
/* From single answers to whether a target is up: it takes several in a row to change that. Pure. */
#ifndef XDPFWD_USER_PULSE_H
#define XDPFWD_USER_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero is not known. */
struct pulse {
	bool known, up;
	uint32_t against; /* answers in a row that say otherwise */
};

/* Is it another now? The first answer counts at once. */
static inline bool pulse_take(struct pulse *pulse, bool answered, uint32_t threshold)
{
	if (pulse->known && answered == pulse->up) {
		pulse->against = 0;
		return false;
	}
	if (pulse->known && ++pulse->against < threshold)
		return false;
	*pulse = (struct pulse){.known = true, .up = answered};
	return true;
}

#endif
