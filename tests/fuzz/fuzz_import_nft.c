/* SPDX-License-Identifier: GPL-2.0-only */
/* nft -j list ruleset, or what somebody calls so. */
#include "import_property.h"

IMPORT_FUZZER(import_nft(&im, text, size, &err))
