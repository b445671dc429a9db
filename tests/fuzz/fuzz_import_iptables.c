/* SPDX-License-Identifier: GPL-2.0-only */
/* iptables-save's output, or what somebody calls so. */
#include "import_property.h"

IMPORT_FUZZER(import_iptables(&im, text, size, &err))
