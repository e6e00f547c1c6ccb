/* Attributes of the user's own: kept byte for byte, charged by the bytes of name and value. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include "fusefs/open_file.h"
#include "fusefs/quota.h"
#include "fusefs/user_attributes.h"
#include "fusefs/xattr.h"

static int64_t charge_of(const struct user_attribute *attribute)
{
	return attribute ? (int64_t)(attribute->name_length + attribute->length) : 0;
}

static int refuse_quota(struct request *request, struct tenant *tenant, const struct inode *inode)
{
	char id[FILE_ID_SIZE] = "";
	struct refused refused = {
		.name = inode->names ? inode->names->name : "",
		.name_length = inode->names ? inode->names->name_length : 0,
		.file_id = id,
		.uid = request->uid,
		.rule = "quota",
		.reason = "the tenant's storage quota is used up",
	};

	if (inode->kind == 'f')
		file_id_text(container_of(inode, struct file, inode), id);
	return refuse_request(request, tenant, &refused, -EDQUOT);
}

static int check_set(struct request *request, struct tenant *tenant, struct inode *inode,
		     const struct user_attribute *before)
{
	size_t name_length = strlen(request->name);
	size_t names_bytes = inode->user_attributes ? inode->user_attributes->names_bytes : 0;
	int64_t more = (int64_t)(name_length + request->size) - charge_of(before);
	int r;

	if (before && (request->flags & XATTR_CREATE))
		return -EEXIST;
	if (!before && (request->flags & XATTR_REPLACE))
		return -ENODATA;
	if (!before && names_bytes + name_length + 1 > XATTR_NAMES_MAX - XATTR_OWN_NAMES_MAX)
		return -ENOSPC;
	r = quota_check(tenant, more, 0);
	return r == -EDQUOT ? refuse_quota(request, tenant, inode) : r;
}

static void stage_put(struct edit *edit, struct inode *inode, const struct user_attribute *attribute)
{
	struct change change = {.kind = CHANGE_ATTRIBUTE_PUT};

	if (inode->is_unborn)
		return;
	change.attribute.inode = inode->number;
	change.attribute.name = (struct bytes){attribute->name, attribute->name_length};
	change.attribute.value = (struct bytes){attribute->value, attribute->length};
	edit_change(edit, &change);
}

static int commit_put(struct tenant *tenant, struct inode *inode, const struct user_attribute *before,
		      const struct user_attribute *after)
{
	struct staged_inode *staged;
	struct edit edit;

	edit_begin(&edit, tenant);
	staged = edit_inode(&edit, inode);
	staged->attributes.ctime_ns = edit.now_ns;
	staged->user_attribute_bytes += charge_of(after) - charge_of(before);
	stage_put(&edit, inode, after);
	return edit_commit(&edit);
}

int user_xattr_set(struct request *request, struct tenant *tenant, struct inode *inode)
{
	const struct user_attribute *before = user_attribute_find(inode->user_attributes, request->name);
	struct user_attribute *after;
	int r = check_set(request, tenant, inode, before);

	if (r < 0)
		return r;
	if (!inode->user_attributes)
		inode->user_attributes = user_attributes_new();
	after = user_attribute_new(request->name, strlen(request->name), request->bytes, request->size);
	r = after && inode->user_attributes ? commit_put(tenant, inode, before, after) : -ENOMEM;
	if (r < 0) {
		free(after);
		return r;
	}
	user_attribute_put(inode->user_attributes, after);
	return 0;
}

int user_xattr_remove(struct request *request, struct tenant *tenant, struct inode *inode)
{
	const struct user_attribute *before = user_attribute_find(inode->user_attributes, request->name);
	struct change change = {.kind = CHANGE_ATTRIBUTE_DELETE};
	struct staged_inode *staged;
	struct edit edit;
	int r;

	if (!before)
		return -ENODATA;
	edit_begin(&edit, tenant);
	edit.frees_space = true;
	staged = edit_inode(&edit, inode);
	staged->attributes.ctime_ns = edit.now_ns;
	staged->user_attribute_bytes -= charge_of(before);
	change.attribute.inode = inode->number;
	change.attribute.name = (struct bytes){before->name, before->name_length};
	if (!inode->is_unborn)
		edit_change(&edit, &change);
	r = edit_commit(&edit);
	if (r == 0)
		user_attribute_remove(inode->user_attributes, request->name);
	return r;
}
