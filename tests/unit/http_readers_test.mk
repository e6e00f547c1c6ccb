UNIT_OBJECTS_http_readers_test := $(call objects,httpshim/header_value.c httpshim/name_hints.c httpshim/query.c httpshim/range.c \
	httpshim/signed_url.c)
UNIT_PART_http_readers_test := httpshim
