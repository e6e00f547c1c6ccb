UNIT_OBJECTS_media_type_test := $(call objects,$(addprefix extractd/worker/formats/,detect.c detect_container.c detect_text.c charset.c \
	letters.c csv_reader.c csv_cut.c csv_index.c csv_dialect.c json_reader.c) extractd/worker/input.c)
UNIT_PART_media_type_test := worker
