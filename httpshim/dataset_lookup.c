#include "httpshim/dataset_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"
#include "shared/config/config.h"
#include "shared/db/db.h"

enum { COLUMN_NAME, COLUMN_DESCRIPTION, COLUMN_SUMMARY, COLUMN_FILE };

void dataset_list_release(struct dataset_list *list)
{
	free(list->views);
	file_list_release(&list->files);
	*list = (struct dataset_list){0};
}

int dataset_list_find(const struct request *request, struct db *db, const char *name, const char *file_id,
		      struct dataset_list *ret_list)
{
	struct dataset_list list autodatasets = {0};
	struct db_params params autoparams = {0};
	struct db_result *result;
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, request->principal.subject);
	db_param_text(&params, name);
	db_param_text(&params, file_id);
	r = db_run(db, QUERY_API_DATASET_FIND, &params, &result);
	if (r == 0)
		r = file_list_read(result, COLUMN_FILE, &list.files);
	if (r < 0)
		return r;
	list.views = calloc((size_t)list.files.count + 1, sizeof(*list.views));
	if (!list.views)
		return -ENOMEM;
	for (int i = 0; i < list.files.count; i++) {
		list.views[i].name = db_get_text(list.files.result, i, COLUMN_NAME);
		list.views[i].description = db_get_text(list.files.result, i, COLUMN_DESCRIPTION);
		list.views[i].summary = db_get_text(list.files.result, i, COLUMN_SUMMARY);
		list.views[i].mount_path = config_string(request->server->config, SETTING_TENANTFS_MOUNT);
	}
	*ret_list = list;
	list = (struct dataset_list){0};
	return 0;
}
