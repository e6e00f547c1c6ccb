UNIT_PART_archive_test := adminctl
