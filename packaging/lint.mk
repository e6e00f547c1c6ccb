# What `make lint` looks at. Each part can be run alone: make lint-format, lint-code, lint-sql, lint-shell, lint-text, lint-cppcheck,
# lint-tidy. The first five take seconds.
#   FILES='a.c b.h'   only these (lint-format, lint-code, lint-tidy, lint-cppcheck, format)

C_FOLDERS := shared fusefs extractd adminctl httpshim tests
FILES ?= $(shell find $(C_FOLDERS) -name '*.[ch]' | LC_ALL=C sort)
LINT_PARTS := lint-format lint-code lint-sql lint-shell lint-text lint-cppcheck lint-tidy
TIDY_FILES := $(filter %.c,$(FILES))
TIDY_STAMPS := $(addprefix $(BUILD)/lint/,$(addsuffix .tidy,$(TIDY_FILES)))
LINT_HEADERS := $(shell find $(C_FOLDERS) -name '*.h')
HARNESS = -std=gnu17 -I. -I$(BUILD)/gen -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTENANTFS_VERSION='"$(VERSION)"'
part_cflags = $(if $(filter extractd/worker/%,$(1)),$(CFLAGS_worker),$(if $(filter fusefs/%,$(1)),$(CFLAGS_fusefs),$(if \
	$(filter httpshim/%,$(1)),$(CFLAGS_httpshim),$(if $(filter tests/%,$(1)),$(CFLAGS_worker) $(CFLAGS_fusefs) $(CFLAGS_httpshim) \
	$(CFLAGS_shared) $(CMOCKA_FLAGS),$(CFLAGS_shared)))))

.PHONY: lint $(LINT_PARTS) format lint-tidy-stamps
lint: ## check formatting, likely mistakes, layers, lengths, SQL, shell
	@packaging/lint/run "$(MAKE)" BUILD="$(BUILD)" $(if $(filter command line,$(origin FILES)),FILES="$(FILES)") -- $(LINT_PARTS)

format: ## format the C sources in place (FILES=… for some)
	clang-format -i $(FILES)
lint-format:
	@clang-format --dry-run -Werror $(FILES)
lint-code:
	@packaging/lint/check-c $(FILES)
lint-sql:
	@packaging/lint/check-sql
lint-shell:
	@packaging/lint/check-shell
lint-text:
	@packaging/lint/check-text
lint-cppcheck: $(GENERATED_HEADERS)
	@mkdir -p $(BUILD)/lint/cppcheck
	@cppcheck --quiet -j2 --cppcheck-build-dir=$(BUILD)/lint/cppcheck --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=packaging/lint/cppcheck.suppress --error-exitcode=1 --std=c11 --library=gnu --library=posix \
		-D_GNU_SOURCE -I. -I$(BUILD)/gen $(filter %.c,$(FILES))
# Tests are not analysed: the analyser does not know that cmocka's assertions end a test.
tidy_checks = $(if $(filter tests/%,$(1)),--checks=-clang-analyzer-*)
# A file is looked at again when it or any header changed.
lint-tidy: $(GENERATED_HEADERS)
	@$(MAKE) --no-print-directory -k -j2 BUILD="$(BUILD)" FILES="$(FILES)" lint-tidy-stamps
lint-tidy-stamps: $(TIDY_STAMPS)
$(BUILD)/lint/%.tidy: % .clang-tidy $(LINT_HEADERS)
	@mkdir -p $(@D)
	@timeout 120 clang-tidy --quiet $(call tidy_checks,$<) $< -- $(HARNESS) $(call part_cflags,$<) >$@.out 2>&1 || { grep -v "warnings* generated" $@.out; exit 1; }
	@touch $@
