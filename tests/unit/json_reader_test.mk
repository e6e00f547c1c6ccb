UNIT_OBJECTS_json_reader_test := $(call objects,$(addprefix extractd/worker/formats/,json_reader.c json_schema.c json_rows.c \
	dataset.c value.c column.c column_loops.c column_facts.c distinct.c))
UNIT_PART_json_reader_test := worker
