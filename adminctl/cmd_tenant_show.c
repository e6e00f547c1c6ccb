/* tenant list, show, stats, rejections: what only reads. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "adminctl/tenant_options.h"
#include "shared/base/cleanup.h"

static const struct column tenant_columns[] = {
	{"code", "CODE", COLUMN_LEFT},
	{"name", "NAME", COLUMN_LEFT},
	{"is_active", "ACTIVE", COLUMN_LEFT},
	{"file_count", "FILES", COLUMN_RIGHT},
	{"file_count_limit", "FILE LIMIT", COLUMN_RIGHT},
	{"used_bytes", "USED", COLUMN_RIGHT},
	{"storage_quota_bytes", "QUOTA", COLUMN_RIGHT},
	{"is_deleting", "DELETING", COLUMN_LEFT},
	{"created_at", "CREATED", COLUMN_LEFT},
	{"id", "ID", COLUMN_JSON_ONLY},
	{"description", "DESCRIPTION", COLUMN_JSON_ONLY},
	{"configuration", "RULES", COLUMN_JSON_ONLY},
	{"owner_uid", "OWNER", COLUMN_JSON_ONLY},
	{"owner_gid", "GROUP", COLUMN_JSON_ONLY},
	{"mode", "MODE", COLUMN_JSON_ONLY},
	{"updated_at", "CHANGED", COLUMN_JSON_ONLY},
	{NULL, NULL, 0},
};

static void add_tenant(struct listing *listing, const struct tenant_row *tenant, const struct tenant_usage *usage)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", tenant->mode & 07777U);
	listing_text(listing, tenant->code);
	listing_bytes(listing, tenant->name);
	listing_bool(listing, tenant->is_active);
	listing_count(listing, usage->file_count);
	listing_count(listing, tenant->file_count_limit);
	listing_size(listing, usage->used_bytes);
	listing_size(listing, tenant->storage_quota_bytes);
	listing_bool(listing, tenant->is_deleting);
	listing_time(listing, tenant->created_at_ns);
	listing_text(listing, tenant->uuid);
	listing_bytes(listing, tenant->description);
	listing_json(listing, tenant->configuration);
	listing_number(listing, tenant->owner_uid);
	listing_number(listing, tenant->owner_gid);
	listing_text(listing, mode);
	listing_time(listing, tenant->updated_at_ns);
}

int tenant_print(const struct session *session, const struct tenant_row *tenant, const struct tenant_usage *usage)
{
	autolisting struct listing *listing = listing_new(tenant_columns);

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	add_tenant(listing, tenant, usage);
	return listing_print_one(listing, session->wants_json, stdout);
}

/* --- list
 * -------------------------------------------------------------------------------------------------------------- */

enum { PAGE_ROWS = 500 };

/* All pages, by the code of the last one, so that a tenant made meanwhile moves no other. */
static int add_all(struct db *db, struct listing *listing)
{
	char after[TENANT_CODE_SIZE] = "";
	int count;

	do {
		cleanup(tenant_list_release) struct tenant_list list = {0};
		int r = tenant_list(db, after, 0, PAGE_ROWS, &list);

		if (r < 0)
			return r;
		count = list.count;
		for (int i = 0; i < count; i++)
			add_tenant(listing, &list.rows[i], &list.usage[i]);
		if (count > 0)
			snprintf(after, sizeof(after), "%s", list.rows[count - 1].code);
	} while (count == PAGE_ROWS);
	return 0;
}

static int run_list(struct session *session, const struct arguments *arguments)
{
	autolisting struct listing *listing = listing_new(tenant_columns);
	struct db *db;
	int r = session_database(session, &db);

	(void)arguments;
	if (r != 0)
		return r;
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	r = add_all(db, listing);
	if (r < 0)
		return complain_database(session, r, "listing the tenants");
	return listing_print(listing, session->wants_json, "No tenant yet; `adminctl tenant create CODE` makes one.",
			     stdout);
}

static int run_show(struct session *session, const struct arguments *arguments)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r = session_tenant(session, arguments->values[0], &list);

	return r == 0 ? tenant_print(session, &list.rows[0], &list.usage[0]) : r;
}

/* --- stats
 * ------------------------------------------------------------------------------------------------------------- */

/* "  completed   12" for each key; figures of {files, bytes} get a size behind them. */
static void print_group(const char *title, json_t *group)
{
	const char *key;
	json_t *value;
	char size[SIZE_TEXT_SIZE];

	if (json_object_size(group) == 0)
		return;
	printf("\n%s\n", title);
	json_object_foreach(group, key, value)
	{
		if (json_is_object(value))
			printf("  %-44s %8lld  %10s\n", key,
			       (long long)json_integer_value(json_object_get(value, "files")),
			       size_text(json_integer_value(json_object_get(value, "bytes")), size));
		else
			printf("  %-44s %8lld\n", key, (long long)json_integer_value(value));
	}
}

static void print_use(const char *what, const char *used, json_t *limit, const char *limit_text)
{
	printf("  %-10s %12s of %s\n", what, used, json_is_null(limit) ? "no limit" : limit_text);
}

static void print_stats(json_t *stats)
{
	json_t *quota = json_object_get(stats, "quota");
	char used[SIZE_TEXT_SIZE], limit[SIZE_TEXT_SIZE];

	printf("%s: %lld files in %lld folders, %lld different contents\n",
	       json_string_value(json_object_get(stats, "code")),
	       (long long)json_integer_value(json_object_get(stats, "files")),
	       (long long)json_integer_value(json_object_get(stats, "folders")),
	       (long long)json_integer_value(json_object_get(stats, "distinct_contents")));
	puts("\nQuota");
	print_use("bytes", size_text(json_integer_value(json_object_get(quota, "used_bytes")), used),
		  json_object_get(quota, "bytes"),
		  size_text(json_integer_value(json_object_get(quota, "bytes")), limit));
	snprintf(used, sizeof(used), "%lld", (long long)json_integer_value(json_object_get(quota, "used_files")));
	snprintf(limit, sizeof(limit), "%lld", (long long)json_integer_value(json_object_get(quota, "files")));
	print_use("files", used, json_object_get(quota, "files"), limit);
	print_group("Status", json_object_get(stats, "by_status"));
	print_group("Media types", json_object_get(stats, "by_media_type"));
	print_group("Months (where first published)", json_object_get(stats, "by_month"));
	print_group("Extractions", json_object_get(stats, "extractions"));
	printf("\nRefused so far: %lld\n", (long long)json_integer_value(json_object_get(stats, "rejections")));
}

static int run_stats(struct session *session, const struct arguments *arguments)
{
	enum { STATS_BYTES_MAX = 16 << 20 };
	cleanup(tenant_list_release) struct tenant_list list = {0};
	autobuf struct buf json = BUF_INIT(STATS_BYTES_MAX);
	int r = session_tenant(session, arguments->values[0], &list);

	if (r != 0)
		return r;
	r = tenant_stats(session->db, list.rows[0].tenant_id, &json);
	if (r < 0)
		return complain_database(session, r, "counting");
	if (session->wants_json)
		return puts(json.data) < 0;
	json_t *stats = json_loadb(json.data, json.length, 0, NULL);

	if (stats == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	print_stats(stats);
	json_decref(stats);
	return EXIT_DONE;
}

/* --- rejections
 * -------------------------------------------------------------------------------------------------------- */

enum rejections_option { OPTION_LIMIT };
static const struct option rejections_options[] = {
	[OPTION_LIMIT] = {"limit", "N", "How many, the newest first (default 20)."},
	{NULL, NULL, NULL},
};

static const struct column rejection_columns[] = {
	{"rejected_at", "WHEN", COLUMN_LEFT},
	{"name", "NAME", COLUMN_LEFT},
	{"rule", "RULE", COLUMN_LEFT},
	{"reason", "REASON", COLUMN_LEFT},
	{"uid", "UID", COLUMN_RIGHT},
	{"file_id", "FILE", COLUMN_JSON_ONLY},
	{NULL, NULL, 0},
};

static int run_rejections(struct session *session, const struct arguments *arguments)
{
	const char *limit_text = arguments->options[OPTION_LIMIT];
	cleanup(tenant_list_release) struct tenant_list list = {0};
	cleanup(rejection_list_release) struct rejection_list rejections = {0};
	autolisting struct listing *listing = listing_new(rejection_columns);
	int64_t limit = 20;
	int r = limit_text != NULL ? option_count("limit", limit_text, &limit) : 0;

	if (r == 0)
		r = session_tenant(session, arguments->values[0], &list);
	if (r != 0)
		return r;
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	r = rejection_list(session->db, list.rows[0].tenant_id, (int)(limit < 1000000 ? limit : 1000000), &rejections);
	if (r < 0)
		return complain_database(session, r, "reading what was refused");
	for (int i = 0; i < rejections.count; i++) {
		const struct rejection_row *row = &rejections.rows[i];

		listing_time(listing, row->rejected_at_ns);
		listing_bytes(listing, row->name);
		listing_bytes(listing, row->rule);
		listing_bytes(listing, row->reason);
		listing_number(listing, row->uid);
		listing_text(listing, row->file_id);
	}
	return listing_print(listing, session->wants_json, "Nothing was refused.", stdout);
}

const struct command cmd_tenant_list = {
	.group = "tenant",
	.name = "list",
	.arguments = "",
	.sentence = "List the tenants with what they use.",
	.run = run_list,
};

const struct command cmd_tenant_show = {
	.group = "tenant",
	.name = "show",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Show one tenant with all its settings.",
	.run = run_show,
};

const struct command cmd_tenant_stats = {
	.group = "tenant",
	.name = "stats",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Count its files by status, media type and month.",
	.run = run_stats,
};

const struct command cmd_tenant_rejections = {
	.group = "tenant",
	.name = "rejections",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Show what was refused, and why.",
	.options = rejections_options,
	.run = run_rejections,
};
