/* tenant create, set: what changes a tenant. */
#include <errno.h>
#include <stdlib.h>
#include "adminctl/command.h"
#include "adminctl/session.h"
#include "adminctl/tenant_options.h"
#include "shared/base/cleanup.h"

enum { CONFIGURATION_BYTES_MAX = 64 << 10 };

static int run_create(struct session *session, const struct arguments *arguments)
{
	const char *code = arguments->values[0];
	cleanup(tenant_list_release) struct tenant_list list = {0};
	autobuf struct buf json = BUF_INIT(CONFIGURATION_BYTES_MAX);
	struct tenant_change change;
	struct db *db;
	int r = tenant_options_read(session, arguments, &json, &change);

	if (r == 0)
		r = session_database(session, &db);
	if (r != 0)
		return r;
	r = tenant_create(db, code, &change, &list);
	if (r == -EEXIST)
		return complain(EXIT_EXISTS, "`adminctl tenant set` changes it.", "there is a tenant %s already", code);
	if (r == -EINVAL)
		return complain(EXIT_USAGE,
				"A code is 1 to 63 letters, digits, - and _, begins with a letter or digit, and is "
				"neither a month\n"
				"  (2026-11) nor reserved.",
				"%s is no tenant code", code);
	if (r < 0)
		return complain_database(session, r, "creating the tenant");
	return tenant_print(session, &list.rows[0], &list.usage[0]);
}

static int run_set(struct session *session, const struct arguments *arguments)
{
	cleanup(tenant_list_release) struct tenant_list found = {0}, changed = {0};
	autobuf struct buf json = BUF_INIT(CONFIGURATION_BYTES_MAX);
	struct tenant_change change;
	int r = tenant_options_read(session, arguments, &json, &change);

	if (r == 0 && change.fields == 0)
		r = complain(EXIT_USAGE, "`adminctl tenant set --help` lists them.", "which setting?");
	if (r == 0)
		r = session_tenant(session, arguments->values[0], &found);
	if (r != 0)
		return r;
	if (found.rows[0].is_deleting)
		return complain(EXIT_FINDINGS, NULL, "the tenant %s is being deleted", found.rows[0].code);
	r = tenant_change(session->db, found.rows[0].tenant_id, &change, &changed);
	if (r < 0)
		return complain_database(session, r, "changing the tenant");
	return tenant_print(session, &changed.rows[0], &changed.usage[0]);
}

const struct command cmd_tenant_create = {
	.group = "tenant",
	.name = "create",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Create a tenant; mounts show it within a second.",
	.details = tenant_options_details,
	.options = tenant_options,
	.run = run_create,
};

const struct command cmd_tenant_set = {
	.group = "tenant",
	.name = "set",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Change settings of a tenant; mounts follow within a second.",
	.details = tenant_options_details,
	.options = tenant_options,
	.run = run_set,
};
