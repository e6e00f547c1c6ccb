UNIT_PART_archive_judge_test := adminctl
