/* Why the mount refused a write, in words: the errno says which answer, the noted rejection says why. */
#include <errno.h>
#include <string.h>
#include "httpshim/answer.h"
#include "httpshim/metrics.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/working_file.h"
#include "shared/base/cleanup.h"
#include "shared/meta/tenants.h"

enum { DATABASE_WAIT_MS = 1000, REASON_SIZE = 512 };

/* The reason is written with the next commit. False: it is not known, PostgreSQL may be away. */
static bool find_reason(struct working_file *file, char ret_reason[REASON_SIZE])
{
	struct rejection_list list autorejections = {0};
	struct db *db;
	int r;

	if (file->file_id[0] == '\0' || working_file_wait(file) < 0)
		return false;
	if (db_pool_get(file->server->database, DATABASE_WAIT_MS, &db) < 0)
		return false;
	r = rejection_of_file(db, file->tenant->id, file->file_id, &list);
	if (r == 0 && list.count > 0)
		snprintf(ret_reason, REASON_SIZE, "%.*s", (int)list.rows[0].reason.length, list.rows[0].reason.data);
	db_pool_put(file->server->database, db);
	return r == 0 && list.count > 0;
}

static int status_of(int error)
{
	switch (error) {
	case -EPERM:
		return 422;
	case -EFBIG:
		return 413;
	case -EDQUOT:
	case -ENOSPC:
		return 507;
	default:
		return 0;
	}
}

int working_file_answer_refusal(struct request *request, struct working_file *file, int error)
{
	int status = status_of(error);
	char reason[REASON_SIZE];

	if (status == 0)
		return answer_errno(request, error);
	metrics_add(request->server->metrics, METRIC_UPLOADS_REFUSED, 1);
	if (find_reason(file, reason))
		return answer_errorf(request, status, "%s", reason);
	return answer_errno(request, error);
}
