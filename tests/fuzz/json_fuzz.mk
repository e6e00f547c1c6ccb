FUZZ_SOURCES_json_fuzz := $(addprefix extractd/worker/formats/,json_reader.c json_schema.c json_rows.c value.c column.c column_loops.c column_facts.c \
	distinct.c dataset.c)
FUZZ_PART_json_fuzz := worker
FUZZ_SEEDS_json_fuzz := tests/data/*.json tests/data/*.jsonl $(CORPUS)/json/*.json
