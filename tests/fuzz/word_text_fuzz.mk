FUZZ_SOURCES_word_text_fuzz := extractd/worker/formats/word_text.c
FUZZ_PART_word_text_fuzz := worker
FUZZ_SEEDS_word_text_fuzz := $(CORPUS)/documents/doc/*.doc
