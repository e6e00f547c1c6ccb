# Fuzzing with libFuzzer (clang), under address and undefined-behaviour sanitizers.
#   make fuzz                        every target, FUZZ_SECONDS each (60)
#   make fuzz FUZZ=csv               those whose name holds the word
# A target is tests/fuzz/NAME_fuzz.c, and beside it NAME_fuzz.mk:
#   FUZZ_SOURCES_NAME_fuzz := …      what it is compiled with, beside shared/base
#   FUZZ_PART_NAME_fuzz := worker    whose packages it takes (default: base)
#   FUZZ_SEEDS_NAME_fuzz := …        files to start from; what is found goes to $(BUILD)/fuzz/NAME_fuzz-corpus
# A finding leaves its input in $(BUILD)/fuzz/ and fails.
FUZZ ?=
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
CORPUS ?= $(TENANTFS_CORPUS)
include $(sort $(wildcard tests/fuzz/*_fuzz.mk))
FUZZ_NAMES := $(patsubst tests/fuzz/%.mk,%,$(sort $(wildcard tests/fuzz/*_fuzz.mk)))
FUZZ_CHOSEN = $(foreach name,$(FUZZ_NAMES),$(if $(FUZZ),$(if $(findstring $(FUZZ),$(name)),$(name)),$(name)))
FUZZ_FLAGS = -std=gnu17 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -pthread \
	-I. -I$(BUILD)/gen -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTENANTFS_VERSION='"$(VERSION)"' -DTENANTFS_DEBUG=1

define fuzz_target
$(BUILD)/fuzz/$(1): tests/fuzz/$(1).c tests/fuzz/$(1).mk $(FUZZ_SOURCES_$(1)) $(SRC_base)
	@mkdir -p $$(@D); echo "  FUZZ $$@"
	@$$(FUZZ_CC) $$(FUZZ_FLAGS) $$(CFLAGS_$(or $(FUZZ_PART_$(1)),base)) -o $$@ $$(filter %.c,$$^) \
		$$(LIBS_$(or $(FUZZ_PART_$(1)),base)) $$(shell $$(PKG_CONFIG) --libs $$(PKGS_$(or $(FUZZ_PART_$(1)),base)))
.PHONY: run-$(1)
run-$(1): $(BUILD)/fuzz/$(1)
	@mkdir -p $(BUILD)/fuzz/$(1)-corpus
	@tests/fuzz/run $(BUILD)/fuzz/$(1) $$(FUZZ_SECONDS) $$(FUZZ_SEEDS_$(1))
endef
$(foreach name,$(FUZZ_NAMES),$(eval $(call fuzz_target,$(name))))

.PHONY: fuzz
fuzz: $(addprefix run-,$(FUZZ_CHOSEN)) ## fuzz our own readers (FUZZ=word: some of them; FUZZ_SECONDS=60 each)
