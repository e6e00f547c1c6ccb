#include "httpshim/file_lookup.h"

#include <errno.h>
#include <string.h>
#include "httpshim/answer_cache.h"
#include "httpshim/file_view.h"
#include "httpshim/metrics.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/tenant_cache.h"
#include "shared/meta/files.h"

enum { BASE_SIZE = 300, TEXT_BYTES_MAX = 1 << 20 };

static int answer_based(struct request *request, int status, const char *text, size_t length)
{
	struct buf *buf = answer_begin(request, status, "application/json");
	char base[BASE_SIZE];

	url_base(request, base, sizeof(base));
	file_view_put_based(buf, text, length, base);
	return answer_end(request);
}

bool file_lookup_fast(struct request *request, const char *tenant_code, const char *file_id)
{
	struct tenant *tenant = tenant_cache_peek(request->server->tenants, tenant_code);
	struct shared_bytes *answer = NULL;
	const char *text;
	size_t length;
	bool is_answered = false;

	if (tenant && tenant->is_active)
		answer = answer_cache_get(request->server->answers, tenant->id, file_id);
	if (answer) {
		text = shared_bytes_data(answer, &length);
		is_answered = answer_based(request, 200, text, length) == 0;
		shared_bytes_unref(answer);
	}
	if (is_answered && !request->tenant) {
		request->tenant = tenant;
		metrics_add(request->server->metrics, METRIC_CACHE_HITS, 1);
	} else {
		tenant_unref(tenant);
	}
	return is_answered;
}

int file_lookup_row(struct request *request, struct leased_db *leased, const char *file_id, struct file_list *ret_list)
{
	struct db_params params autoparams = {0};
	struct db_result *result;
	int r;

	if (!file_id_is_valid(file_id, strlen(file_id)))
		return -ENOENT;
	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, file_id);
	r = request_lease_db(request, leased);
	if (r == 0)
		r = db_run(leased->db, QUERY_API_FILE, &params, &result);
	if (r == 0)
		r = file_list_read(result, 0, ret_list);
	return r == 0 && ret_list->count == 0 ? -ENOENT : r;
}

/* What answers for the file, with the mark where the address belongs. */
static int describe(struct request *request, const char *file_id, struct buf *text)
{
	struct leased_db leased autodb = {0};
	struct file_list list autofiles = {0};
	int r = file_lookup_row(request, &leased, file_id, &list);

	if (r < 0)
		return r;
	file_view_put(text, request->server, request->tenant, FILE_VIEW_BASE_MARK, &list.rows[0]);
	return buf_error(text);
}

int file_lookup_answer_fresh(struct request *request, int status, const char *file_id)
{
	autobuf struct buf text = BUF_INIT(TEXT_BYTES_MAX);
	int r = describe(request, file_id, &text);

	return r < 0 ? r : answer_based(request, status, text.data, text.length);
}

int file_lookup_answer(struct request *request, int status, const char *file_id)
{
	struct answer_cache *cache = request->server->answers;
	uint64_t generation = answer_cache_generation(cache, request->tenant->id);
	autobuf struct buf text = BUF_INIT(TEXT_BYTES_MAX);
	struct shared_bytes *kept;
	int r;

	kept = answer_cache_fetch(cache, request->tenant->id, file_id, generation);
	if (kept) {
		size_t length;
		const char *bytes = shared_bytes_data(kept, &length);

		metrics_add(request->server->metrics, METRIC_CACHE_HITS, 1);
		r = answer_based(request, status, bytes, length);
		shared_bytes_unref(kept);
		return r;
	}
	metrics_add(request->server->metrics, METRIC_CACHE_MISSES, 1);
	r = describe(request, file_id, &text);
	if (r < 0)
		return r;
	kept = shared_bytes_new(text.data, text.length);
	if (kept) {
		answer_cache_put(cache, request->tenant->id, file_id, generation, kept);
		shared_bytes_unref(kept);
	}
	return answer_based(request, status, text.data, text.length);
}
