UNIT_PART_validate_test := adminctl
