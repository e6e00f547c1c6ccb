#include "shared/meta/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shared/base/clock.h"
#include "shared/base/extractor_version.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"
#include "shared/meta/apply.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"

enum { BATCH_RECORDS = 2000, RECONNECT_MS = 2000, PAUSE_MS = 100 };
#define BATCH_BYTES ((size_t)4 << 20)

struct batch {
	const struct replay *replay;
	struct apply_target target;
	int64_t journal_epoch;
	uint64_t done_records;

	struct buf bytes;
	struct {
		size_t offset, length;
		uint64_t position;
	} records[BATCH_RECORDS];
	int count, applied; /* of count */
};

static const char *number(int64_t value, char buffer[24])
{
	return log_format_number(buffer, value);
}

static void remove_objects(void *context, const struct apply_record *last, int count,
			   const struct apply_removed *removed, const struct apply_equal *equal)
{
	struct batch *batch = context;

	(void)last;
	(void)equal; /* sharing waits for the next time the content comes up */
	batch->applied += count;
	batch->done_records += (uint64_t)count;
	for (int i = 0; i < removed->count; i++) {
		int r = store_remove(batch->replay->store, batch->replay->code, removed->paths[i]);

		/* It stays as an orphan, which the collection of garbage finds. */
		if (r < 0)
			log_warn("an object could not be removed", "tenant", batch->replay->code, "path",
				 removed->paths[i], "error", log_errno(r));
	}
	FAULT_POINT("replay_batch_done");
}

/* --- one batch, until it is in --- */

static void pause_ms(int ms)
{
	struct timespec wanted = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * NS_PER_MS};

	nanosleep(&wanted, NULL);
}

/* After -EAGAIN or -EINPROGRESS: 0 to try again. What took place nevertheless the fence knows. */
static int recover(const struct replay *replay)
{
	if (clock_monotonic_ns() > replay->deadline_monotonic_ns)
		return -EAGAIN;
	pause_ms(PAUSE_MS);
	if (!db_is_lost(replay->db))
		return 0;
	if (db_reopen(replay->db, RECONNECT_MS) < 0 || apply_session(replay->db) < 0)
		return clock_monotonic_ns() > replay->deadline_monotonic_ns ? -EAGAIN : 0;
	return 0;
}

static void report_refusal(const struct batch *batch, const struct apply_record *record, int error)
{
	char text[128], position[24], epoch[24];

	apply_describe(record, text);
	log_error("a journal record cannot be applied; the journal is kept", "tenant", batch->replay->code,
		  "journal_epoch", number(batch->journal_epoch, epoch), "position",
		  number((int64_t)record->position, position), "record", text, "sqlstate",
		  db_sqlstate(batch->replay->db), "message", db_message(batch->replay->db), "error", log_errno(error));
}

static int flush(struct batch *batch)
{
	autofree struct apply_record *records = calloc((size_t)batch->count + 1, sizeof(*records));
	int r = 0;

	if (!records)
		return -ENOMEM;
	for (int i = 0; i < batch->count; i++)
		records[i] = (struct apply_record){batch->bytes.data + batch->records[i].offset,
						   batch->records[i].length, batch->records[i].position};
	while (batch->applied < batch->count) {
		r = apply_records(batch->replay->db, &batch->target, records + batch->applied,
				  batch->count - batch->applied);
		if (r == -EAGAIN || r == -EINPROGRESS)
			r = recover(batch->replay);
		if (r < 0)
			break;
	}
	if (apply_is_refused(r))
		report_refusal(batch, &records[batch->applied], r);
	batch->count = batch->applied = 0;
	buf_reset(&batch->bytes);
	if (r == 0 && batch->replay->tick)
		r = batch->replay->tick(batch->replay->context);
	return r;
}

static int add_record(const void *record, size_t length, uint64_t position, void *context)
{
	struct batch *batch = context;
	int r = 0;

	if (batch->count == BATCH_RECORDS || batch->bytes.length + length > BATCH_BYTES)
		r = flush(batch);
	if (r < 0)
		return r;
	batch->records[batch->count].offset = batch->bytes.length;
	batch->records[batch->count].length = length;
	batch->records[batch->count].position = position;
	batch->count++;
	return buf_append(&batch->bytes, record, length);
}

/* --- one journal --- */

static int check_begin(const struct replay *replay, int64_t epoch, uint64_t from)
{
	uint64_t begin, end;
	char number_buffer[24];
	int r = journal_extent(store_journal_dir(replay->store), replay->tenant_id, epoch, &begin, &end);

	if (r < 0 || begin <= from)
		return r;
	log_error("the database is older than the journal: records that were committed are in neither", "tenant",
		  replay->code, "journal_epoch", number(epoch, number_buffer), "try", "adminctl fsck --rebuild");
	return -ENODATA;
}

static int scan_and_apply(struct batch *batch, int64_t epoch, uint64_t from, uint64_t *ret_torn_at)
{
	const struct replay *replay = batch->replay;
	int r, r_flush;

	batch->journal_epoch = batch->target.journal_epoch = epoch;
	r = journal_scan(store_journal_dir(replay->store), replay->tenant_id, epoch, from, add_record, batch,
			 ret_torn_at);
	/* What lies before a damaged record is as good as ever. */
	if (r < 0 && r != -EBADMSG)
		return r;
	r_flush = batch->count > 0 ? flush(batch) : 0;
	return r_flush < 0 ? r_flush : r;
}

/* A full disk must not keep a tenant from being served, since serving it is how room is made: the file is retired
 * another time. */
static int retire(const struct replay *replay, int64_t epoch)
{
	char epoch_text[24];
	int r = journal_retire(store_journal_dir(replay->store), replay->tenant_id, epoch);

	if (r != -ENOSPC)
		return r;
	log_warn("no room to keep the records of an old journal; the file stays for now", "tenant", replay->code,
		 "journal_epoch", number(epoch, epoch_text));
	return 0;
}

static int replay_one(struct batch *batch, int64_t epoch, uint64_t from, struct replay_done *done)
{
	const struct replay *replay = batch->replay;
	uint64_t torn_at = UINT64_MAX;
	char epoch_text[24], position[24];
	int r = check_begin(replay, epoch, from);

	if (r == 0)
		r = scan_and_apply(batch, epoch, from, &torn_at);
	if (r == -EBADMSG && torn_at != UINT64_MAX)
		log_error(
			"the journal has a damaged record with valid ones behind it; nothing from there on is applied",
			"tenant", replay->code, "journal_epoch", number(epoch, epoch_text), "position",
			number((int64_t)torn_at, position));
	if (r < 0)
		return r;
	if (torn_at != UINT64_MAX) {
		done->has_lost = true;
		log_warn("the journal ends in a record that was being written", "tenant", replay->code, "journal_epoch",
			 number(epoch, epoch_text), "position", number((int64_t)torn_at, position));
	}
	FAULT_POINT("replay_before_retire");
	return retire(replay, epoch);
}

/* All of it is in PostgreSQL; that it is damaged only matters to .kept. */
static int retire_old(const struct replay *replay, int64_t epoch)
{
	int dir_fd = store_journal_dir(replay->store);
	char epoch_text[24];
	int r = retire(replay, epoch);

	if (r != -EBADMSG)
		return r;
	log_warn("a journal that was applied long ago is damaged; it is set aside", "tenant", replay->code,
		 "journal_epoch", number(epoch, epoch_text));
	return journal_set_aside(dir_fd, replay->tenant_id, epoch);
}

static int replay_each(struct batch *batch, const int64_t *epochs, int count, struct replay_done *done)
{
	const struct lease *lease = batch->replay->lease;
	int r = 0;

	for (int i = 0; r == 0 && i < count && epochs[i] < lease->epoch; i++) {
		if (epochs[i] < lease->journal_epoch)
			r = retire_old(batch->replay, epochs[i]);
		else
			r = replay_one(batch, epochs[i],
				       epochs[i] == lease->journal_epoch ? lease->journal_position : 0, done);
	}
	done->records = batch->done_records;
	return r;
}

int replay_journals(const struct replay *replay, struct replay_done *ret_done)
{
	autofree struct batch *batch = calloc(1, sizeof(*batch));
	autofree int64_t *epochs = NULL;
	struct replay_done done = {0};
	int count = 0, r;

	if (!batch)
		return -ENOMEM;
	batch->replay = replay;
	batch->bytes = BUF_INIT(BATCH_BYTES + RECORD_MAX_BYTES);
	batch->target = (struct apply_target){.tenant_id = replay->tenant_id,
					      .epoch = replay->lease->epoch,
					      .extractor_version = EXTRACTOR_VERSION,
					      .done = remove_objects,
					      .context = batch};
	r = journal_epochs(store_journal_dir(replay->store), replay->tenant_id, &epochs, &count);
	if (r == 0)
		r = replay_each(batch, epochs, count, &done);
	buf_release(&batch->bytes);
	*ret_done = done;
	return r;
}
