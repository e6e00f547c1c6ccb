/* getxattr, setxattr, listxattr, removexattr. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include "fusefs/load.h"
#include "fusefs/loader.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "fusefs/quota.h"
#include "fusefs/user_attributes.h"
#include "fusefs/xattr.h"
#include "shared/base/text.h"

enum { LIST_MAX = XATTR_NAMES_MAX, GENERATED_VALUE_MAX = 1 << 20 };

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Names we give meaning to: nobody else may use them for something of their own. */
static bool is_ours(const char *name)
{
	return starts_with(name, "user.tenantfs.") || starts_with(name, "user.tenant.") ||
	       starts_with(name, "user.extract.");
}

static const struct xattr *find_in(const struct xattr *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static const struct xattr *table_of(const struct tenant *tenant, const struct inode *inode)
{
	static const struct xattr none[] = {{NULL, 0, NULL, NULL}};

	if (inode->kind == 'f')
		return file_xattrs;
	return inode->number == tenant->root_inode ? tenant_xattrs : none;
}

/* --- what must be asked for first --- */

static int need_extraction(struct xattr_context *context, unsigned flags)
{
	struct file *file = context->file;
	int64_t limit = flags & XATTR_WHOLE_TEXT ? INT64_MAX : 0;

	if (!file || file->values.object_id == 0 || file->values.status != 'p')
		return 0;
	context->extraction = context->request->loaded;
	if (!context->extraction && limit == 0)
		context->extraction = file->extraction;
	return context->extraction ? 0 : load_extraction(context->request, context->tenant, file, limit);
}

static int need_user_attributes(const struct xattr_context *context)
{
	return context->inode->user_attributes_known
		       ? 0
		       : load_user_attributes(context->request, context->tenant, context->inode);
}

static void text_loaded(void *context, int error, const char *json, size_t length)
{
	struct request *request = context;

	if (error == 0) {
		request->loaded = strndup(json, length);
		request->loaded_free = free;
		error = request->loaded ? 0 : -ENOMEM;
	}
	request_resume(request, error);
}

static void load_text(void *context, int error)
{
	struct request *request = context;
	struct loader *loader = request->mount->loader;
	int64_t tenant_id = request->tenant->tenant_id;

	if (error < 0)
		request_resume(request, error);
	else if (strcmp(request->name, "user.tenant.stats") == 0)
		loader_tenant_stats(loader, tenant_id, text_loaded, request);
	else
		loader_rejections(loader, tenant_id, text_loaded, request);
}

static bool is_asked_for(const char *name)
{
	return strcmp(name, "user.tenant.stats") == 0 || strcmp(name, "user.tenant.rejections") == 0;
}

/* What a query answers, asked when everything answered before is committed: who was refused a moment ago reads why. No
 * lock held. */
static int need_text(struct request *request)
{
	struct tenant *tenant;
	struct request *kept;
	uint64_t position;
	int r;

	if (request->loaded || !is_asked_for(request->name))
		return 0;
	r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
	if (r != 0)
		return r;
	position = tenant->last_position;
	tenant_unlock(tenant);
	r = request_keep(request, &kept);
	if (r < 0)
		return r;
	if (tenant->durable)
		durable_when_committed(tenant->durable, position, kept->deadline_ns, load_text, kept);
	else
		load_text(kept, 0);
	return REQUEST_PARKED;
}

/* --- get --- */

static int get_value(struct xattr_context *context, struct buf *value)
{
	const char *name = context->request->name;
	const struct xattr *xattr = find_in(table_of(context->tenant, context->inode), name);
	const struct user_attribute *attribute;
	int r = 0;

	if (xattr) {
		if (xattr->flags & XATTR_EXTRACTION)
			r = need_extraction(context, xattr->flags);
		return r == 0 ? xattr->get(context, value) : r;
	}
	if (is_ours(name))
		return -ENODATA;
	r = need_user_attributes(context);
	if (r != 0)
		return r;
	attribute = user_attribute_find(context->inode->user_attributes, name);
	return attribute ? buf_append(value, attribute->value, attribute->length) : -ENODATA;
}

static void committed(void *context, int error)
{
	struct request *request = context;

	request->other_offset = 1;
	request_resume(request, error);
}

/* Answered when everything answered so far for this tenant is in PostgreSQL. No lock held. */
static int get_committed(struct request *request, struct tenant *tenant, uint64_t position)
{
	struct request *kept;
	int r;

	if (request->other_offset == 1 || !tenant->durable || position == 0)
		return reply_value(request, "1", 1);
	r = request_keep(request, &kept);
	if (r < 0)
		return r;
	durable_when_committed(tenant->durable, position, kept->deadline_ns, committed, kept);
	return REQUEST_PARKED;
}

static int enter(struct request *request, enum tenant_need need, struct xattr_context *ret_context)
{
	struct xattr_context context = {.request = request};
	int r = tenant_enter(request, request->node, need, &context.tenant);

	if (r != 0)
		return r;
	r = find_inode(request, context.tenant, request->node, &context.inode);
	if (r != 0) {
		tenant_unlock(context.tenant);
		return r;
	}
	context.file = file_of(context.inode);
	*ret_context = context;
	return 0;
}

int op_getxattr(struct request *request)
{
	struct buf value = BUF_INIT(GENERATED_VALUE_MAX);
	struct xattr_context context;
	int r;

	/* Asked before every write and by every ls: answered without a lock. */
	if (starts_with(request->name, "system."))
		return -EOPNOTSUPP;
	if (!starts_with(request->name, "user.") || node_kind(request->node) != NODE_KIND_INODE)
		return -ENODATA;
	r = need_text(request);
	if (r == 0)
		r = enter(request, TENANT_FOR_READ, &context);
	if (r != 0)
		return r;
	if (strcmp(request->name, "user.tenantfs.committed") == 0) {
		uint64_t position = context.tenant->last_position;

		tenant_unlock(context.tenant);
		return get_committed(request, context.tenant, position);
	}
	r = get_value(&context, &value);
	tenant_unlock(context.tenant);
	if (r == 0)
		r = reply_value(request, value.data ? value.data : "", value.length);
	buf_release(&value);
	return r;
}

/* --- list --- */

static void put_name(struct buf *names, const char *name)
{
	buf_append(names, name, strlen(name) + 1);
}

static bool exists(const struct xattr_context *context, const struct xattr *xattr)
{
	struct buf value = BUF_INIT(GENERATED_VALUE_MAX);
	int r = xattr->get(context, &value);

	buf_release(&value);
	return r == 0;
}

/* The tenant's own figures cost a query each; they always exist, so they are listed without asking. */
static bool always_exists(const struct xattr *xattr)
{
	return starts_with(xattr->name, "user.tenant.");
}

static int list_names(struct xattr_context *context, struct buf *names)
{
	bool only_writable = context->request->mount->options.lists_writable_only;
	const struct user_attribute *attribute;
	int r = only_writable ? 0 : need_extraction(context, 0);

	if (r == 0)
		r = need_user_attributes(context);
	if (r != 0)
		return r;
	for (const struct xattr *xattr = table_of(context->tenant, context->inode); xattr->name; xattr++) {
		if (!(xattr->flags & XATTR_LISTED) || (only_writable && !(xattr->flags & XATTR_WRITABLE)))
			continue;
		if (always_exists(xattr) || exists(context, xattr))
			put_name(names, xattr->name);
	}
	attribute = context->inode->user_attributes ? context->inode->user_attributes->first : NULL;
	for (; attribute; attribute = attribute->next)
		put_name(names, attribute->name);
	return buf_error(names);
}

int op_listxattr(struct request *request)
{
	struct buf names = BUF_INIT(LIST_MAX);
	struct xattr_context context;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return reply_value(request, "", 0);
	r = enter(request, TENANT_FOR_READ, &context);
	if (r != 0)
		return r;
	r = list_names(&context, &names);
	tenant_unlock(context.tenant);
	if (r == 0)
		r = reply_value(request, names.data ? names.data : "", names.length);
	buf_release(&names);
	return r;
}

/* --- set and remove --- */

static bool is_trusted(const struct request *request)
{
	return request->uid == 0 || request->uid == request->mount->own_uid;
}

static int check_writable(const struct request *request, const struct xattr *xattr)
{
	if (xattr->flags & XATTR_WRITABLE)
		return 0;
	if (!(xattr->flags & XATTR_TRUSTED))
		return -EOPNOTSUPP;
	return is_trusted(request) ? 0 : -EOPNOTSUPP;
}

static int check_exists(const struct xattr_context *context, const struct xattr *xattr)
{
	bool is_there = exists(context, xattr);

	if (is_there && (context->request->flags & XATTR_CREATE))
		return -EEXIST;
	return !is_there && (context->request->flags & XATTR_REPLACE) ? -ENODATA : 0;
}

/* touch has nothing to record; the rest does. */
static int set_own(const struct xattr_context *context, const struct xattr *xattr, const char *value, size_t length)
{
	struct edit edit;
	int r;

	edit_begin(&edit, context->tenant);
	r = xattr->set(context, &edit, value, length);
	if (r < 0) {
		edit_abort(&edit);
		return r;
	}
	if (edit.inode_count > 0)
		edit_attributes(&edit, context->inode)->ctime_ns = edit.now_ns;
	return edit_commit(&edit);
}

static int set_value(const struct xattr_context *context)
{
	struct request *request = context->request;
	const struct xattr *xattr = find_in(table_of(context->tenant, context->inode), request->name);
	int r;

	if (xattr) {
		r = check_writable(request, xattr);
		if (r == 0)
			r = check_exists(context, xattr);
		return r == 0 ? set_own(context, xattr, request->bytes ? request->bytes : "", request->size) : r;
	}
	if (is_ours(request->name))
		return -EOPNOTSUPP;
	r = need_user_attributes(context);
	return r == 0 ? user_xattr_set(request, context->tenant, context->inode) : r;
}

static int remove_value(const struct xattr_context *context)
{
	struct request *request = context->request;
	const struct xattr *xattr = find_in(table_of(context->tenant, context->inode), request->name);
	int r;

	if (xattr) {
		r = check_writable(request, xattr);
		if (r == 0 && !exists(context, xattr))
			r = -ENODATA;
		return r == 0 ? set_own(context, xattr, NULL, 0) : r;
	}
	if (is_ours(request->name))
		return -EOPNOTSUPP;
	r = need_user_attributes(context);
	return r == 0 ? user_xattr_remove(request, context->tenant, context->inode) : r;
}

static int change(struct request *request, int (*apply)(const struct xattr_context *context))
{
	struct xattr_context context;
	int r;

	if (!starts_with(request->name, "user.") || node_kind(request->node) != NODE_KIND_INODE)
		return -EOPNOTSUPP;
	quota_look_at_disk(request->mount);
	r = enter(request, TENANT_FOR_CHANGE, &context);
	if (r != 0)
		return r;
	r = apply(&context);
	tenant_unlock(context.tenant);
	return r == 0 ? reply_error(request, 0) : r;
}

int op_setxattr(struct request *request)
{
	return change(request, set_value);
}

int op_removexattr(struct request *request)
{
	return change(request, remove_value);
}
