UNIT_OBJECTS_sink_test := $(call objects,$(addprefix extractd/worker/,sink.c sink_text.c run.c dispatch.c embedded.c input.c))
UNIT_PART_sink_test := worker
