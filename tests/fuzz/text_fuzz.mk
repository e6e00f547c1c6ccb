FUZZ_SOURCES_text_fuzz := $(addprefix extractd/worker/formats/,detect.c detect_container.c detect_text.c charset.c letters.c entities.c \
	entity_words.c entity_numbers.c csv_reader.c csv_cut.c csv_index.c csv_dialect.c json_reader.c) extractd/worker/input.c
FUZZ_PART_text_fuzz := worker
FUZZ_SEEDS_text_fuzz := tests/data/*
