UNIT_OBJECTS_durable_test := $(call objects,$(addprefix fusefs/,durable.c commit.c lease.c keeper.c listen.c waiters.c acquire.c sweep.c spools.c))
