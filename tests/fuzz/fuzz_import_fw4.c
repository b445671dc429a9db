/* SPDX-License-Identifier: GPL-2.0-only */
/* /etc/config/firewall, or what somebody calls so. */
#include "import_property.h"

IMPORT_FUZZER(import_fw4(&im, text, size, &err))
