# Tests. `make test` runs all that need no other machine and sums up in one last line: N passed, N failed.
#   T=word   only the tests whose path holds the word (make test T=rename)

# --- unit tests: one program for each tests/unit/NAME_test.c ---

# --- end to end: scripts that each start a stack of their own (tests/lib/stack.sh) ---
T ?=
TEST_JOBS ?= 2
SHELL_TESTS = $(sort $(wildcard $(addsuffix /*.t,$(addprefix tests/,cli mount crash sandbox http))))
tests_of = $(foreach t,$(1),$(if $(findstring $(T),$(t)),$(t)))
run_tests = @BUILD="$(abspath $(BUILD))" tests/lib/run-tests --jobs $(TEST_JOBS) $(call tests_of,$(1))

.PHONY: test test-mount test-cli test-crash test-sandbox test-http
test: all $(UNIT_TESTS) ## run every test; the last line is `N passed, N failed`
	$(call run_tests,$(UNIT_TESTS) $(SHELL_TESTS))
test-mount test-cli test-crash test-sandbox test-http: test-%: all ## one folder of tests alone
	$(call run_tests,$(sort $(wildcard tests/$*/*.t)))
