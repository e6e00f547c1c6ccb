/* job list, show, stats: the extraction queue, looked at. */
#include <errno.h>
#include <string.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/meta/jobs_admin.h"

static const struct column columns[] = {
	{"job_id", "JOB", COLUMN_LEFT},
	{"tenant_code", "TENANT", COLUMN_LEFT},
	{"file_name", "FILE", COLUMN_LEFT},
	{"status", "STATUS", COLUMN_LEFT},
	{"file_size", "SIZE", COLUMN_RIGHT},
	{"extractor", "READ BY", COLUMN_LEFT},
	{"duration_ms", "MS", COLUMN_RIGHT},
	{"retry_count", "RETRIES", COLUMN_RIGHT},
	{"updated_at", "CHANGED", COLUMN_LEFT},
	{"error_message", "ERROR", COLUMN_LEFT},
	{"file_id", "FILE ID", COLUMN_JSON_ONLY},
	{"file_count", "FILES", COLUMN_JSON_ONLY},
	{"file_hash", "SHA-256", COLUMN_JSON_ONLY},
	{"mime_type", "TYPE", COLUMN_JSON_ONLY},
	{"lane", "LANE", COLUMN_JSON_ONLY},
	{"attempt", "ATTEMPTS", COLUMN_JSON_ONLY},
	{"extractor_version", "VERSION", COLUMN_JSON_ONLY},
	{"created_at", "CREATED", COLUMN_JSON_ONLY},
	{"completed_at", "COMPLETED", COLUMN_JSON_ONLY},
	{"not_before", "NOT BEFORE", COLUMN_JSON_ONLY},
	{"lease_expires_at", "RESERVED UNTIL", COLUMN_JSON_ONLY},
	{NULL, NULL, 0},
};

static void add_job(struct listing *listing, const struct job_info *job)
{
	char hex[DIGEST_HEX_SIZE];

	hex_encode(job->sha256, sizeof(job->sha256), hex);
	listing_text(listing, job->job_id);
	listing_text(listing, job->tenant_code);
	listing_bytes(listing, job->file_name);
	listing_text(listing, job_state_name(job->state));
	listing_size(listing, job->size_bytes);
	listing_bytes(listing, job->extractor);
	listing_number(listing, job->duration_ms);
	listing_number(listing, job->failures);
	listing_time(listing, job->updated_at_ns);
	listing_bytes(listing, job->error);
	listing_text(listing, job->file_id[0] != '\0' ? job->file_id : NULL);
	listing_number(listing, job->file_count);
	listing_text(listing, hex);
	listing_bytes(listing, job->media_type);
	listing_text(listing, job->lane == 'o' ? "ocr" : "normal");
	listing_number(listing, job->attempt);
	listing_number(listing, job->extractor_version);
	listing_time(listing, job->created_at_ns);
	listing_time(listing, job->completed_at_ns);
	listing_time(listing, job->not_before_ns);
	listing_time(listing, job->lease_expires_at_ns);
}

/* --- list
 * -------------------------------------------------------------------------------------------------------------- */

enum list_option { OPTION_TENANT, OPTION_STATUS, OPTION_LANE, OPTION_EXTRACTOR, OPTION_LIMIT };
static const struct option list_options[] = {
	[OPTION_TENANT] = {"tenant", "CODE", "Only of this tenant."},
	[OPTION_STATUS] = {"status", "STATUS", "pending, processing, completed, failed or cancelled."},
	[OPTION_LANE] = {"lane", "LANE", "normal or ocr."},
	[OPTION_EXTRACTOR] = {"extractor", "NAME", "Read by this extractor: pdf, csv, …"},
	[OPTION_LIMIT] = {"limit", "N", "How many at most, the last changed first (default 100)."},
	{NULL, NULL, NULL},
};

/* 0 without a tenant: all of them. */
static int find_tenant(struct session *session, const char *code, int64_t *ret_tenant_id)
{
	cleanup(tenant_list_release) struct tenant_list tenants = {0};
	struct db *db;
	int r = code != NULL ? session_tenant(session, code, &tenants) : session_database(session, &db);

	*ret_tenant_id = r == 0 && code != NULL ? tenants.rows[0].tenant_id : 0;
	return r;
}

static int read_filter(const char *const *given, struct job_filter *filter)
{
	int64_t limit = 100;

	if (given[OPTION_STATUS] != NULL) {
		filter->state = job_state_letter(given[OPTION_STATUS]);
		if (filter->state == 0)
			return complain(EXIT_USAGE, list_options[OPTION_STATUS].sentence, "--status %s is none",
					given[OPTION_STATUS]);
	}
	if (given[OPTION_LANE] != NULL) {
		filter->lane = strcmp(given[OPTION_LANE], "ocr") == 0 ? 'o' : 'n';
		if (filter->lane == 'n' && strcmp(given[OPTION_LANE], "normal") != 0)
			return complain(EXIT_USAGE, NULL, "--lane %s is none: normal or ocr", given[OPTION_LANE]);
	}
	if (given[OPTION_LIMIT] != NULL && option_count("limit", given[OPTION_LIMIT], &limit) != 0)
		return EXIT_USAGE;
	filter->extractor = given[OPTION_EXTRACTOR];
	filter->limit = (int)(limit < 1000000 ? limit : 1000000);
	return 0;
}

static int run_list(struct session *session, const struct arguments *arguments)
{
	cleanup(job_list_release) struct job_list jobs = {0};
	autolisting struct listing *listing = listing_new(columns);
	struct job_filter filter = {0};
	int r = read_filter(arguments->options, &filter);

	if (r == 0)
		r = find_tenant(session, arguments->options[OPTION_TENANT], &filter.tenant_id);
	if (r != 0)
		return r;
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	r = job_list(session->db, &filter, &jobs);
	if (r < 0)
		return complain_database(session, r, "listing the jobs");
	for (int i = 0; i < jobs.count; i++)
		add_job(listing, &jobs.rows[i]);
	return listing_print(listing, session->wants_json, "No job.", stdout);
}

/* --- show, stats
 * ------------------------------------------------------------------------------------------------------- */

static int run_show(struct session *session, const struct arguments *arguments)
{
	struct job_filter filter = {.job_id = arguments->values[0], .limit = 1};
	cleanup(job_list_release) struct job_list jobs = {0};
	autolisting struct listing *listing = listing_new(columns);
	struct db *db;
	int r = session_database(session, &db);

	if (r != 0)
		return r;
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	r = job_list(db, &filter, &jobs);
	if (r == -EINVAL)
		return complain(EXIT_USAGE, "`adminctl job list` shows them.", "%s is no job's id", filter.job_id);
	if (r < 0)
		return complain_database(session, r, "looking for the job");
	if (jobs.count == 0)
		return complain(EXIT_NOT_FOUND, "`adminctl job list` shows which there are.", "no job %s",
				filter.job_id);
	add_job(listing, &jobs.rows[0]);
	return listing_print_one(listing, session->wants_json, stdout);
}

static const struct option stats_options[] = {
	[OPTION_TENANT] = {"tenant", "CODE", "Only of this tenant."},
	{NULL, NULL, NULL},
};

static int run_stats(struct session *session, const struct arguments *arguments)
{
	enum { STATS_BYTES_MAX = 1 << 20 };
	autobuf struct buf json = BUF_INIT(STATS_BYTES_MAX);
	int64_t tenant_id;
	int r = find_tenant(session, arguments->options[OPTION_TENANT], &tenant_id);

	if (r != 0)
		return r;
	r = job_stats(session->db, tenant_id, &json);
	if (r < 0)
		return complain_database(session, r, "counting the jobs");
	return session->wants_json ? puts(json.data) < 0 : print_json(json.data, json.length);
}

const struct command cmd_job_list = {
	.group = "job",
	.name = "list",
	.arguments = "",
	.sentence = "List extractions, the last changed first.",
	.options = list_options,
	.run = run_list,
};

const struct command cmd_job_show = {
	.group = "job",
	.name = "show",
	.arguments = "JOB",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Show one extraction.",
	.run = run_show,
};

const struct command cmd_job_stats = {
	.group = "job",
	.name = "stats",
	.arguments = "",
	.sentence = "Count extractions by state and extractor.",
	.options = stats_options,
	.run = run_stats,
};
