UNIT_OBJECTS_http_schema_test := $(filter-out $(BUILD)/httpshim/main.o,$(call objects,$(SRC_httpshim))) $(BUILD)/gen/page_files.o
UNIT_PART_http_schema_test := httpshim
