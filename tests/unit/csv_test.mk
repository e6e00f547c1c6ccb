UNIT_OBJECTS_csv_test := $(call objects,$(addprefix extractd/worker/formats/,csv_reader.c csv_cut.c csv_index.c csv_dialect.c))
UNIT_PART_csv_test := worker
