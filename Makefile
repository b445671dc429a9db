# SPDX-License-Identifier: GPL-2.0-only
#
# make            the tool, build/xdpfwd
# make test       every suite; as root, in namespaces of its own
# make help       the rest
#
# CC and CLANG choose the compilers (CC=clang-19 CLANG=clang-19), BUILD the output
# directory, V=1 shows the command lines.

ifeq ($(origin CC),default)
CC        := gcc
endif
CLANG     ?= clang
FUZZ_CC   ?= clang
BPFTOOL   ?= bpftool
PKGCONFIG ?= pkg-config
BUILD     ?= build
PREFIX    ?= /usr
DESTDIR   ?=

Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-8s %s\n' $(1) $(2))

# bpftool lives in /usr/sbin, which is not in every user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

VERSION   := $(shell cat VERSION)
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null || $(CC) -print-multiarch)
LIBS      := libbpf libxdp libmnl libmicrohttpd jansson yaml-0.1 libcares

WARNINGS := -Wall -Wextra -Werror
INCLUDES := -Iinclude -I$(BUILD)
# An ABI of tomorrow, for the test of upgrades; see include/xdpfwd/abi.h.
NEXT_ABI := $(if $(XF_TEST_ABI),-DXF_TEST_ABI)
DEFINES  := -D_GNU_SOURCE -DXF_VERSION='"$(VERSION)"' $(NEXT_ABI)
PKG_CFLAGS := $(shell $(PKGCONFIG) --cflags $(LIBS))
PKG_LIBS   := $(shell $(PKGCONFIG) --libs $(LIBS)) -lm

# The same names take the same parameters in both tiers, whether they need them or not.
BPF_CFLAGS  := -O2 -g -target bpf -mcpu=v3 $(WARNINGS) -Wno-unused-parameter $(NEXT_ABI) -Iinclude -I/usr/include/$(MULTIARCH)
BASE_CFLAGS := -std=gnu11 -g $(WARNINGS) $(INCLUDES) $(DEFINES) $(PKG_CFLAGS)
HARDENING   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
TOOL_CFLAGS := -O2 $(BASE_CFLAGS) $(HARDENING)
TOOL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
SAN         := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS  := -O1 $(BASE_CFLAGS) $(SAN) -Iuser
FUZZ_CFLAGS := -O1 $(BASE_CFLAGS) $(SAN) -Iuser

# Who needs the skeleton, and so a working BPF build: told by the include line, kept nowhere else.
SKEL       := $(BUILD)/xdpfwd.skel.h
USER_SRC   := $(wildcard user/*.c)
TESTED_SRC := $(filter-out user/main.c,$(USER_SRC))
SKEL_SRC   := $(if $(USER_SRC),$(shell grep -l 'xdpfwd\.skel\.h' $(USER_SRC)))
UNIT_SRC   := $(filter-out $(SKEL_SRC),$(TESTED_SRC))
FUZZ_SRC   := $(filter-out user/cmd%.c user/dataplane%.c user/netdev%.c,$(UNIT_SRC))

UNIT_TESTS  := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_COMMON := $(patsubst tests/unit/%.c,$(BUILD)/unit/%.o,\
	       $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
PACKET_OBJ  := $(patsubst tests/packet/%.c,$(BUILD)/packet/%.o,$(wildcard tests/packet/*.c))
PACKET_TEST := $(if $(PACKET_OBJ),$(BUILD)/packet_test)
FUZZERS     := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
E2E_HELPERS := $(patsubst tests/e2e/%.bpf.c,$(BUILD)/e2e/%.bpf.o,$(wildcard tests/e2e/*.bpf.c)) \
	       $(patsubst tests/e2e/%.c,$(BUILD)/e2e/%,$(filter-out %.bpf.c,$(wildcard tests/e2e/*.c)))

.DELETE_ON_ERROR:
# Objects that only a test program needs are still worth keeping.
.SECONDARY:
.PHONY: all help abi next-abi test unit packet e2e differ package fuzz tests compilers demo bench bench-quick bench-flood install deb lint format clean

all: $(BUILD)/xdpfwd abi

help:
	@echo 'make                      the tool ($(BUILD)/xdpfwd)'
	@echo 'make test                 every suite: unit packet e2e differ package fuzz kernels (root)'
	@echo 'make unit|packet|...      one of them; make test-kernels'
	@echo 'make compilers            the tool with clang 14 and with clang 19'
	@echo 'make demo                 forwards real traffic in a sandbox of namespaces (root)'
	@echo 'make bench                twenty minutes: all that tools/bench measures, and the goals (root)'
	@echo 'make bench-quick          four minutes of it'
	@echo 'make lint, make format    checks of style and layering; clang-format in place'
	@echo 'make bench-flood          connections that stand and new ones during a flood of millions (root)'
	@echo 'make deb                  the Debian package, in $(BUILD)/deb'
	@echo 'make install              to DESTDIR= and PREFIX=$(PREFIX)'

# ---- data plane: two objects, one skeleton

$(BUILD)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/xdpfwd.bpf.o: $(BUILD)/xdpfwd_xdp.bpf.o $(BUILD)/xdpfwd_tc.bpf.o
	$(call say,BPFTOOL,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): $(BUILD)/xdpfwd.bpf.o
	$(call say,BPFTOOL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name xdpfwd_bpf > $@

# ---- the tool

TOOL_OBJ := $(USER_SRC:user/%.c=$(BUILD)/user/%.o)

$(BUILD)/xdpfwd: $(TOOL_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $(LDFLAGS) $^ $(PKG_LIBS) -o $@

$(BUILD)/user/%.o: user/%.c VERSION
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TOOL_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(SKEL_SRC:user/%.c=$(BUILD)/user/%.o) $(SKEL_SRC:user/%.c=$(BUILD)/san/%.o): | $(SKEL)

# ---- the ABI header: no padding that is not spelled out, for either side

abi: $(BUILD)/abi.stamp

ABI_HEADERS := $(wildcard include/xdpfwd/*.h)

$(BUILD)/abi.stamp: $(ABI_HEADERS)
	@mkdir -p $(@D)
	@{ printf '#include "%s"\n' $(^:include/%=%); \
	   sed -n 's/^struct \(xf_[a-z0-9_]*\) {/_Static_assert(sizeof(struct \1) > 0, "");/p' $^; } > $(BUILD)/abi.c
	$(call say,ABI,include/xdpfwd)
	$(Q)$(CLANG) -target bpf -Wpadded $(WARNINGS) $(NEXT_ABI) -Iinclude -I/usr/include/$(MULTIARCH) -fsyntax-only $(BUILD)/abi.c
	$(Q)$(CLANG) -Wpadded $(WARNINGS) $(NEXT_ABI) -Iinclude -fsyntax-only $(BUILD)/abi.c
	@touch $@

# ---- tests

# All of the tool but main(): a test program takes from it what it needs.
$(BUILD)/san/%.o: user/%.c VERSION
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/san/unit.a: $(UNIT_SRC:user/%.c=$(BUILD)/san/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(BUILD)/san/all.a: $(TESTED_SRC:user/%.c=$(BUILD)/san/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(BUILD)/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/unit/test_%: $(BUILD)/unit/test_%.o $(UNIT_COMMON) $(BUILD)/san/unit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN) $^ -Wl,--as-needed -lcmocka $(PKG_LIBS) -o $@

$(BUILD)/packet/%.o: tests/packet/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/packet_test: $(PACKET_OBJ) $(BUILD)/san/all.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN) $^ -Wl,--as-needed -lcmocka $(PKG_LIBS) -o $@

$(BUILD)/fuzz/user/%.o: user/%.c VERSION
	@mkdir -p $(@D)
	$(call say,FUZZ_CC,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/fuzz/user.a: $(FUZZ_SRC:user/%.c=$(BUILD)/fuzz/user/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/user.a
	@mkdir -p $(@D)
	$(call say,FUZZ_CC,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP $(filter %.c %.a,$^) -Wl,--as-needed $(PKG_LIBS) -o $@

$(BUILD)/e2e/%.bpf.o: tests/e2e/%.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/e2e/%: tests/e2e/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -O2 $(BASE_CFLAGS) -MMD -MP $< -o $@

# The tool as a later version may be, with another layout of the maps.
next-abi:
	+$(MAKE) BUILD=$(BUILD)/next-abi XF_TEST_ABI=1 all

tests: all compilers next-abi $(UNIT_TESTS) $(PACKET_TEST) $(FUZZERS) $(E2E_HELPERS)

test: tests
	BUILD=$(BUILD) tests/run
unit: $(UNIT_TESTS)
	BUILD=$(BUILD) tests/run unit
packet: $(PACKET_TEST)
	BUILD=$(BUILD) tests/run packet
e2e: all compilers next-abi $(E2E_HELPERS)
	BUILD=$(BUILD) tests/run e2e
differ: all
	BUILD=$(BUILD) tests/run differ
package: all
	BUILD=$(BUILD) tests/run package
fuzz: $(FUZZERS)
	BUILD=$(BUILD) tests/run fuzz

# Warning-free with the oldest and the newest compiler that Debian 12 has.
compilers:
	+$(MAKE) BUILD=$(BUILD)/clang-14 CC=clang-14 CLANG=clang-14 all
	+$(MAKE) BUILD=$(BUILD)/clang-19 CC=clang-19 CLANG=clang-19 all

demo: all
	BUILD=$(BUILD) tools/demo
bench: all
	BUILD=$(BUILD) tools/bench/all
bench-quick: all
	BUILD=$(BUILD) tools/bench/all --quick
bench-flood: all
	BUILD=$(BUILD) tools/bench/flood

-include tests/kernels/kernels.mk

# ---- the rest

install: all
	install -D -m 0755 $(BUILD)/xdpfwd $(DESTDIR)$(PREFIX)/sbin/xdpfwd
	@for page in $(wildcard docs/man/*.[1-9]); do \
		install -v -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	@set -e; share=$(DESTDIR)$(PREFIX)/share; \
	for file in bash-completion/completions/xdpfwd fish/vendor_completions.d/xdpfwd.fish \
		zsh/vendor-completions/_xdpfwd; do \
		install -v -d $$share/$${file%/*}; \
		$(BUILD)/xdpfwd completion $$(expr $$file : '\([a-z]*\)') >$$share/$$file; done

deb:
	BUILD=$(BUILD) tools/deb

lint: all
	BUILD=$(BUILD) tools/lint
format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
