/* The options of `tenant create` and `tenant set`, and what they become: a struct tenant_change. */
#pragma once
#include "adminctl/command.h"
#include "shared/base/buf.h"
#include "shared/meta/tenants.h"

struct session;

extern const struct option tenant_options[];
extern const char tenant_options_details[];

/*
 * Reads the options given. The configuration's JSON is written into json, which the change borrows from. 0 or
 * EXIT_USAGE after the complaint (a value out of bounds, a configuration the rules do not take).
 */
int tenant_options_read(const struct session *session, const struct arguments *arguments, struct buf *json,
			struct tenant_change *ret_change);

/* One tenant with all its settings. */
int tenant_print(const struct session *session, const struct tenant_row *tenant, const struct tenant_usage *usage);
