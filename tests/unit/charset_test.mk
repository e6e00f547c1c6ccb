UNIT_OBJECTS_charset_test := $(call objects,$(addprefix extractd/worker/formats/,charset.c letters.c) extractd/worker/input.c)
UNIT_PART_charset_test := worker
