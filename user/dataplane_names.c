// SPDX-License-Identifier: GPL-2.0-only
/* The contract's words for what the maps have as numbers. */
#include "dataplane.h"

const char *dp_tier_name(enum xf_tier tier)
{
	switch (tier) {
	case XF_TIER_NATIVE:
		return "native";
	case XF_TIER_GENERIC:
		return "generic";
	case XF_TIER_TC:
		return "tc";
	}
	return "?";
}

const char *dp_reason_label(enum xf_reason reason)
{
	static const char *const labels[] = {
#define X(name, label, sentence) label,
		XF_REASONS(X)
#undef X
	};

	return (unsigned int)reason < XF_REASON_COUNT ? labels[reason] : "?";
}

const char *dp_flow_state_name(enum xf_flow_state state)
{
	switch (state) {
	case XF_FLOW_PENDING:
		return "pending";
	case XF_FLOW_ANSWERED:
	case XF_FLOW_ESTABLISHED:
		return "established";
	case XF_FLOW_CLOSING:
		return "closing";
	case XF_FLOW_CLOSED:
		return "closed";
	}
	return "?";
}
