#include "fusefs/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

/* A request of our own, without a kernel behind it: it parks and runs again like any other. */
static void start_one(struct tenant *tenant, const struct durable_spool *spool)
{
	struct request request = {
		.mount = tenant->mount,
		.operation = OPERATION_RECOVER,
		.started_ns = clock_monotonic_ns(),
		.deadline_ns = INT64_MAX,
		.node = node_of_inode(tenant->slot, spool->inode),
		.name = spool->name,
		.offset = spool->size_bytes,
		.tenant = tenant,
	};
	struct request *kept;

	if (request_keep(&request, &kept) == 0)
		request_resume(kept, 0);
	else
		log_error("no memory to recover a spool", "tenant", tenant->code, "spool", spool->name);
}

void recover_spools(struct tenant *tenant, const struct durable_spool *spools, int count)
{
	for (int i = 0; i < count; i++)
		start_one(tenant, &spools[i]);
}

static int adopt(struct request *request, struct open_file *open)
{
	struct spool spool;
	int r = spool_open_named(request->mount->store, request->name, &spool);

	if (r < 0)
		return r;
	open->backing = ftruncate(spool.fd, request->offset) == 0 ? backing_new(&spool, true, true) : NULL;
	if (!open->backing) {
		close(spool.fd);
		return -EIO;
	}
	open->state = CONTENT_SPOOL;
	open->is_dirty = open->is_spool_recorded = true;
	return 0;
}

static int judge_and_publish(struct open_file *open)
{
	int r = publish(open, PUBLISH_AT_LAST_RELEASE);

	return r < 0 && r != -EAGAIN && open->refusal ? refuse_content(open) : r;
}

static int take_open_file(struct request *request, struct tenant *tenant, struct open_file **ret_open)
{
	struct inode *inode;
	int r = find_inode(request, tenant, request->node, &inode);

	if (r != 0)
		return r;
	if (inode->kind != 'f')
		return -ESTALE;
	*ret_open = open_file_get(tenant, file_of(inode));
	if (!*ret_open)
		return -ENOMEM;
	return open_file_claim(request, *ret_open);
}

static void give_back(struct tenant *tenant, struct open_file *open)
{
	struct request *waiting;

	pthread_mutex_lock(&tenant->lock);
	waiting = open_file_unclaim(open);
	open_file_put(open);
	tenant_unlock(tenant);
	wait_list_resume(waiting, 0);
}

int op_recover(struct request *request)
{
	struct tenant *tenant;
	struct open_file *open;
	int r = tenant_lock(request, request->tenant, TENANT_FOR_CHANGE);

	if (r != 0)
		return r;
	tenant = request->tenant;
	r = take_open_file(request, tenant, &open);
	tenant_unlock(tenant);
	if (r != 0)
		return r;
	r = adopt(request, open);
	if (r == 0) {
		pthread_mutex_lock(&tenant->lock);
		open->file->inode.attributes.size_bytes = open->size = request->offset;
		pthread_mutex_unlock(&tenant->lock);
		r = judge_and_publish(open);
	}
	log_info("a file that was open at the end is settled", "tenant", tenant->code, "spool", request->name, "result",
		 log_errno(r));
	give_back(tenant, open);
	return r;
}
