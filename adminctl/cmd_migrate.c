/* migrate: brings the database to this program's schema. */
#include <errno.h>
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/db/migrate.h"

enum migrate_option { OPTION_STATUS };
static const struct option migrate_options[] = {
	[OPTION_STATUS] = {"status", NULL, "Only show which are applied; exit code 1 when some are missing."},
	{NULL, NULL, NULL},
};

static const struct column columns[] = {
	{"number", "NUMBER", COLUMN_RIGHT},
	{"name", "NAME", COLUMN_LEFT},
	{"is_applied", "APPLIED", COLUMN_LEFT},
	{NULL, NULL, 0},
};

/* Migrations are applied in order, so those missing are the last ones. */
static int show_status(const struct session *session, struct db *db)
{
	autolisting struct listing *listing = listing_new(columns);
	int count = 0, r = migrate_pending(db);

	if (r < 0)
		return complain_schema(session, r);
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	while (migrations[count].sql != NULL)
		count++;
	for (int i = 0; i < count; i++) {
		listing_number(listing, migrations[i].number);
		listing_text(listing, migrations[i].name);
		listing_bool(listing, i < count - r);
	}
	listing_print(listing, session->wants_json, "No migration is known.", stdout);
	return r > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

static int run(struct session *session, const struct arguments *arguments)
{
	struct db *db;
	int applied, r = session_connect(session, &db);

	if (r != 0)
		return r;
	if (arguments->options[OPTION_STATUS] != NULL)
		return show_status(session, db);
	r = migrate_apply(db, &applied);
	if (r < 0)
		return complain_schema(session, r);
	if (session->wants_json)
		printf("{\"applied\": %d}\n", applied);
	else if (applied == 0)
		puts("The database is at the newest schema.");
	else
		printf("%d migration%s applied.\n", applied, applied == 1 ? "" : "s");
	return EXIT_DONE;
}

const struct command cmd_migrate = {
	.group = "migrate",
	.name = "",
	.arguments = "",
	.sentence = "Bring the database to this version's schema.",
	.details = "Forward only, each migration in one transaction; several may run at once. Run it before starting "
		   "newer daemons.",
	.options = migrate_options,
	.run = run,
};
