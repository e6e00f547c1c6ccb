/*
 * Objects on disk against their rows. The rows are read first, into a sorted table of path hashes, then the disk is
 * listed once: what a mount removes meanwhile is asked for again before it counts as missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "adminctl/fsck.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"
#include "shared/store/store.h"

enum { PAGE_ROWS = 5000 };
enum { COLUMN_OBJECT_ID, COLUMN_PATH, COLUMN_SIZE, COLUMN_SHA256 };

struct known {
	uint64_t path_hash;
	int64_t object_id, size_bytes;
	bool is_seen;
};

struct objects {
	struct fsck *fsck;
	const struct tenant_row *tenant;
	struct known *known; /* sorted by path_hash once loaded */
	size_t count, capacity;
};

static void objects_release(struct objects *objects)
{
	free(objects->known);
}

static int load_page(struct objects *objects, int64_t after, struct db_result **ret_page)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, objects->tenant->tenant_id);
	db_param_int(&params, after);
	db_param_int(&params, PAGE_ROWS);
	return db_run(objects->fsck->db, QUERY_FSCK_OBJECTS, &params, ret_page);
}

static int add_known(struct objects *objects, const struct db_result *page, int row)
{
	struct bytes path = column_bytes(page, row, COLUMN_PATH);

	if (objects->count == objects->capacity) {
		size_t capacity = objects->capacity == 0 ? 1024 : objects->capacity * 2;
		struct known *grown = reallocarray(objects->known, capacity, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		objects->known = grown;
		objects->capacity = capacity;
	}
	objects->known[objects->count++] = (struct known){.path_hash = checksum_xxh3(path.data, path.length),
							  .object_id = db_get_int(page, row, COLUMN_OBJECT_ID),
							  .size_bytes = db_get_int(page, row, COLUMN_SIZE)};
	return 0;
}

/* Reads the object and compares: only when asked for, it reads every byte there is. */
static int check_hash(struct objects *objects, const struct db_result *page, int row)
{
	struct bytes path = column_bytes(page, row, COLUMN_PATH), expected = column_bytes(page, row, COLUMN_SHA256);
	uint8_t found[DIGEST_SIZE];
	autoclose int fd = -1;
	int r = store_open(objects->fsck->store, objects->tenant->code, path.data, O_RDONLY | O_CLOEXEC, &fd);

	if (r == 0)
		r = digest_fd(fd, (uint64_t)db_get_int(page, row, COLUMN_SIZE), found);
	if (r < 0)
		return r == -ENOENT || r == -ENODATA ? 0 : r; /* missing or too short: told by the listing */
	if (expected.length != DIGEST_SIZE || memcmp(expected.data, found, DIGEST_SIZE) != 0)
		fsck_report(objects->fsck, true, objects->tenant->code, "object_content", path,
			    "its bytes are not those that were published");
	return 0;
}

static int load_rows(struct objects *objects)
{
	int64_t after = 0;
	int rows, r = 0;

	do {
		autoresult struct db_result *page = NULL;

		r = load_page(objects, after, &page);
		rows = r == 0 ? db_rows(page) : 0;
		for (int i = 0; i < rows && r == 0; i++) {
			r = add_known(objects, page, i);
			if (r == 0 && objects->fsck->wants_hashes)
				r = check_hash(objects, page, i);
		}
		if (rows > 0)
			after = db_get_int(page, rows - 1, COLUMN_OBJECT_ID);
	} while (r == 0 && rows == PAGE_ROWS);
	return r;
}

static int compare_known(const void *left, const void *right)
{
	uint64_t a = ((const struct known *)left)->path_hash, b = ((const struct known *)right)->path_hash;

	return a < b ? -1 : a > b;
}

static bool is_young(const struct fsck *fsck, const struct stat *stat)
{
	int64_t changed_ns = stat->st_ctim.tv_sec * NS_PER_S + stat->st_ctim.tv_nsec;

	return clock_realtime_ns() - changed_ns < fsck->grace_ns;
}

/* An append extends the object before its row says so: more bytes than the row counts are an error only when they stay.
 */
static int visit_object(const char *path, const struct stat *stat, void *context)
{
	struct objects *objects = context;
	struct bytes name = {path, strlen(path)};
	struct known key = {.path_hash = checksum_xxh3(path, name.length)};
	struct known *known =
		objects->count > 0 ? bsearch(&key, objects->known, objects->count, sizeof(key), compare_known) : NULL;

	objects->fsck->objects++;
	if (known == NULL) {
		if (!is_young(objects->fsck, stat))
			fsck_report(objects->fsck, true, objects->tenant->code, "object_without_row", name,
				    "%lld bytes that no row names", (long long)stat->st_size);
		return 0;
	}
	known->is_seen = true;
	if (stat->st_size < known->size_bytes || (stat->st_size > known->size_bytes && !is_young(objects->fsck, stat)))
		fsck_report(objects->fsck, true, objects->tenant->code, "object_size", name,
			    "%lld bytes on disk, the row says %" PRId64, (long long)stat->st_size, known->size_bytes);
	return 0;
}

/* What the listing did not show: gone with its row meanwhile, come after the listing, or missing. */
static int check_unseen(struct objects *objects, const struct known *known)
{
	autoresult struct db_result *row = NULL;
	struct stat stat;
	struct bytes path;
	int r = load_page(objects, known->object_id - 1, &row);

	if (r < 0)
		return r;
	if (db_rows(row) == 0 || db_get_int(row, 0, COLUMN_OBJECT_ID) != known->object_id)
		return 0;
	path = column_bytes(row, 0, COLUMN_PATH);
	r = store_stat(objects->fsck->store, objects->tenant->code, path.data, &stat);
	if (r == -ENOENT)
		fsck_report(objects->fsck, true, objects->tenant->code, "row_without_object", path,
			    "the bytes of object %" PRId64 " are not there", known->object_id);
	return r == -ENOENT ? 0 : r;
}

int fsck_objects(struct fsck *fsck, const struct tenant_row *tenant)
{
	struct objects objects cleanup(objects_release) = {.fsck = fsck, .tenant = tenant};
	int r = load_rows(&objects);

	if (r < 0)
		return r;
	if (objects.count > 0)
		qsort(objects.known, objects.count, sizeof(*objects.known), compare_known);
	/* A tenant without a file has no folder yet. */
	r = store_list(fsck->store, tenant->code, visit_object, &objects);
	if (r < 0 && r != -ENOENT)
		return r;
	r = 0;
	for (size_t i = 0; i < objects.count && r == 0; i++)
		if (!objects.known[i].is_seen)
			r = check_unseen(&objects, &objects.known[i]);
	return r;
}
