UNIT_OBJECTS_entities_test := $(call objects,$(addprefix extractd/worker/formats/,entities.c entity_words.c entity_numbers.c))
UNIT_PART_entities_test := worker
