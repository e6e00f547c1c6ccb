UNIT_OBJECTS_letters_test := $(call objects,extractd/worker/formats/letters.c)
UNIT_PART_letters_test := worker
