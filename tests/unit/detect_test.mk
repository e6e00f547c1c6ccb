UNIT_PART_detect_test := adminctl
