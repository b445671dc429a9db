/* SPDX-License-Identifier: GPL-2.0-only */
/* docker inspect's output, or what somebody calls so. */
#include "import_property.h"

IMPORT_FUZZER(import_docker(&im, text, size, &err))
