UNIT_OBJECTS_attempt_test := $(call objects,extractd/attempt.c extractd/verdict.c extractd/settings.c)
