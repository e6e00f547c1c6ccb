#include "shared/meta/lease.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/base/fault.h"
#include "shared/store/journal_base.h"

enum {
	TAKE_VERDICT,
	TAKE_EPOCH,
	TAKE_HOLDER,
	TAKE_PLACE,
	TAKE_BASE_ID,
	TAKE_WAIT_MS,
	TAKE_JOURNAL_EPOCH,
	TAKE_JOURNAL_POSITION,
	TAKE_SYNCED_POSITION,
	TAKE_SYNCED_AT,
	TAKE_SYNCED_BOOT_ID
};

/*
 * base_id goes along with a copy of the folder, and a copy on this machine has a lock of its own: what proves that a
 * holder is dead is that it had the lock on the very directory that we have it on now, in the same start of the
 * machine.
 */
static int describe_place(struct lease_holder *holder)
{
	struct stat stat;

	if (fstat(holder->lock_fd, &stat) < 0)
		return -errno;
	if (holder->boot_id[0])
		snprintf(holder->place, sizeof(holder->place), "%s %" PRIxMAX ":%" PRIxMAX, holder->boot_id,
			 (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
	return 0;
}

int lease_holder_init(int journal_dir_fd, struct lease_holder *ret_holder)
{
	struct lease_holder holder = {.lock_fd = -1};
	char host[65] = "";
	uint64_t random;
	int r = journal_lock(journal_dir_fd, &holder.lock_fd);

	if (r < 0)
		return r;
	r = journal_base_id(journal_dir_fd, holder.base_id);
	if (r == 0 && getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		r = -EIO;
	if (r < 0) {
		lease_holder_release(&holder);
		return r;
	}
	if (gethostname(host, sizeof(host) - 1) < 0)
		snprintf(host, sizeof(host), "unknown");
	snprintf(holder.name, sizeof(holder.name), "%s:%ld:%016" PRIx64, host, (long)getpid(), random);
	boot_id_read(holder.boot_id);
	r = describe_place(&holder);
	if (r < 0) {
		lease_holder_release(&holder);
		return r;
	}
	holder.is_exclusive = journal_base_is_local(journal_dir_fd);
	*ret_holder = holder;
	return 0;
}

void lease_holder_release(struct lease_holder *holder)
{
	if (holder->lock_fd >= 0)
		close(holder->lock_fd);
	holder->lock_fd = -1;
}

static void copy_text(char *to, size_t size, const struct db_result *result, int row, int column)
{
	const char *text = db_get_text(result, row, column);

	snprintf(to, size, "%s", text ? text : "");
}

static int verdict_of(const struct db_result *result)
{
	switch (db_get_char(result, 0, TAKE_VERDICT)) {
	case 't':
		return 0;
	case 'h':
		return -EBUSY;
	case 'b':
		return -EXDEV;
	default:
		return -ENOENT;
	}
}

int lease_take(struct db *db, int64_t tenant_id, const struct lease_holder *holder, int duration_ms,
	       struct lease *ret_lease)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	struct lease *lease = ret_lease;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_text(&params, holder->name);
	db_param_text(&params, holder->place);
	db_param_text(&params, holder->base_id);
	db_param_int(&params, duration_ms);
	FAULT_POINT("lease_take_before");
	r = db_run(db, QUERY_LEASE_TAKE, &params, &result);
	if (r < 0)
		return r;
	FAULT_POINT("lease_take_after");
	lease->epoch = db_get_int(result, 0, TAKE_EPOCH);
	lease->journal_epoch = db_get_int(result, 0, TAKE_JOURNAL_EPOCH);
	lease->journal_position = (uint64_t)db_get_int(result, 0, TAKE_JOURNAL_POSITION);
	lease->synced_position = (uint64_t)db_get_int(result, 0, TAKE_SYNCED_POSITION);
	lease->synced_at_ns = db_get_time(result, 0, TAKE_SYNCED_AT);
	copy_text(lease->synced_boot_id, sizeof(lease->synced_boot_id), result, 0, TAKE_SYNCED_BOOT_ID);
	copy_text(lease->holder_before, sizeof(lease->holder_before), result, 0, TAKE_HOLDER);
	lease->wait_ms = db_get_int(result, 0, TAKE_WAIT_MS);
	return verdict_of(result);
}

/* --- many at once --- */

static void add_column(struct db_params *params, const int64_t *values, int count)
{
	struct db_array array;

	db_array_init(&array, DB_TYPE_INT8);
	for (int i = 0; i < count; i++)
		db_array_int(&array, values[i]);
	db_param_array(params, &array);
	db_array_release(&array);
}

static int compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int mark_lost(const struct db_result *result, const int64_t *tenant_ids, int count, bool *is_lost)
{
	size_t rows = (size_t)db_rows(result);
	autofree int64_t *renewed = calloc(rows + 1, sizeof(*renewed));

	if (!renewed)
		return -ENOMEM;
	for (size_t i = 0; i < rows; i++)
		renewed[i] = db_get_int(result, (int)i, 0);
	qsort(renewed, rows, sizeof(*renewed), compare_ids);
	for (int i = 0; i < count; i++)
		is_lost[i] = !bsearch(&tenant_ids[i], renewed, rows, sizeof(*renewed), compare_ids);
	return 0;
}

int lease_renew(struct db *db, const struct lease_holder *holder, const int64_t *tenant_ids, const int64_t *epochs,
		const int64_t *synced_positions, int count, int duration_ms, bool *is_lost)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	add_column(&params, tenant_ids, count);
	add_column(&params, epochs, count);
	add_column(&params, synced_positions, count);
	db_param_int(&params, duration_ms);
	db_param_text(&params, holder->boot_id);
	FAULT_POINT("lease_renew_before");
	r = db_run(db, QUERY_LEASE_RENEW, &params, &result);
	FAULT_POINT("lease_renew_after");
	return r < 0 ? r : mark_lost(result, tenant_ids, count, is_lost);
}

/* --- the end --- */

int lease_give_back(struct db *db, int64_t tenant_id, int64_t epoch)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, epoch);
	r = db_run(db, QUERY_LEASE_GIVE_BACK, &params, &result);
	if (r < 0)
		return r;
	return db_rows(result) > 0 ? 0 : -ESTALE;
}

int lease_break(struct db *db, int64_t tenant_id, char ret_holder_before[LEASE_HOLDER_SIZE])
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	r = db_run(db, QUERY_LEASE_BREAK, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT;
	copy_text(ret_holder_before, LEASE_HOLDER_SIZE, result, 0, 0);
	return 0;
}
