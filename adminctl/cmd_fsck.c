/* fsck: whether database, journal and disk agree. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/fsck.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/buf.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum fsck_option { OPTION_TENANT, OPTION_GRACE, OPTION_HASH, OPTION_DATABASE_ONLY };
static const struct option fsck_options[] = {
	[OPTION_TENANT] = {"tenant", "CODE", "Only this tenant."},
	[OPTION_GRACE] = {"grace", "TIME", "Differences between disk and rows younger than this pass (default 15m)."},
	[OPTION_HASH] = {"hash", NULL, "Read every object and compare its SHA-256."},
	[OPTION_DATABASE_ONLY] = {"database-only", NULL, "Look at the rows alone, where the storage is not in reach."},
	{NULL, NULL, NULL},
};

static const struct column columns[] = {
	{"severity", "SEVERITY", COLUMN_LEFT}, {"tenant", "TENANT", COLUMN_LEFT}, {"rule", "RULE", COLUMN_LEFT},
	{"what", "WHAT", COLUMN_LEFT},	       {"detail", "DETAIL", COLUMN_LEFT}, {NULL, NULL, 0},
};

void fsck_report(struct fsck *fsck, bool is_error, const char *tenant_code, const char *rule, struct bytes what,
		 const char *format, ...)
{
	char detail[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	listing_text(fsck->findings, is_error ? "error" : "note");
	listing_text(fsck->findings, tenant_code);
	listing_text(fsck->findings, rule);
	listing_bytes(fsck->findings, what);
	listing_text(fsck->findings, detail);
	fsck->errors += is_error;
	fsck->notes += !is_error;
}

static int check_tenant(struct fsck *fsck, const struct tenant_row *tenant)
{
	int r = fsck_names(fsck, tenant);

	if (r == 0)
		r = fsck_usage(fsck, tenant);
	if (r == 0 && fsck->store != NULL)
		r = fsck_objects(fsck, tenant);
	if (r == 0 && fsck->store != NULL)
		r = fsck_journal(fsck, tenant);
	/* Deleted while it was looked at: then nothing of it need agree. */
	return r;
}

static int check_page(struct session *session, struct fsck *fsck, const struct tenant_list *list)
{
	for (int i = 0; i < list->count; i++) {
		int r = check_tenant(fsck, &list->rows[i]);

		if (r == -EAGAIN || r == -EPROTO)
			return complain_database(session, r, "checking");
		if (r < 0)
			return complain(EXIT_UNAVAILABLE, "It is not known whether the rest is clean.",
					"the tenant %s could not be checked: %s", list->rows[i].code, strerror(-r));
	}
	return 0;
}

static int check_strangers(struct session *session, struct fsck *fsck)
{
	int r = fsck->store != NULL ? fsck_strangers(fsck) : 0;

	if (r == -EAGAIN || r == -EPROTO)
		return complain_database(session, r, "checking");
	return r < 0 ? complain(EXIT_UNAVAILABLE, NULL, "the storage could not be listed: %s", strerror(-r)) : 0;
}

static int check_all(struct session *session, struct fsck *fsck, int64_t *ret_tenants)
{
	enum { PAGE_ROWS = 500 };
	char after[TENANT_CODE_SIZE] = "";
	int count;

	do {
		cleanup(tenant_list_release) struct tenant_list list = {0};
		int r = tenant_list(fsck->db, after, 0, PAGE_ROWS, &list);

		if (r < 0)
			return complain_database(session, r, "listing the tenants");
		r = check_page(session, fsck, &list);
		if (r != 0)
			return r;
		count = list.count;
		*ret_tenants += count;
		if (count > 0)
			snprintf(after, sizeof(after), "%s", list.rows[count - 1].code);
	} while (count == PAGE_ROWS);
	return check_strangers(session, fsck);
}

static int check_one(struct session *session, struct fsck *fsck, const char *code)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r = session_tenant(session, code, &list);

	return r == 0 ? check_page(session, fsck, &list) : r;
}

static int print_findings(const struct session *session, const struct fsck *fsck, int64_t tenants)
{
	char words[128];

	snprintf(words, sizeof(words), "Clean: %" PRId64 " tenant%s, %" PRId64 " objects on disk.", tenants,
		 tenants == 1 ? "" : "s", fsck->objects);
	if (listing_print(fsck->findings, session->wants_json, words, stdout) != 0)
		return EXIT_UNAVAILABLE;
	if (!session->wants_json && fsck->errors + fsck->notes > 0)
		printf("\n%" PRId64 " error%s, %" PRId64 " note%s\n", fsck->errors, fsck->errors == 1 ? "" : "s",
		       fsck->notes, fsck->notes == 1 ? "" : "s");
	return fsck->errors > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

static int read_grace(const char *text, int64_t *ret_grace_ns)
{
	int64_t grace_ms = 15 * 60 * 1000;

	if (text != NULL && (duration_parse(text, &grace_ms) < 0 || grace_ms < 0))
		return complain(EXIT_USAGE, NULL, "--grace %s is no time: 15m, 1h, 0", text);
	*ret_grace_ns = grace_ms * NS_PER_MS;
	return 0;
}

static int run(struct session *session, const struct arguments *arguments)
{
	const char *code = arguments->options[OPTION_TENANT];
	autolisting struct listing *findings = listing_new(columns);
	struct fsck fsck = {.findings = findings, .wants_hashes = arguments->options[OPTION_HASH] != NULL};
	int64_t tenants = code != NULL;
	int r = read_grace(arguments->options[OPTION_GRACE], &fsck.grace_ns);

	if (r == 0)
		r = session_database(session, &fsck.db);
	if (r == 0 && arguments->options[OPTION_DATABASE_ONLY] == NULL)
		r = session_store(session, &fsck.store);
	if (r != 0)
		return r;
	if (findings == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	r = code != NULL ? check_one(session, &fsck, code) : check_all(session, &fsck, &tenants);
	return r == 0 ? print_findings(session, &fsck, tenants) : r;
}

const struct command cmd_fsck = {
	.group = "fsck",
	.name = "",
	.arguments = "",
	.sentence = "Check whether database, journal and disk agree; changes nothing.",
	.details = "Exit code 0: clean. 1: errors were found. 2: it could not be checked. Notes, which the next mount "
		   "puts right by\n"
		   "itself, do not count. It may run beside mounts.",
	.options = fsck_options,
	.run = run,
};
