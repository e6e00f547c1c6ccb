FUZZ_SOURCES_rtf_fuzz := $(addprefix extractd/worker/formats/,rtf_reader.c)
FUZZ_PART_rtf_fuzz := worker
FUZZ_SEEDS_rtf_fuzz := tests/data/*.rtf
