FUZZ_SOURCES_csv_fuzz := $(addprefix extractd/worker/formats/,csv_reader.c csv_cut.c csv_index.c csv_dialect.c value.c column.c column_loops.c column_facts.c \
	distinct.c dataset.c)
FUZZ_PART_csv_fuzz := worker
FUZZ_SEEDS_csv_fuzz := tests/data/*.csv $(CORPUS)/csv-spectrum/csvs/*.csv
