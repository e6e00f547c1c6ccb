/* job retry, cancel, rerun: the extraction queue, changed. */
#include <errno.h>
#include <inttypes.h>
#include "adminctl/command.h"
#include "adminctl/session.h"
#include "shared/meta/jobs_admin.h"

enum change_option { OPTION_TENANT, OPTION_ALL };
static const struct option change_options[] = {
	[OPTION_TENANT] = {"tenant", "CODE", "All of this tenant."},
	[OPTION_ALL] = {"all", NULL, "All of every tenant."},
	{NULL, NULL, NULL},
};

typedef int change_fn(struct db *db, int64_t tenant_id, const char *job_id, int *ret_count);

/* One job, one tenant's, or all: exactly one of them is named, so that nothing large happens by leaving a word out. */
static int find_scope(struct session *session, const struct arguments *arguments, int64_t *ret_tenant_id)
{
	cleanup(tenant_list_release) struct tenant_list tenants = {0};
	const char *code = arguments->options[OPTION_TENANT];
	struct db *db;
	int named = arguments->count + (code != NULL) + (arguments->options[OPTION_ALL] != NULL);
	int r;

	if (named != 1)
		return complain(EXIT_USAGE, "Name one of: a JOB, --tenant CODE, --all.", "which jobs?");
	r = code != NULL ? session_tenant(session, code, &tenants) : session_database(session, &db);
	*ret_tenant_id = r == 0 && code != NULL ? tenants.rows[0].tenant_id : 0;
	return r;
}

static int print_count(const struct session *session, const char *what, int64_t count)
{
	if (session->wants_json)
		printf("{\"jobs\": %" PRId64 "}\n", count);
	else
		printf("%" PRId64 " job%s %s.\n", count, count == 1 ? "" : "s", what);
	return EXIT_DONE;
}

static int change_jobs(struct session *session, const struct arguments *arguments, change_fn *change, const char *done)
{
	const char *job_id = arguments->count > 0 ? arguments->values[0] : NULL;
	int64_t tenant_id;
	int count = 0, r = find_scope(session, arguments, &tenant_id);

	if (r != 0)
		return r;
	r = change(session->db, tenant_id, job_id, &count);
	if (r == -EINVAL)
		return complain(EXIT_USAGE, "`adminctl job list` shows them.", "%s is no job's id", job_id);
	if (r < 0)
		return complain_database(session, r, "changing the jobs");
	if (job_id != NULL && count == 0)
		return complain(EXIT_NOT_FOUND, "`adminctl job show` tells its state, if it is there.",
				"no job %s that could be %s", job_id, done);
	return print_count(session, done, count);
}

static int run_retry(struct session *session, const struct arguments *arguments)
{
	return change_jobs(session, arguments, job_retry, "queued again");
}

static int run_cancel(struct session *session, const struct arguments *arguments)
{
	return change_jobs(session, arguments, job_cancel, "cancelled");
}

/* --- rerun
 * ------------------------------------------------------------------------------------------------------------- */

enum rerun_option { RERUN_TENANT, RERUN_ALL, RERUN_EXTRACTOR, RERUN_OLDER };
static const struct option rerun_options[] = {
	[RERUN_TENANT] = {"tenant", "CODE", "All of this tenant."},
	[RERUN_ALL] = {"all", NULL, "All of every tenant."},
	[RERUN_EXTRACTOR] = {"extractor", "NAME", "Only what this extractor has read: pdf, csv, …"},
	[RERUN_OLDER] = {"older", NULL, "Only what an older version of the extractors has read."},
	{NULL, NULL, NULL},
};

static int run_rerun(struct session *session, const struct arguments *arguments)
{
	int64_t tenant_id, count = 0;
	int r = find_scope(session, arguments, &tenant_id);

	if (r != 0)
		return r;
	r = job_rerun(session->db, tenant_id, arguments->options[RERUN_EXTRACTOR],
		      arguments->options[RERUN_OLDER] != NULL, &count);
	return r < 0 ? complain_database(session, r, "queueing") : print_count(session, "queued again", count);
}

const struct command cmd_job_retry = {
	.group = "job",
	.name = "retry",
	.arguments = "[JOB]",
	.arguments_max = 1,
	.sentence = "Queue failed and cancelled extractions again.",
	.options = change_options,
	.run = run_retry,
};

const struct command cmd_job_cancel = {
	.group = "job",
	.name = "cancel",
	.arguments = "[JOB]",
	.arguments_max = 1,
	.sentence = "Cancel an extraction, or all that wait.",
	.options = change_options,
	.run = run_cancel,
};

const struct command cmd_job_rerun = {
	.group = "job",
	.name = "rerun",
	.arguments = "",
	.sentence = "Read files again, after an upgrade or a changed setting.",
	.options = rerun_options,
	.run = run_rerun,
};
