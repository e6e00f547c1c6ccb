# The worker with extractors that attack, for tests/sandbox/*.t and tests/crash: everything of extract-worker but its table.
HOSTILE_SOURCES := $(wildcard tests/sandbox/hostile*.c)
HOSTILE_WORKER  := $(filter-out %/extractors.c,$(call sources,extractd/worker))
$(BUILD)/tests/sandbox/%.o: PART_CFLAGS := $(CFLAGS_worker)
$(BUILD)/tests/hostile-worker: $(call objects,$(HOSTILE_SOURCES) $(HOSTILE_WORKER)) $(BUILD)/libbase.a
	$(call link,worker)
