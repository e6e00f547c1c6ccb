#include "fusefs/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "fusefs/runner.h"
#include "shared/base/log.h"
#include "shared/meta/apply.h"

struct pair {
	char first[OBJECT_PATH_SIZE], second[OBJECT_PATH_SIZE];
};

struct sharing {
	struct tenant *tenant;
	int count;
	struct pair pairs[];
};

static bool is_appended(const struct tenant *tenant, const char *path)
{
	const struct list_link *link;
	char own[OBJECT_PATH_SIZE];

	for (link = tenant->appending.next; link != &tenant->appending; link = link->next) {
		const struct open_file *open = container_of(link, struct open_file, appending);

		object_path(open->file, &open->file->values, own);
		if (strcmp(own, path) == 0)
			return true;
	}
	return false;
}

static bool begin(struct tenant *tenant, const struct pair *pair)
{
	bool may;

	pthread_mutex_lock(&tenant->lock);
	may = tenant->state == TENANT_HELD && !is_appended(tenant, pair->first) && !is_appended(tenant, pair->second);
	tenant->shares_in_progress += may;
	pthread_mutex_unlock(&tenant->lock);
	return may;
}

static void share_pair(struct tenant *tenant, const struct pair *pair)
{
	int r;

	if (!begin(tenant, pair))
		return;
	r = store_share(tenant->mount->store, tenant->code, pair->first, pair->second);
	pthread_mutex_lock(&tenant->lock);
	tenant->shares_in_progress--;
	pthread_mutex_unlock(&tenant->lock);
	if (r > 0)
		atomic_fetch_add(&tenant->mount->stats.shared_objects, 1);
	/* One of them may have been removed since. */
	else if (r < 0 && r != -ENOENT && r != -EMLINK)
		log_warn("equal objects could not be shared", "tenant", tenant->code, "path", pair->second, "errno",
			 log_errno(r));
}

static void share(void *context)
{
	struct sharing *sharing = context;

	for (int i = 0; i < sharing->count; i++)
		share_pair(sharing->tenant, &sharing->pairs[i]);
	free(sharing);
}

void share_later(struct tenant *tenant, const struct apply_equal *equal)
{
	struct sharing *sharing;

	if (equal->count == 0)
		return;
	sharing = malloc(sizeof(*sharing) + (size_t)equal->count * sizeof(sharing->pairs[0]));
	/* Sharing saves space; without memory the two stay two. */
	if (!sharing)
		return;
	sharing->tenant = tenant;
	sharing->count = equal->count;
	for (int i = 0; i < equal->count; i++) {
		memcpy(sharing->pairs[i].first, equal->pairs[i].first, OBJECT_PATH_SIZE);
		memcpy(sharing->pairs[i].second, equal->pairs[i].second, OBJECT_PATH_SIZE);
	}
	runner_add(tenant->mount->runner, share, sharing);
}
