/* What was answered and is not in PostgreSQL: pending while a mount is at work, waiting for the next one else. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "adminctl/fsck.h"
#include "shared/base/cleanup.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"

struct lease {
	bool is_live;
	int64_t epoch, journal_epoch;
	uint64_t journal_position;
};

static int read_lease(struct fsck *fsck, int64_t tenant_id, struct lease *ret_lease)
{
	enum { COLUMN_HOLDER, COLUMN_EPOCH, COLUMN_IS_LIVE, COLUMN_JOURNAL_EPOCH, COLUMN_JOURNAL_POSITION };
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	*ret_lease = (struct lease){0};
	db_params_init(&params);
	db_param_int(&params, tenant_id);
	r = db_run(fsck->db, QUERY_FSCK_LEASE, &params, &result);
	if (r < 0 || db_rows(result) == 0)
		return r;
	ret_lease->is_live = db_get_bool(result, 0, COLUMN_IS_LIVE);
	ret_lease->epoch = db_get_int(result, 0, COLUMN_EPOCH);
	ret_lease->journal_epoch = db_get_int(result, 0, COLUMN_JOURNAL_EPOCH);
	ret_lease->journal_position = (uint64_t)db_get_int(result, 0, COLUMN_JOURNAL_POSITION);
	return 0;
}

static int count_record(const void *record, size_t length, uint64_t position, void *context)
{
	int64_t *count = context;

	(void)record;
	(void)length;
	(void)position;
	++*count;
	return 0;
}

/* The file a live holder writes to changes under the reader: only its damage would count, and that its owner tells. */
static int check_epoch(struct fsck *fsck, const struct tenant_row *tenant, const struct lease *lease, int64_t epoch)
{
	uint64_t from = epoch == lease->journal_epoch ? lease->journal_position : 0, torn_at = UINT64_MAX;
	int64_t pending = 0;
	int r;

	if (lease->is_live && epoch == lease->epoch)
		return 0;
	r = journal_scan(store_journal_dir(fsck->store), tenant->tenant_id, epoch, from, count_record, &pending,
			 &torn_at);
	if (r == -EBADMSG)
		fsck_report(fsck, true, tenant->code, "journal_damaged", (struct bytes){0},
			    "epoch %" PRId64 ": the record at %" PRIu64 " is damaged, nothing behind it is applied",
			    epoch, torn_at);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	if (pending > 0 && epoch >= lease->journal_epoch)
		fsck_report(fsck, false, tenant->code, "journal_pending", (struct bytes){0},
			    "epoch %" PRId64 ": %" PRId64 " records wait for the next mount", epoch, pending);
	if (torn_at != UINT64_MAX)
		fsck_report(fsck, false, tenant->code, "journal_torn", (struct bytes){0},
			    "epoch %" PRId64 ": it ends in a record that was never finished, nor answered", epoch);
	return 0;
}

int fsck_journal(struct fsck *fsck, const struct tenant_row *tenant)
{
	autofree int64_t *epochs = NULL;
	struct lease lease;
	int count = 0, r = read_lease(fsck, tenant->tenant_id, &lease);

	if (r == 0)
		r = journal_epochs(store_journal_dir(fsck->store), tenant->tenant_id, &epochs, &count);
	for (int i = 0; i < count && r == 0; i++)
		r = check_epoch(fsck, tenant, &lease, epochs[i]);
	return r;
}
