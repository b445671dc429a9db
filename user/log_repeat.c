// SPDX-License-Identifier: GPL-2.0-only
#include "log_repeat.h"

#include <stddef.h>
#include <stdint.h>

struct line {
	uint64_t hash;
	time_t until; /* 0: there is none */
};

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

bool log_repeat(const char *text, time_t now)
{
	static struct line lines[LOG_REPEAT_LINES];
	uint64_t hash = hash_of(text);
	struct line *oldest = lines;
	size_t i;

	for (i = 0; i < LOG_REPEAT_LINES; i++) {
		if (lines[i].until > now && lines[i].hash == hash)
			return true;
		if (lines[i].until < oldest->until)
			oldest = &lines[i];
	}
	*oldest = (struct line){.hash = hash, .until = now + LOG_REPEAT_SECONDS};
	return false;
}
