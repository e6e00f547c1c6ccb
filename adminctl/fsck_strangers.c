/* What lies in the storage and belongs to no tenant: folders without a row, spools that nobody will publish. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "adminctl/fsck.h"
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "shared/meta/tenants.h"
#include "shared/store/store.h"

static bool is_young(const struct fsck *fsck, const struct stat *stat)
{
	return clock_realtime_ns() - (stat->st_ctim.tv_sec * NS_PER_S + stat->st_ctim.tv_nsec) < fsck->grace_ns;
}

static int visit_folder(const char *name, const struct stat *stat, void *context)
{
	struct fsck *fsck = context;
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r;

	if (strcmp(name, ".tenantfs") == 0 || is_young(fsck, stat))
		return 0;
	r = tenant_code_is_valid(name) ? tenant_find(fsck->db, name, &list) : -ENOENT;
	if (r == -ENOENT)
		fsck_report(fsck, true, "", "folder_without_tenant", (struct bytes){name, strlen(name)},
			    "it lies in the storage and is no tenant's");
	return r == -ENOENT ? 0 : r;
}

static int visit_spool(const char *name, const struct stat *stat, void *context)
{
	struct fsck *fsck = context;
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	if (is_young(fsck, stat))
		return 0;
	db_param_text(&params, name);
	r = db_run(fsck->db, QUERY_FSCK_SPOOL, &params, &result);
	if (r == 0 && db_rows(result) == 0)
		fsck_report(fsck, false, "", "spool_left", (struct bytes){name, strlen(name)},
			    "content that was being written; the next mount sweeps it unless it is still open");
	return r;
}

int fsck_strangers(struct fsck *fsck)
{
	int r = store_list_tenants(fsck->store, visit_folder, fsck);

	return r == 0 ? store_list(fsck->store, NULL, visit_spool, fsck) : r;
}
