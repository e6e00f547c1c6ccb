FUZZ_SOURCES_frames_fuzz := extractd/attempt.c
FUZZ_SEEDS_frames_fuzz := $(BUILD)/fuzz/frames-seeds/*
# What real workers say of real files.
$(BUILD)/fuzz/frames-seeds: tests/fuzz/frames-seeds.py
	@mkdir -p $@ && python3 $< $@ && touch $@
run-frames_fuzz: $(BUILD)/fuzz/frames-seeds
