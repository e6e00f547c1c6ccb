/* tenant delete: asks for the removal, and does it itself when no mount holds the tenant. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/config/config.h"
#include "shared/meta/tenant_remove.h"
#include "shared/store/store.h"

enum delete_option { OPTION_YES, OPTION_WAIT };
static const struct option delete_options[] = {
	[OPTION_YES] = {"yes", NULL, "Do not ask."},
	[OPTION_WAIT] = {"wait", "TIME", "How long to wait for the mount that holds it (default 60s; 0: only ask)."},
	{NULL, NULL, NULL},
};

/* Nobody loses a tenant by a slip of the hand: its code is typed once more. */
static int confirm(const struct tenant_row *tenant, const struct tenant_usage *usage, bool is_sure)
{
	char size[SIZE_TEXT_SIZE], answer[TENANT_CODE_SIZE + 2];

	if (is_sure)
		return 0;
	if (!isatty(STDIN_FILENO))
		return complain(EXIT_USAGE, "Add --yes to delete it.",
				"the tenant %s would be deleted with %" PRId64 " files", tenant->code,
				usage->file_count);
	fprintf(stderr, "This removes %s with %" PRId64 " files (%s), for good. Type its code to go on: ", tenant->code,
		usage->file_count, size_text(usage->used_bytes, size));
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		answer[0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return strcmp(answer, tenant->code) == 0 ? 0 : complain(EXIT_FINDINGS, NULL, "not deleted");
}

static int print_removed(const struct session *session, const char *code, const struct tenant_removed *removed)
{
	static const struct column columns[] = {
		{"code", "Tenant", COLUMN_LEFT},
		{"files", "Files", COLUMN_RIGHT},
		{"folders", "Folders", COLUMN_RIGHT},
		{"bytes", "Bytes", COLUMN_RIGHT},
		{"extractions", "Extractions", COLUMN_RIGHT},
		{NULL, NULL, 0},
	};
	autolisting struct listing *listing = listing_new(columns);

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	listing_text(listing, code);
	listing_count(listing, removed->files);
	listing_count(listing, removed->folders);
	listing_size(listing, removed->bytes);
	listing_count(listing, removed->extractions);
	if (!session->wants_json)
		puts("Removed:");
	return listing_print_one(listing, session->wants_json, stdout);
}

static void show_progress(const struct tenant_removed *so_far, void *context)
{
	(void)context;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%" PRId64 " files removed", so_far->files);
}

/* As the lease holder. -EBUSY: a mount holds the lease, and removes it. Else 0 or an exit code, or the negative errno.
 */
static int remove_here(struct session *session, const struct tenant_row *tenant, struct store *store)
{
	struct tenant_removed removed = {0};
	char holder[64];
	int64_t epoch;
	int r;

	snprintf(holder, sizeof(holder), "adminctl:%ld", (long)getpid());
	r = tenant_remove_acquire(session->db, tenant->tenant_id, holder, &epoch);
	if (r < 0)
		return r;
	r = tenant_remove(session->db, store, tenant->tenant_id, tenant->code, epoch, show_progress, NULL, &removed);
	if (removed.files > 0 && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	return r < 0 ? r : print_removed(session, tenant->code, &removed);
}

/* The mount that holds it was told by the database; its row goes last. */
static int wait_for_mount(struct session *session, const struct tenant_row *tenant, int64_t wait_ms)
{
	const struct timespec pause = {.tv_nsec = 100 * NS_PER_MS};
	int64_t deadline = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	int r = 0;

	while (r == 0 && clock_monotonic_ns() < deadline) {
		cleanup(tenant_list_release) struct tenant_list list = {0};

		nanosleep(&pause, NULL);
		r = tenant_find_by_id(session->db, tenant->tenant_id, &list);
	}
	if (r == -ENOENT && session->wants_json)
		return printf("{\"code\": \"%s\", \"is_deleted\": true}\n", tenant->code) < 0;
	if (r == -ENOENT)
		return printf("Removed: %s, by the mount that held it.\n", tenant->code) < 0;
	if (r < 0)
		return complain_database(session, r, "waiting for the mount");
	return complain(wait_ms == 0 ? EXIT_DONE : EXIT_UNAVAILABLE,
			"The mount that holds it goes on removing; `adminctl tenant show` says when it is gone.",
			"the deletion of %s was asked for and is not finished yet", tenant->code);
}

static int carry_out(struct session *session, const struct tenant_row *tenant, int64_t wait_ms)
{
	const char *base = config_string(session->config, SETTING_STORAGE_BASE_PATH);
	struct store *store = NULL;
	/* Opened for writing only while no mount is at work on the same storage. */
	int r = base != NULL ? store_local_open(base, false, &store) : -EBUSY;

	if (r == 0)
		r = remove_here(session, tenant, store);
	store_close(store);
	if (r == -EBUSY)
		return wait_for_mount(session, tenant, wait_ms);
	if (r < 0 && db_sqlstate(session->db)[0] == '\0' && r != -EAGAIN)
		return complain(EXIT_UNAVAILABLE,
				"Run it again when the storage is in order: it goes on where it stopped.",
				"removing the tenant's bytes in %s: %s", base, strerror(-r));
	return r < 0 ? complain_database(session, r, "removing the tenant") : r;
}

static int run(struct session *session, const struct arguments *arguments)
{
	const char *wait_text = arguments->options[OPTION_WAIT];
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int64_t wait_ms = 60000;
	int r;

	if (wait_text != NULL && duration_parse(wait_text, &wait_ms) < 0)
		return complain(EXIT_USAGE, NULL, "--wait %s is no time: 30s, 5m, 0", wait_text);
	r = session_tenant(session, arguments->values[0], &list);
	if (r == 0)
		r = confirm(&list.rows[0], &list.usage[0], arguments->options[OPTION_YES] != NULL);
	if (r != 0)
		return r;
	r = tenant_request_delete(session->db, list.rows[0].tenant_id);
	if (r < 0)
		return complain_database(session, r, "asking for the deletion");
	return carry_out(session, &list.rows[0], wait_ms);
}

const struct command cmd_tenant_delete = {
	.group = "tenant",
	.name = "delete",
	.arguments = "CODE",
	.arguments_min = 1,
	.arguments_max = 1,
	.sentence = "Remove a tenant with everything in it.",
	.details = "From this moment everything inside is refused. The mount that holds the tenant removes its files "
		   "and rows;\n"
		   "when no mount does, adminctl takes its lease and removes them itself.",
	.options = delete_options,
	.run = run,
};
