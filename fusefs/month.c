/* Month folders: the current one appears by itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"

void month_now(char ret_month[8])
{
	clock_format_month(clock_realtime_ns(), ret_month);
}

uint32_t month_index(const char *month)
{
	return month_number(month);
}

void month_of_index(uint32_t index, char ret_month[8])
{
	snprintf(ret_month, CLOCK_MONTH_SIZE, "%04u-%02u", index / 12 % 10000, index % 12 + 1);
}

int month_make(struct tenant *tenant, const char *month, struct folder **ret_folder)
{
	const struct tenant_row *row = &tenant->settings->row;
	struct folder *root = tenant->tree.root;
	struct inode *inode;
	struct edit edit;
	int64_t number;
	int r;

	if (tenant->state != TENANT_HELD || tenant->is_read_only)
		return -EROFS;
	r = durable_inode(tenant->mount->durable, &number);
	if (r < 0)
		return r == -EAGAIN ? -ENOBUFS : r;
	inode = inode_new('d', number);
	if (!inode)
		return -ENOMEM;
	edit_begin(&edit, tenant);
	inode->attributes = (struct attributes){
		.mode = S_IFDIR | (row->mode & 07777U),
		.nlink = 2,
		.uid = (uint32_t)row->owner_uid,
		.gid = (uint32_t)row->owner_gid,
		.atime_ns = edit.now_ns,
		.mtime_ns = edit.now_ns,
		.ctime_ns = edit.now_ns,
	};
	inode->btime_ns = edit.now_ns;
	as_folder(inode)->is_complete = true;
	edit_new(&edit, inode, false);
	edit_put_name(&edit, root, month, strlen(month), inode);
	edit_attributes(&edit, &root->inode)->nlink++;
	r = edit_commit(&edit);
	if (r == 0 && ret_folder)
		*ret_folder = as_folder(inode);
	return r;
}

int month_folder(struct request *request, struct tenant *tenant, const char *month, struct folder **ret_folder)
{
	struct entry *entry;
	char now[CLOCK_MONTH_SIZE];
	int r = find_entry(request, tenant, tenant->tree.root, month, strlen(month), &entry);

	if (r == 0) {
		*ret_folder = folder_of(entry->inode);
		return *ret_folder ? 0 : -ENOTDIR;
	}
	if (r != -ENOENT)
		return r;
	month_now(now);
	return strcmp(now, month) == 0 ? month_make(tenant, month, ret_folder) : -ENOENT;
}
