# tenantfs. `make help` lists what there is to type.
#   BUILD=dir         where everything that is built goes (default: build, or build-<sanitizer>, or build-debug)
#   DEBUG=1           no optimisation, assertions and invariant checks on
#   SANITIZE=address,undefined | thread
#   VAR=dir           where the private stack of `make up` lives (default: ./var)

SHELL := /bin/bash
comma := ,
SANITIZE ?=
DEBUG ?=
BUILD ?= build$(if $(SANITIZE),-$(firstword $(subst $(comma), ,$(SANITIZE))))$(if $(DEBUG),-debug)
VAR ?= var
CC ?= cc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr
VERSION := $(shell cat VERSION)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef \
	-Wimplicit-fallthrough -Wnull-dereference -Wno-missing-field-initializers -Werror
OPTIMISE := $(if $(DEBUG),-O0 -g3 -DTENANTFS_DEBUG=1,-O2 -g -D_FORTIFY_SOURCE=2)
ifneq ($(SANITIZE),)
OPTIMISE := -O1 -g3 -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all -DTENANTFS_DEBUG=1
WARNINGS += -Wno-null-dereference
endif
HARDEN := -fstack-protector-strong -fPIE
CFLAGS ?=
ALL_CFLAGS = -std=gnu17 $(OPTIMISE) $(WARNINGS) $(HARDEN) -pthread -I. -I$(BUILD)/gen -D_GNU_SOURCE \
	-D_FILE_OFFSET_BITS=64 -DTENANTFS_VERSION='"$(VERSION)"' $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

# Each part names the packages it links; nothing else reaches it.
PKGS_base     := libxxhash libcrypto
HAS_REDIS_TLS := $(shell $(PKG_CONFIG) --exists hiredis_ssl libssl && echo yes)
PKGS_shared   := libpq hiredis $(if $(HAS_REDIS_TLS),hiredis_ssl libssl) libarchive libxxhash libcrypto jansson
PKGS_fusefs   := fuse3 $(PKGS_shared)
PKGS_extractd := $(PKGS_shared)
PKGS_worker   := poppler-glib libxml-2.0 libarchive libgsf-1 freexl gmime-3.0 libexif tesseract lept uchardet \
	libexttextcat libseccomp jansson $(PKGS_base)
PKGS_adminctl := $(PKGS_shared)
PKGS_httpshim := libmicrohttpd $(PKGS_shared)
LIBS_fusefs   := -lmagic
LIBS_extractd := -linotifytools
LIBS_worker   := -lmagic -lm
LIBS_adminctl := -lmagic
LIBS_httpshim := -lm

sources = $(sort $(foreach d,$(1),$(wildcard $(d)/*.c)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

SRC_base     := $(call sources,shared/base)
SRC_shared   := $(call sources,shared/config shared/model shared/db shared/cache shared/store shared/validate shared/meta)
SRC_fusefs   := $(call sources,fusefs)
SRC_extractd := $(call sources,extractd)
SRC_worker   := $(call sources,extractd/worker extractd/worker/extractors extractd/worker/formats)
SRC_adminctl := $(call sources,adminctl)
SRC_httpshim := $(call sources,httpshim httpshim/routes)

PROGRAMS := fusefs extractd extract-worker extract-worker-text adminctl httpshim
BINARIES := $(addprefix $(BUILD)/bin/,$(PROGRAMS))

.PHONY: all $(PROGRAMS)
all: $(BINARIES) $(BUILD)/bin/mount.tenantfs
$(PROGRAMS): %: $(BUILD)/bin/%

# --- generated: every query of sql/queries becomes a named constant, every migration is embedded ---
QUERY_FILES     := $(sort $(wildcard sql/queries/*.sql))
MIGRATION_FILES := $(sort $(wildcard sql/migrations/*.sql))

$(BUILD)/gen/queries.stamp: $(QUERY_FILES) sql/generate-queries sql/queries
	@mkdir -p $(BUILD)/gen
	@sql/generate-queries $(BUILD)/gen $(QUERY_FILES)
	@touch $@
$(BUILD)/gen/queries.h $(BUILD)/gen/queries.c: $(BUILD)/gen/queries.stamp ; @:
$(BUILD)/gen/migrations.c: $(MIGRATION_FILES) sql/generate-migrations sql/migrations
	@mkdir -p $(BUILD)/gen
	@sql/generate-migrations $@ $(MIGRATION_FILES)
# The page, embedded into httpshim.
PAGE_FILES := $(sort $(wildcard httpshim/page/*.html httpshim/page/*.css httpshim/page/*.js httpshim/page/*.svg httpshim/page/*.png))
$(BUILD)/gen/page_files.c: $(PAGE_FILES) httpshim/generate-page httpshim/page
	@mkdir -p $(BUILD)/gen
	httpshim/generate-page $@ $(PAGE_FILES)
GENERATED := $(BUILD)/gen/queries.c $(BUILD)/gen/migrations.c
GENERATED_HEADERS := $(BUILD)/gen/queries.h

# V=1 shows the commands instead of a line each.
quiet = $(if $(V),,@echo "  $(1) $(@:$(BUILD)/%=%)";)

# --- objects and archives ---
pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(1) | sed 's/-I/-isystem /g')
CFLAGS_base     := $(call pkg_cflags,$(PKGS_base))
CFLAGS_shared   := $(call pkg_cflags,$(PKGS_shared)) $(if $(HAS_REDIS_TLS),-DHAVE_HIREDIS_SSL=1)
CFLAGS_fusefs   := $(call pkg_cflags,$(PKGS_fusefs)) -DFUSE_USE_VERSION=314
CFLAGS_worker   := $(call pkg_cflags,$(PKGS_worker))
CFLAGS_httpshim := $(call pkg_cflags,$(PKGS_httpshim))

$(BUILD)/shared/base/%.o: PART_CFLAGS := $(CFLAGS_base)
$(BUILD)/shared/%.o: PART_CFLAGS := $(CFLAGS_shared)
$(BUILD)/gen/%.o: PART_CFLAGS := $(CFLAGS_shared)
$(BUILD)/fusefs/%.o: PART_CFLAGS := $(CFLAGS_fusefs)
$(BUILD)/extractd/worker/%.o: PART_CFLAGS := $(CFLAGS_worker)
$(BUILD)/extractd/%.o: PART_CFLAGS := $(CFLAGS_shared)
$(BUILD)/adminctl/%.o: PART_CFLAGS := $(CFLAGS_shared)
$(BUILD)/httpshim/%.o: PART_CFLAGS := $(CFLAGS_httpshim)

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(GENERATED_HEADERS)
	@mkdir -p $(@D)
	$(call quiet,CC  )$(CC) $(ALL_CFLAGS) $(PART_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.c | $(GENERATED_HEADERS)
	@mkdir -p $(@D)
	$(call quiet,CC  )$(CC) $(ALL_CFLAGS) $(PART_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libbase.a: $(call objects,$(SRC_base))
	@rm -f $@
	$(call quiet,AR  )$(AR) rcs $@ $^
$(BUILD)/libshared.a: $(call objects,$(SRC_shared)) $(GENERATED:.c=.o)
	@rm -f $@
	$(call quiet,AR  )$(AR) rcs $@ $^

# link NAME: objects of the part, then the archives, then its packages.
link = @mkdir -p $(@D); echo "  LINK $(@:$(BUILD)/%=%)"; $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_$(1)) $(shell $(PKG_CONFIG) --libs $(PKGS_$(1)))

$(BUILD)/bin/fusefs: $(call objects,$(SRC_fusefs)) $(BUILD)/libshared.a $(BUILD)/libbase.a
	$(call link,fusefs)
$(BUILD)/bin/extractd: $(call objects,$(SRC_extractd)) $(BUILD)/libshared.a $(BUILD)/libbase.a
	$(call link,extractd)
$(BUILD)/bin/extract-worker: $(call objects,$(SRC_worker)) $(BUILD)/libbase.a
	$(call link,worker)
# The worker for texts alone: the same, with a part of the table and only the libraries that this part needs.
$(BUILD)/extractd/worker/extractors-text.o: extractd/worker/extractors.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PART_CFLAGS) -DTEXTS_ONLY -MMD -MP -c -o $@ $<
$(BUILD)/libformats.a: $(call objects,$(call sources,extractd/worker/extractors extractd/worker/formats))
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/bin/extract-worker-text: $(call objects,$(filter-out %/extractors.c,$(call sources,extractd/worker))) \
		$(BUILD)/extractd/worker/extractors-text.o $(BUILD)/libformats.a $(BUILD)/libbase.a
	$(call link,worker)
$(BUILD)/bin/adminctl: $(call objects,$(SRC_adminctl)) $(BUILD)/libshared.a $(BUILD)/libbase.a
	$(call link,adminctl)
$(BUILD)/bin/httpshim: $(call objects,$(SRC_httpshim)) $(BUILD)/gen/page_files.o $(BUILD)/libshared.a $(BUILD)/libbase.a
	$(call link,httpshim)
$(BUILD)/bin/mount.tenantfs: packaging/mount.tenantfs
	@mkdir -p $(@D)
	install -m 755 $< $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- the rest, one room a file ---
include packaging/stack.mk
include tests/tests.mk
include packaging/lint.mk
include packaging/install.mk

.PHONY: clean help
clean: ## remove what was built
	rm -rf build build-*
help: ## this list
	@grep -hE '^[a-z][a-zA-Z0-9 _-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-28s %s\n", $$1, $$2}'
.DEFAULT_GOAL := all
