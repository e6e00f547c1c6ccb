UNIT_OBJECTS_listing_test := $(call objects,adminctl/listing.c adminctl/session.c)
UNIT_PART_listing_test := adminctl
