UNIT_OBJECTS_dtype_test := $(call objects,$(addprefix extractd/worker/formats/,csv_reader.c csv_cut.c csv_index.c value.c column.c column_loops.c \
	column_facts.c distinct.c dataset.c))
UNIT_PART_dtype_test := worker
