# SPDX-License-Identifier: GPL-2.0-only
#
# What tools/bench runs, built to $(BUILD)/bench. Read after the Makefile, whose
# variables it uses: make -f Makefile -f tools/bench/bench.mk bench-tools

ifndef BENCH_MK
BENCH_MK := 1

BENCH_SKEL  := $(patsubst tools/bench/%.bpf.c,$(BUILD)/bench/%.skel.h,$(wildcard tools/bench/*.bpf.c))
BENCH_DRIVE := $(addprefix $(BUILD)/bench/,drive.o options.o port.o blank.o generator.o ends.o)
BENCH_COST  := $(addprefix $(BUILD)/bench/,cost.o port.o blank.o ends.o)
BENCH_PAIR  := $(addprefix $(BUILD)/bench/,pair.o port.o)
BENCH_FORGE := $(addprefix $(BUILD)/bench/,forge.o port.o)

.PHONY: bench-tools
bench-tools: $(BUILD)/bench/drive $(BUILD)/bench/cost $(BUILD)/bench/forge $(BUILD)/bench/pair \
	     $(BUILD)/bench/pingpong

$(BUILD)/bench/drive: $(BENCH_DRIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $^ $(PKG_LIBS) -lpthread -o $@

$(BUILD)/bench/cost: $(BENCH_COST)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(BUILD)/bench/forge: $(BENCH_FORGE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(BUILD)/bench/pair: $(BENCH_PAIR)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(BUILD)/bench/pingpong: $(BUILD)/bench/pingpong.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $^ -o $@

$(BUILD)/bench/%.bpf.o: tools/bench/%.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/bench/%.skel.h: $(BUILD)/bench/%.bpf.o
	$(call say,BPFTOOL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name bench_$* > $@

$(BUILD)/bench/%.o: tools/bench/%.c | $(BENCH_SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TOOL_CFLAGS) -I$(BUILD)/bench -MMD -MP -c $< -o $@

endif
