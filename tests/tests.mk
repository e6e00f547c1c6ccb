# Tests. `make test` runs all that need no other machine and sums up in one last line: N passed, N failed.
#   T=word   only the tests whose path holds the word (make test T=rename)

# --- unit tests: one program for each tests/unit/NAME_test.c ---
# It is linked with libshared, libbase and what it uses of tests/unit/support. What else it needs stands in tests/unit/NAME_test.mk:
#   UNIT_OBJECTS_NAME_test := $(call objects,fusefs/tree.c fusefs/order.c)    objects of a program
#   UNIT_PART_NAME_test := fusefs                                             whose packages and flags it takes (default: shared)
-include $(sort $(wildcard tests/unit/*_test.mk))
UNIT_NAMES   := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*_test.c)))
UNIT_TESTS   := $(addprefix $(BUILD)/tests/unit/,$(UNIT_NAMES))
UNIT_SUPPORT := $(call objects,$(sort $(wildcard tests/unit/support/*.c)))
$(BUILD)/tests/libsupport.a: $(UNIT_SUPPORT)
	@rm -f $@
	$(AR) rcs $@ $^
CMOCKA_FLAGS := $(call pkg_cflags,cmocka)
CFLAGS_extractd := $(CFLAGS_shared)
CFLAGS_adminctl := $(CFLAGS_shared)

define unit_test
$(BUILD)/tests/unit/$(1).o: PART_CFLAGS := $$(CFLAGS_$(or $(UNIT_PART_$(1)),shared)) $$(CMOCKA_FLAGS)
$(BUILD)/tests/unit/$(1): $(BUILD)/tests/unit/$(1).o $$(UNIT_OBJECTS_$(1)) $$(BUILD)/tests/libsupport.a $$(BUILD)/libshared.a $$(BUILD)/libbase.a
	$$(call link,$(or $(UNIT_PART_$(1)),shared)) $$(shell $$(PKG_CONFIG) --libs cmocka)
endef
$(foreach name,$(UNIT_NAMES),$(eval $(call unit_test,$(name))))
$(UNIT_SUPPORT): PART_CFLAGS := $(CFLAGS_shared) $(CMOCKA_FLAGS)

# --- programs that the scripts need beside the real ones ---
include tests/sandbox/sandbox.mk
TEST_PROGRAMS := $(BUILD)/tests/hostile-worker

# --- end to end: scripts that each start a stack of their own (tests/lib/stack.sh) ---
T ?=
TEST_JOBS ?= 2
SHELL_TESTS = $(sort $(wildcard $(addsuffix /*.t,$(addprefix tests/,cli mount extract crash sandbox http))))
tests_of = $(if $(T),$(foreach t,$(1),$(if $(findstring $(T),$(t)),$(t))),$(1))
run_tests = @BUILD="$(abspath $(BUILD))" tests/lib/run-tests --jobs $(TEST_JOBS) $(if $(SANITIZE),--timeout 600) $(call tests_of,$(1))

.PHONY: unit unit-programs check-asan check-tsan
unit-programs: $(UNIT_TESTS)
unit: $(UNIT_TESTS) ## build and run the unit tests (T=word: some of them)
	$(call run_tests,$(UNIT_TESTS))

# --- under sanitizers ---
# TESTS: scripts to run beside the unit tests, e.g. make check-asan TESTS='tests/mount/rename.t'; with any, the programs are built too.
TESTS ?=
ASAN_OPTIONS ?= detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
UBSAN_OPTIONS ?= print_stacktrace=1
TSAN_OPTIONS ?= halt_on_error=1:second_deadlock_stack=1:suppressions=$(abspath tests/lib/tsan.supp)
LSAN_OPTIONS ?= suppressions=$(abspath tests/lib/lsan.supp):print_suppressions=0
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS
.PHONY: sanitized
sanitized: $(UNIT_TESTS) $(if $(TESTS),all $(TEST_PROGRAMS))
	$(call run_tests,$(UNIT_TESTS) $(TESTS))
check-asan: ## the unit tests (and TESTS) under the address and undefined behaviour sanitizers
	$(MAKE) SANITIZE=address,undefined BUILD=$(BUILD)-asan sanitized
check-tsan: ## the unit tests (and TESTS) under the thread sanitizer
	$(MAKE) SANITIZE=thread BUILD=$(BUILD)-tsan sanitized

.PHONY: test test-mount test-cli test-extract test-crash test-sandbox test-http
test: all $(UNIT_TESTS) $(TEST_PROGRAMS) ## run every test; the last line is `N passed, N failed`
	$(call run_tests,$(UNIT_TESTS) $(SHELL_TESTS))
test-mount test-cli test-extract test-crash test-sandbox test-http: test-%: all $(TEST_PROGRAMS) ## one folder of tests alone
	$(call run_tests,$(sort $(wildcard tests/$*/*.t)))

# --- measuring: see tests/bench/run for ROUNDS, COUNT, SIZE ---
PASSTHROUGH_EXAMPLE := $(firstword $(wildcard /usr/share/doc/libfuse3-dev/examples/passthrough_ll.c /usr/share/doc/libfuse3-dev/examples/passthrough_ll.c.gz))
BENCH_PROGRAMS := $(addprefix $(BUILD)/tests/bench/,mdbench latency $(if $(PASSTHROUGH_EXAMPLE),passthrough_ll))
$(BUILD)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $<
$(BUILD)/tests/bench/passthrough_ll: $(PASSTHROUGH_EXAMPLE)
	@mkdir -p $(@D)
	zcat -f $< >$(@D)/passthrough_ll.c
	cp $(dir $<)/passthrough_helpers.h $(@D)/ 2>/dev/null || zcat $(dir $<)/passthrough_helpers.h.gz >$(@D)/passthrough_helpers.h
	$(CC) -O2 -pthread -D_FILE_OFFSET_BITS=64 -o $@ $(@D)/passthrough_ll.c $(shell $(PKG_CONFIG) --cflags --libs fuse3)
.PHONY: bench
bench: all $(BENCH_PROGRAMS) ## measure the mount against passthrough_ll and the bare folder, extraction latency, idle daemons
	@BUILD="$(abspath $(BUILD))" tests/bench/run

# --- fuzzing and accuracy ---
include tests/fuzz/fuzz.mk
.PHONY: accuracy
accuracy: $(BUILD)/bin/extract-worker ## measure the extraction against the corpus (TENANTFS_CORPUS=dir), into docs/accuracy.md
	@tests/accuracy/measure --worker $< --write docs/accuracy.md
