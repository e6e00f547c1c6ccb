/* The attributes of a tenant's folder. All are read-only here: adminctl changes them. */
#include <errno.h>
#include <string.h>
#include "fusefs/xattr.h"

static const struct tenant_row *row_of(const struct xattr_context *context)
{
	return &context->tenant->settings->row;
}

static int put_bytes(struct buf *value, struct bytes bytes)
{
	return bytes.data ? buf_append(value, bytes.data, bytes.length) : -ENODATA;
}

static int put_number(struct buf *value, int64_t number)
{
	return buf_printf(value, "%lld", (long long)number);
}

/* No limit is the word for it, so that no number has two meanings. */
static int put_limit(struct buf *value, int64_t limit)
{
	return limit < 0 ? buf_puts(value, "unlimited") : put_number(value, limit);
}

static int get_code(const struct xattr_context *context, struct buf *value)
{
	return buf_puts(value, context->tenant->code);
}

static int get_name(const struct xattr_context *context, struct buf *value)
{
	return put_bytes(value, row_of(context)->name);
}

static int get_description(const struct xattr_context *context, struct buf *value)
{
	return put_bytes(value, row_of(context)->description);
}

static int get_active(const struct xattr_context *context, struct buf *value)
{
	return buf_puts(value, row_of(context)->is_active ? "1" : "0");
}

static int get_quota(const struct xattr_context *context, struct buf *value)
{
	return put_limit(value, row_of(context)->storage_quota_bytes);
}

static int get_file_limit(const struct xattr_context *context, struct buf *value)
{
	return put_limit(value, row_of(context)->file_count_limit);
}

static int get_used(const struct xattr_context *context, struct buf *value)
{
	const struct usage *usage = &context->tenant->usage;

	return put_number(value, usage->used_bytes + usage->provisional_bytes);
}

static int get_file_count(const struct xattr_context *context, struct buf *value)
{
	const struct usage *usage = &context->tenant->usage;

	return put_number(value, usage->file_count + usage->provisional_files);
}

static int get_config(const struct xattr_context *context, struct buf *value)
{
	return put_bytes(value, row_of(context)->configuration);
}

/* What a query gave is in request->loaded, a text. */
static int get_loaded(const struct xattr_context *context, struct buf *value)
{
	return context->request->loaded ? buf_puts(value, context->request->loaded) : -ENODATA;
}

const struct xattr tenant_xattrs[] = {
	{"user.tenant.code", XATTR_LISTED, get_code, NULL},
	{"user.tenant.name", XATTR_LISTED, get_name, NULL},
	{"user.tenant.description", XATTR_LISTED, get_description, NULL},
	{"user.tenant.active", XATTR_LISTED, get_active, NULL},
	{"user.tenant.quota_bytes", XATTR_LISTED, get_quota, NULL},
	{"user.tenant.used_bytes", XATTR_LISTED, get_used, NULL},
	{"user.tenant.file_limit", XATTR_LISTED, get_file_limit, NULL},
	{"user.tenant.file_count", XATTR_LISTED, get_file_count, NULL},
	{"user.tenant.config", XATTR_LISTED, get_config, NULL},
	{"user.tenant.stats", XATTR_LISTED, get_loaded, NULL},
	{"user.tenant.rejections", XATTR_LISTED, get_loaded, NULL},
	{NULL, 0, NULL, NULL},
};
