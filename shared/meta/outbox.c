/* The outbox: events written in the transaction in which they happened, carried to Redis afterwards. */
#include <errno.h>
#include <stdlib.h>
#include "shared/base/cleanup.h"
#include "shared/meta/jobs.h"

static int take(struct db *db, int limit, struct db_result **ret_result)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, limit);
	return db_run(db, QUERY_OUTBOX_TAKE, &params, ret_result);
}

static struct job_event event_of(const struct db_result *result, int row)
{
	const char *code = db_get_text(result, row, 1);

	return (struct job_event){.tenant_id = db_get_int(result, row, 0),
				  .tenant_code = code ? code : "",
				  .event_id = db_get_int(result, row, 2),
				  .kind = db_get_text(result, row, 3),
				  .payload = db_get_text(result, row, 4),
				  .created_at_ns = db_get_time(result, row, 5)};
}

static int remove_delivered(struct db *db, const struct db_result *result, int count)
{
	autoparams struct db_params params;
	struct db_array tenants, events;

	db_params_init(&params);
	db_array_init(&tenants, DB_TYPE_INT8);
	db_array_init(&events, DB_TYPE_INT8);
	for (int row = 0; row < count; row++) {
		db_array_int(&tenants, db_get_int(result, row, 0));
		db_array_int(&events, db_get_int(result, row, 2));
	}
	db_param_array(&params, &tenants);
	db_param_array(&params, &events);
	db_array_release(&tenants);
	db_array_release(&events);
	return db_run(db, QUERY_OUTBOX_DELETE, &params, NULL);
}

/* The transaction stays open while events are delivered: its lock keeps a second carrier away, and order with it. */
int outbox_carry(struct db *db, int limit, int (*deliver)(const struct job_event *event, void *context), void *context,
		 int *ret_count)
{
	autoresult struct db_result *result = NULL;
	int r = db_begin(db), delivered = 0, failure = 0;

	if (r < 0)
		return r;
	r = take(db, limit, &result);
	while (r == 0 && failure == 0 && delivered < db_rows(result)) {
		struct job_event event = event_of(result, delivered);

		failure = deliver(&event, context);
		delivered += failure == 0;
	}
	if (r == 0 && delivered > 0)
		r = remove_delivered(db, result, delivered);
	if (r == 0)
		r = db_commit(db, NULL);
	else
		db_rollback(db);
	*ret_count = r == 0 ? delivered : 0;
	return r < 0 ? r : failure;
}
