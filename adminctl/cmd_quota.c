/* quota check: the counters against the rows and the disk. It reports and repairs nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/table.h"
#include "shared/store/store.h"

enum quota_option { OPTION_TENANT, OPTION_DATABASE_ONLY };
static const struct option quota_options[] = {
	[OPTION_TENANT] = {"tenant", "CODE", "Only this tenant."},
	[OPTION_DATABASE_ONLY] = {"database-only", NULL, "Leave the disk out."},
	{NULL, NULL, NULL},
};

static const struct column columns[] = {
	{"code", "TENANT", COLUMN_LEFT},
	{"charged_bytes", "CHARGED", COLUMN_RIGHT},
	{"row_bytes", "ROWS SAY", COLUMN_RIGHT},
	{"disk_bytes", "ON DISK", COLUMN_RIGHT},
	{"storage_quota_bytes", "QUOTA", COLUMN_RIGHT},
	{"charged_files", "FILES", COLUMN_RIGHT},
	{"row_files", "ROWS SAY", COLUMN_RIGHT},
	{"file_count_limit", "LIMIT", COLUMN_RIGHT},
	{"verdict", "VERDICT", COLUMN_LEFT},
	{NULL, NULL, 0},
};

struct quota {
	struct session *session;
	struct store *store; /* NULL: the disk is left out */
	struct listing *listing;
	int findings;
};

/* --- bytes on disk: contents that are shared lie there once
 * ----------------------------------------------------------- */

struct shared_object {
	struct table_link link; /* the hash of its inode number */
	ino_t inode;
};

struct disk {
	struct table shared;
	int64_t bytes;
};

static void free_shared(struct table_link *link, void *context)
{
	table_remove(context, link);
	free(container_of(link, struct shared_object, link));
}

static void disk_release(struct disk *disk)
{
	table_each(&disk->shared, free_shared, &disk->shared);
	table_release(&disk->shared);
}

/* 1: counted before. */
static int count_shared(struct disk *disk, ino_t inode)
{
	uint64_t hash = table_hash_u64(inode);
	struct table_link *link = table_find(&disk->shared, hash);
	struct shared_object *object;

	for (; link != NULL; link = table_next(link))
		if (container_of(link, struct shared_object, link)->inode == inode)
			return 1;
	object = calloc(1, sizeof(*object));
	if (object == NULL)
		return -ENOMEM;
	object->inode = inode;
	table_add(&disk->shared, &object->link, hash);
	return 0;
}

static int visit_object(const char *path, const struct stat *stat, void *context)
{
	struct disk *disk = context;
	int r = stat->st_nlink > 1 ? count_shared(disk, stat->st_ino) : 0;

	(void)path;
	if (r == 0)
		disk->bytes += stat->st_size;
	return r < 0 ? r : 0;
}

static int count_disk(const struct quota *quota, const char *code, int64_t *ret_bytes)
{
	struct disk disk cleanup(disk_release) = {0};
	int r = table_init(&disk.shared, 256);

	if (r == 0)
		r = store_list(quota->store, code, visit_object, &disk);
	if (r == 0 || r == -ENOENT)
		*ret_bytes = disk.bytes;
	return r == -ENOENT ? 0 : r;
}

/* --- one tenant
 * -------------------------------------------------------------------------------------------------------- */

struct figures {
	int64_t charged_bytes, charged_files, row_bytes, row_files, disk_bytes;
};

static int read_figures(const struct quota *quota, const struct tenant_row *tenant, struct figures *ret_figures)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant->tenant_id);
	r = db_run(quota->session->db, QUERY_FSCK_USAGE, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT; /* deleted meanwhile */
	*ret_figures = (struct figures){db_get_int(result, 0, 0), db_get_int(result, 0, 1), db_get_int(result, 0, 2),
					db_get_int(result, 0, 3), -1};
	return quota->store != NULL ? count_disk(quota, tenant->code, &ret_figures->disk_bytes) : 0;
}

static const char *judge(const struct tenant_row *tenant, const struct figures *figures)
{
	if (figures->charged_bytes != figures->row_bytes || figures->charged_files != figures->row_files)
		return "counters differ from the rows";
	if (tenant->storage_quota_bytes >= 0 && figures->charged_bytes > tenant->storage_quota_bytes)
		return "ok, over its quota";
	if (tenant->file_count_limit >= 0 && figures->charged_files > tenant->file_count_limit)
		return "ok, over its file limit";
	return "ok";
}

static int check_tenant(struct quota *quota, const struct tenant_row *tenant)
{
	struct figures figures;
	const char *verdict;
	int r = read_figures(quota, tenant, &figures);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	verdict = judge(tenant, &figures);
	quota->findings += strncmp(verdict, "ok", 2) != 0;
	listing_text(quota->listing, tenant->code);
	listing_size(quota->listing, figures.charged_bytes);
	listing_size(quota->listing, figures.row_bytes);
	if (figures.disk_bytes >= 0)
		listing_size(quota->listing, figures.disk_bytes);
	else
		listing_none(quota->listing);
	listing_size(quota->listing, tenant->storage_quota_bytes);
	listing_count(quota->listing, figures.charged_files);
	listing_count(quota->listing, figures.row_files);
	listing_count(quota->listing, tenant->file_count_limit);
	listing_text(quota->listing, verdict);
	return 0;
}

static int check_list(struct quota *quota, const struct tenant_list *list)
{
	for (int i = 0; i < list->count; i++) {
		int r = check_tenant(quota, &list->rows[i]);

		if (r == -EAGAIN || r == -EPROTO)
			return complain_database(quota->session, r, "counting");
		if (r < 0)
			return complain(EXIT_UNAVAILABLE, NULL, "the tenant %s could not be counted: %s",
					list->rows[i].code, strerror(-r));
	}
	return 0;
}

static int check_all(struct quota *quota)
{
	enum { TENANTS_MAX = 1000000 };
	cleanup(tenant_list_release) struct tenant_list list = {0};
	struct db *db;
	int r = session_database(quota->session, &db);

	if (r != 0)
		return r;
	r = tenant_list(db, NULL, 0, TENANTS_MAX, &list);
	return r < 0 ? complain_database(quota->session, r, "listing the tenants") : check_list(quota, &list);
}

static int check_one(struct quota *quota, const char *code)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r = session_tenant(quota->session, code, &list);

	return r == 0 ? check_list(quota, &list) : r;
}

static int run(struct session *session, const struct arguments *arguments)
{
	const char *code = arguments->options[OPTION_TENANT];
	autolisting struct listing *listing = listing_new(columns);
	struct quota quota = {.session = session, .listing = listing};
	int r = 0;

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	if (arguments->options[OPTION_DATABASE_ONLY] == NULL)
		r = session_store(session, &quota.store);
	if (r == 0)
		r = code != NULL ? check_one(&quota, code) : check_all(&quota);
	if (r == 0)
		r = listing_print(listing, session->wants_json, "No tenant yet.", stdout);
	return r == 0 && quota.findings > 0 ? EXIT_FINDINGS : r;
}

const struct command cmd_quota_check = {
	.group = "quota",
	.name = "check",
	.arguments = "",
	.sentence = "Compare what tenants are charged with their rows and the disk; repairs nothing.",
	.details = "ON DISK counts shared contents once and leaves attributes out, so it may be less than what is "
		   "charged.\n"
		   "Exit code 1 when counters and rows differ.",
	.options = quota_options,
	.run = run,
};
