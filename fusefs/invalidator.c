#include "fusefs/invalidator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/mount.h"
#include "fusefs/ops.h"
#include "shared/base/log.h"

enum item_kind { ITEM_ATTRIBUTES, ITEM_CONTENT, ITEM_ENTRY, ITEM_DELETED, ITEM_REPLY };

struct item {
	struct item *next;
	enum item_kind kind;
	uint64_t node, child;
	struct request *request;
	bool has_entry;
	struct fuse_entry_param entry;
	size_t length;
	char name[];
};

struct invalidator {
	struct mount *mount;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct item *first, *last;  /* lock */
	bool is_started, is_ending; /* lock */
};

static void send_reply(struct item *item)
{
	struct request *request = item->request;

	if (!item->has_entry)
		fuse_reply_err(request->fuse, 0);
	else
		send_entry(request, &item->entry);
	request_finished(request, 0);
}

static int notify(struct fuse_session *session, const struct item *item)
{
	switch (item->kind) {
	case ITEM_ATTRIBUTES:
		return fuse_lowlevel_notify_inval_inode(session, item->node, -1, 0);
	case ITEM_CONTENT:
		return fuse_lowlevel_notify_inval_inode(session, item->node, 0, 0);
	case ITEM_ENTRY:
		return fuse_lowlevel_notify_inval_entry(session, item->node, item->name, item->length);
	case ITEM_DELETED:
		return fuse_lowlevel_notify_delete(session, item->node, item->child, item->name, item->length);
	case ITEM_REPLY:
		break;
	}
	return 0;
}

/* -ENOENT and its like: the kernel does not have it any more, which is what was wanted. */
static void do_item(struct invalidator *invalidator, struct item *item, bool is_started)
{
	int r = 0;

	if (item->kind == ITEM_REPLY) {
		send_reply(item);
		return;
	}
	if (is_started)
		r = notify(invalidator->mount->session, item);
	if (r < 0 && r != -ENOENT && r != -ENOTEMPTY && r != -ENOTDIR && r != -EBADF && r != -ENODEV)
		log_debug("the kernel refused an invalidation", "errno", log_errno(r));
	atomic_fetch_add(&invalidator->mount->stats.invalidations, 1);
}

static void *work(void *context)
{
	struct invalidator *invalidator = context;

	pthread_mutex_lock(&invalidator->lock);
	for (;;) {
		struct item *item = invalidator->first;
		bool is_started = invalidator->is_started;

		if (!item && invalidator->is_ending)
			break;
		if (!item) {
			pthread_cond_wait(&invalidator->wake, &invalidator->lock);
			continue;
		}
		invalidator->first = item->next;
		if (!invalidator->first)
			invalidator->last = NULL;
		pthread_mutex_unlock(&invalidator->lock);
		do_item(invalidator, item, is_started);
		free(item);
		pthread_mutex_lock(&invalidator->lock);
	}
	pthread_mutex_unlock(&invalidator->lock);
	return NULL;
}

int invalidator_new(struct mount *mount, struct invalidator **ret_invalidator)
{
	struct invalidator *invalidator = calloc(1, sizeof(*invalidator));
	int error;

	if (!invalidator)
		return -ENOMEM;
	invalidator->mount = mount;
	pthread_mutex_init(&invalidator->lock, NULL);
	pthread_cond_init(&invalidator->wake, NULL);
	error = pthread_create(&invalidator->thread, NULL, work, invalidator);
	if (error) {
		free(invalidator);
		return -error;
	}
	*ret_invalidator = invalidator;
	return 0;
}

void invalidator_start(struct invalidator *invalidator)
{
	pthread_mutex_lock(&invalidator->lock);
	invalidator->is_started = true;
	pthread_mutex_unlock(&invalidator->lock);
}

void invalidator_free(struct invalidator *invalidator)
{
	if (!invalidator)
		return;
	pthread_mutex_lock(&invalidator->lock);
	invalidator->is_ending = true;
	pthread_cond_signal(&invalidator->wake);
	pthread_mutex_unlock(&invalidator->lock);
	pthread_join(invalidator->thread, NULL);
	pthread_cond_destroy(&invalidator->wake);
	pthread_mutex_destroy(&invalidator->lock);
	free(invalidator);
}

static void add(struct invalidator *invalidator, struct item *item)
{
	pthread_mutex_lock(&invalidator->lock);
	item->next = NULL;
	if (invalidator->last)
		invalidator->last->next = item;
	else
		invalidator->first = item;
	invalidator->last = item;
	pthread_cond_signal(&invalidator->wake);
	pthread_mutex_unlock(&invalidator->lock);
}

/* Without memory the kernel keeps a stale answer until its lifetime ends: logged, since nothing better can be done. */
static struct item *new_item(enum item_kind kind, uint64_t node, const char *name, size_t length)
{
	struct item *item = calloc(1, sizeof(*item) + length + 1);

	if (!item) {
		log_error("no memory to tell the kernel of a change");
		return NULL;
	}
	item->kind = kind;
	item->node = node;
	item->length = length;
	if (length > 0)
		memcpy(item->name, name, length);
	return item;
}

void invalidate_attributes(struct invalidator *invalidator, uint64_t node)
{
	struct item *item = new_item(ITEM_ATTRIBUTES, node, NULL, 0);

	if (item)
		add(invalidator, item);
}

void invalidate_content(struct invalidator *invalidator, uint64_t node)
{
	struct item *item = new_item(ITEM_CONTENT, node, NULL, 0);

	if (item)
		add(invalidator, item);
}

void invalidate_entry(struct invalidator *invalidator, uint64_t parent, const char *name, size_t length)
{
	struct item *item = new_item(ITEM_ENTRY, parent, name, length);

	if (item)
		add(invalidator, item);
}

void invalidate_deleted(struct invalidator *invalidator, uint64_t parent, uint64_t child, const char *name,
			size_t length)
{
	struct item *item = new_item(ITEM_DELETED, parent, name, length);

	if (!item)
		return;
	item->child = child;
	add(invalidator, item);
}

void reply_after_invalidation(struct request *kept, const struct fuse_entry_param *entry)
{
	struct item *item = new_item(ITEM_REPLY, 0, NULL, 0);

	if (!item) {
		fuse_reply_err(kept->fuse, ENOMEM);
		request_finished(kept, -ENOMEM);
		return;
	}
	item->request = kept;
	item->has_entry = entry != NULL;
	if (entry)
		item->entry = *entry;
	add(kept->mount->invalidator, item);
}
