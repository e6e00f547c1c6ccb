UNIT_OBJECTS_http_multipart_test := $(call objects,httpshim/multipart.c httpshim/header_value.c httpshim/query.c)
UNIT_PART_http_multipart_test := httpshim
