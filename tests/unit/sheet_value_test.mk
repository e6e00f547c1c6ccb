UNIT_OBJECTS_sheet_value_test := $(call objects,extractd/worker/formats/sheet_value.c)
UNIT_PART_sheet_value_test := worker
