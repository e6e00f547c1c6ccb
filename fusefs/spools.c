/*
 * Which spools are wanted: the folder of spools is one for all tenants, and what a journal names that nobody has
 * replayed yet must survive a sweep as much as what a row names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/log.h"
#include "shared/model/change.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"

struct name_list {
	int journal_dir_fd;
	char (*names)[DURABLE_SPOOL_NAME_SIZE];
	int count;
};

static int add_name(struct name_list *list, const char *name, size_t length)
{
	char(*larger)[DURABLE_SPOOL_NAME_SIZE];

	if (length >= DURABLE_SPOOL_NAME_SIZE)
		return -EBADMSG;
	larger = reallocarray(list->names, (size_t)list->count + 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	list->names = larger;
	memset(larger[list->count], 0, sizeof(larger[list->count]));
	memcpy(larger[list->count++], name, length);
	return 0;
}

static int add_of_record(const void *record, size_t length, uint64_t position, void *context)
{
	struct change change;
	size_t cursor = 0;
	int r;

	(void)position;
	while ((r = record_next(record, length, &cursor, &change)) == 1) {
		if (change.kind == CHANGE_SPOOL && change.spool.spool_name.length > 0)
			r = add_name(context, change.spool.spool_name.data, change.spool.spool_name.length);
		if (r < 0)
			return r;
	}
	return r;
}

static int add_of_journal(int64_t tenant_id, int64_t epoch, void *context)
{
	struct name_list *list = context;
	uint64_t torn_at;
	int r = journal_scan(list->journal_dir_fd, tenant_id, epoch, 0, add_of_record, list, &torn_at);

	/* Gone meanwhile: another thread has replayed it, and the rows, which are read afterwards, have its names. */
	return r == -ENOENT ? 0 : r;
}

static int add_of_rows(struct durable *durable, struct name_list *list)
{
	autoresult struct db_result *result = NULL;
	struct db *db;
	int r = db_pool_get(durable->pool, durable->deadline_ms, &db);

	if (r < 0)
		return r;
	r = db_run(db, QUERY_SPOOL_NAMES, NULL, &result);
	for (int i = 0; r == 0 && i < db_rows(result); i++) {
		size_t length = 0;
		const char *name = db_get_bytes(result, i, 0, &length);

		r = add_name(list, name, length);
	}
	db_pool_put(durable->pool, db);
	return r;
}

int durable_spools_wanted(struct durable *durable, char (**ret_names)[DURABLE_SPOOL_NAME_SIZE], int *ret_count)
{
	struct name_list list = {.journal_dir_fd = store_journal_dir(durable->store)};
	int r = journal_each(list.journal_dir_fd, add_of_journal, &list);

	if (r == 0)
		r = add_of_rows(durable, &list);
	if (r < 0) {
		free(list.names);
		return r;
	}
	*ret_names = list.names;
	*ret_count = list.count;
	return 0;
}
