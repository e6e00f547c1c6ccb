/* file list, show: files as the database knows them. Changing one goes through the mount. */
#include <errno.h>
#include <string.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/meta/files.h"

static const struct column columns[] = {
	{"path", "PATH", COLUMN_LEFT},
	{"file_size", "SIZE", COLUMN_RIGHT},
	{"mime_type", "TYPE", COLUMN_LEFT},
	{"status", "STATUS", COLUMN_LEFT},
	{"uploaded_at", "UPLOADED", COLUMN_LEFT},
	{"id", "ID", COLUMN_LEFT},
	{"original_filename", "SENT AS", COLUMN_JSON_ONLY},
	{"file_path", "OBJECT", COLUMN_JSON_ONLY},
	{"file_hash", "SHA-256", COLUMN_JSON_ONLY},
	{"validation_status", "VALIDATION", COLUMN_JSON_ONLY},
	{"visibility", "VISIBILITY", COLUMN_JSON_ONLY},
	{"uploaded_by", "BY", COLUMN_JSON_ONLY},
	{"tags", "TAGS", COLUMN_JSON_ONLY},
	{"description", "COMMENT", COLUMN_JSON_ONLY},
	{"metadata", "METADATA", COLUMN_JSON_ONLY},
	{"mode", "MODE", COLUMN_JSON_ONLY},
	{"uid", "UID", COLUMN_JSON_ONLY},
	{"gid", "GID", COLUMN_JSON_ONLY},
	{"links", "NAMES", COLUMN_JSON_ONLY},
	{"modified_at", "MODIFIED", COLUMN_JSON_ONLY},
	{"processed_at", "PROCESSED", COLUMN_JSON_ONLY},
	{"job_id", "JOB", COLUMN_JSON_ONLY},
	{"error", "ERROR", COLUMN_JSON_ONLY},
	{NULL, NULL, 0},
};

static void add_object_path(struct listing *listing, const char *code, const struct file_row *file)
{
	char path[TENANT_CODE_SIZE + OBJECT_PATH_SIZE + 1];

	if (file->object_path[0] == '\0') {
		listing_none(listing);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", code, file->object_path);
	listing_text(listing, path);
}

static const char *validation_name(char validation)
{
	return validation == 'o' ? "passed" : validation == 'f' ? "failed" : "pending";
}

static void add_file(struct listing *listing, const char *code, const struct file_row *file)
{
	char hex[DIGEST_HEX_SIZE] = "", mode[8];

	if (file->has_sha256)
		hex_encode(file->sha256, sizeof(file->sha256), hex);
	snprintf(mode, sizeof(mode), "%04o", file->mode & 07777U);
	listing_bytes(listing, file->path);
	listing_size(listing, file->size_bytes);
	listing_bytes(listing, file->media_type);
	listing_text(listing, file_status_names[file->status]);
	listing_time(listing, file->uploaded_at_ns);
	listing_text(listing, file->file_id);
	listing_bytes(listing, file->original_name.data != NULL ? file->original_name : file->name);
	add_object_path(listing, code, file);
	listing_text(listing, file->has_sha256 ? hex : NULL);
	listing_text(listing, validation_name(file->validation));
	listing_text(listing, file->is_public ? "public" : "private");
	listing_bytes(listing, file->uploaded_by);
	listing_bytes(listing, file->tags);
	listing_bytes(listing, file->description);
	listing_json(listing, file->metadata);
	listing_text(listing, mode);
	listing_number(listing, file->uid);
	listing_number(listing, file->gid);
	listing_number(listing, file->link_count);
	listing_time(listing, file->mtime_ns);
	listing_time(listing, file->processed_at_ns);
	listing_text(listing, file->job_id[0] != '\0' ? file->job_id : NULL);
	listing_bytes(listing, file->job_error);
}

/* --- list
 * -------------------------------------------------------------------------------------------------------------- */

enum list_option {
	OPTION_NAME,
	OPTION_TYPE,
	OPTION_STATUS,
	OPTION_TEXT,
	OPTION_TAG,
	OPTION_METADATA,
	OPTION_MONTH,
	OPTION_SHA256,
	OPTION_BY,
	OPTION_AFTER,
	OPTION_BEFORE,
	OPTION_MIN_SIZE,
	OPTION_MAX_SIZE,
	OPTION_SORT,
	OPTION_DESCENDING,
	OPTION_SKIP,
	OPTION_LIMIT,
};

static const struct option list_options[] = {
	[OPTION_NAME] = {"name", "GLOB", "The name: a glob (*.pdf), or a part of it."},
	[OPTION_TYPE] = {"type", "TYPE", "The media type: application/pdf, or image/ for all of them."},
	[OPTION_STATUS] = {"status", "STATUS", "uploading, uploaded, processing, completed or error."},
	[OPTION_TEXT] = {"text", "WORDS", "Words that its extracted text holds, in any order."},
	[OPTION_TAG] = {"tag", "TAG", "One of its tags."},
	[OPTION_METADATA] = {"metadata", "JSON", "An object that its metadata contain."},
	[OPTION_MONTH] = {"month", "YYYY-MM", "The month folder it lies in."},
	[OPTION_SHA256] = {"sha256", "HEX", "The SHA-256 of its content."},
	[OPTION_BY] = {"by", "NAME", "Who uploaded it."},
	[OPTION_AFTER] = {"after", "TIME", "Uploaded after a date (2026-11-03), or since an age (12h, 30d)."},
	[OPTION_BEFORE] = {"before", "TIME", "Uploaded before it."},
	[OPTION_MIN_SIZE] = {"min-size", "SIZE", "At least so large."},
	[OPTION_MAX_SIZE] = {"max-size", "SIZE", "At most so large."},
	[OPTION_SORT] = {"sort", "BY", "uploaded (default), name, size or type."},
	[OPTION_DESCENDING] = {"descending", NULL, "The last, largest or newest first."},
	[OPTION_SKIP] = {"skip", "N", "Leave out the first N."},
	[OPTION_LIMIT] = {"limit", "N", "How many at most (default 1000)."},
	{NULL, NULL, NULL},
};

static int read_texts(const char *const *given, struct file_filter *filter)
{
	bool is_known = given[OPTION_STATUS] == NULL;

	for (int i = 0; i < FILE_STATUS_COUNT && !is_known; i++)
		is_known = strcmp(given[OPTION_STATUS], file_status_names[i]) == 0;
	if (!is_known)
		return complain(EXIT_USAGE, list_options[OPTION_STATUS].sentence, "--status %s is none",
				given[OPTION_STATUS]);
	if (given[OPTION_MONTH] != NULL && !clock_is_month(given[OPTION_MONTH], strlen(given[OPTION_MONTH])))
		return complain(EXIT_USAGE, NULL, "--month %s is no month: 2026-11", given[OPTION_MONTH]);
	if (given[OPTION_NAME] != NULL)
		filter->name = (struct bytes){given[OPTION_NAME], strlen(given[OPTION_NAME])};
	if (given[OPTION_METADATA] != NULL)
		filter->metadata = (struct bytes){given[OPTION_METADATA], strlen(given[OPTION_METADATA])};
	filter->media_type = given[OPTION_TYPE];
	filter->status = given[OPTION_STATUS];
	filter->text = given[OPTION_TEXT];
	filter->tag = given[OPTION_TAG];
	filter->month = given[OPTION_MONTH];
	filter->sha256_hex = given[OPTION_SHA256];
	filter->uploaded_by = given[OPTION_BY];
	return 0;
}

static int read_bounds(const char *const *given, struct file_filter *filter)
{
	int r = 0;

	if (given[OPTION_MIN_SIZE] != NULL)
		r = option_size("min-size", given[OPTION_MIN_SIZE], &filter->size_min);
	if (r == 0 && given[OPTION_MAX_SIZE] != NULL)
		r = option_size("max-size", given[OPTION_MAX_SIZE], &filter->size_max);
	if (r == 0 && given[OPTION_AFTER] != NULL)
		r = option_time("after", given[OPTION_AFTER], &filter->uploaded_after_ns);
	if (r == 0 && given[OPTION_BEFORE] != NULL)
		r = option_time("before", given[OPTION_BEFORE], &filter->uploaded_before_ns);
	return r;
}

static int read_page(const char *const *given, struct file_page *page)
{
	static const char *const sorts[] = {[FILE_BY_UPLOADED] = "uploaded",
					    [FILE_BY_NAME] = "name",
					    [FILE_BY_SIZE] = "size",
					    [FILE_BY_MEDIA_TYPE] = "type"};
	int64_t limit = 1000;
	int r = 0, sort = 0;

	for (; given[OPTION_SORT] != NULL && sort < 4 && strcmp(given[OPTION_SORT], sorts[sort]) != 0; sort++)
		;
	if (sort == 4)
		return complain(EXIT_USAGE, list_options[OPTION_SORT].sentence, "--sort %s is none",
				given[OPTION_SORT]);
	page->sort = (enum file_sort)sort;
	page->is_descending = given[OPTION_DESCENDING] != NULL;
	if (given[OPTION_SKIP] != NULL)
		r = option_count("skip", given[OPTION_SKIP], &page->skip);
	if (r == 0 && given[OPTION_LIMIT] != NULL)
		r = option_count("limit", given[OPTION_LIMIT], &limit);
	page->limit = (int)(limit < 1000000 ? limit : 1000000);
	page->want_total = true;
	return r;
}

static int print_list(const struct session *session, const char *code, const struct file_list *files, int64_t skip)
{
	autolisting struct listing *listing = listing_new(columns);
	int r;

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	for (int i = 0; i < files->count; i++)
		add_file(listing, code, &files->rows[i]);
	r = listing_print(listing, session->wants_json, "No file.", stdout);
	if (r == 0 && files->total > skip + files->count)
		fprintf(stderr, "%lld more; --skip %lld goes on\n", (long long)(files->total - skip - files->count),
			(long long)(skip + files->count));
	return r;
}

static int run_list(struct session *session, const struct arguments *arguments)
{
	cleanup(tenant_list_release) struct tenant_list tenants = {0};
	cleanup(file_list_release) struct file_list files = {0};
	struct file_filter filter = FILE_FILTER_ALL;
	struct file_page page = {0};
	int r = read_texts(arguments->options, &filter);

	if (r == 0)
		r = read_bounds(arguments->options, &filter);
	if (r == 0)
		r = read_page(arguments->options, &page);
	if (r == 0)
		r = session_tenant(session, arguments->values[0], &tenants);
	if (r != 0)
		return r;
	r = file_search(session->db, tenants.rows[0].tenant_id, &filter, &page, &files);
	if (r == -EINVAL)
		return complain(EXIT_USAGE, "--metadata wants a JSON object, --sha256 64 hexadecimal digits.",
				"a filter is malformed");
	if (r < 0)
		return complain_database(session, r, "listing the files");
	return print_list(session, tenants.rows[0].code, &files, page.skip);
}

/* --- show
 * -------------------------------------------------------------------------------------------------------------- */

/* An id when it looks like one, else a path. What was refused under an id is told with its reason. */
static int find_file(struct session *session, const struct tenant_row *tenant, const char *what,
		     struct file_list *ret_files)
{
	cleanup(rejection_list_release) struct rejection_list rejections = {0};
	bool is_id = file_id_is_valid(what, strlen(what));
	int r = is_id ? file_find(session->db, tenant->tenant_id, what, ret_files)
		      : file_find_by_path(session->db, tenant->tenant_id, what, strlen(what), ret_files);

	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return complain_database(session, r, "looking for the file");
	if (is_id && rejection_of_file(session->db, tenant->tenant_id, what, &rejections) == 0 && rejections.count > 0)
		return complain(EXIT_NOT_FOUND, NULL, "%s was refused: %s", what, rejections.rows[0].reason.data);
	return complain(EXIT_NOT_FOUND, "A path is as in the mount, below the tenant's folder: 2026-11/report.pdf.",
			"the tenant %s has no file %s", tenant->code, what);
}

/* Everything is shown, also what a table has no room for. */
static int print_file(const struct session *session, const char *code, const struct file_row *file)
{
	autolisting struct listing *listing = listing_new(columns);

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	add_file(listing, code, file);
	return listing_print_one(listing, session->wants_json, stdout);
}

static int run_show(struct session *session, const struct arguments *arguments)
{
	cleanup(tenant_list_release) struct tenant_list tenants = {0};
	cleanup(file_list_release) struct file_list files = {0};
	int r = session_tenant(session, arguments->values[0], &tenants);

	if (r == 0)
		r = find_file(session, &tenants.rows[0], arguments->values[1], &files);
	return r == 0 ? print_file(session, tenants.rows[0].code, &files.rows[0]) : r;
}

const struct command cmd_file_list = {
	.group = "file",
	.name = "list",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "List the files of a tenant that fit every filter given.",
	.options = list_options,
	.run = run_list,
};

const struct command cmd_file_show = {
	.group = "file",
	.name = "show",
	.arguments = "CODE FILE",
	.arguments_min = 2,
	.arguments_max = 2,
	.sentence = "Show one file, by its id (fs_…) or its path.",
	.run = run_show,
};
