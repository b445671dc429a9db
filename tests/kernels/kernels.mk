# SPDX-License-Identifier: GPL-2.0-only
#
# make test-kernels               the tests under Debian's kernels 6.1 and 6.12, in QEMU (root)
# make test-kernels KERNELS=5.10  under others, see tests/kernels/fetch
# make test-kernels KERNEL_MORE=1 and the ordinary end-to-end tests that take long there
# make kernels                    only fetches those kernels

KERNELS ?= 6.1 6.12
KERNEL_TESTS := $(BUILD)/kernels/load_check

.PHONY: test-kernels kernels

$(BUILD)/kernels/load_check: tests/kernels/load_check.c user/dataplane_probe.c $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -O2 $(BASE_CFLAGS) -Iuser $(filter %.c,$^) -Wl,--as-needed -lbpf -o $@

tests: $(KERNEL_TESTS)

test-kernels: all $(PACKET_TEST) $(E2E_HELPERS) $(KERNEL_TESTS)
	BUILD=$(BUILD) KERNELS="$(KERNELS)" KERNEL_MORE="$(KERNEL_MORE)" tests/run kernels

kernels:
	@for kernel in $(KERNELS); do tests/kernels/fetch $$kernel || exit 1; done
