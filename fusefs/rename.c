/* rename: within a tenant, over what is there, exchanging, through the drop box. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fusefs/invalidator.h"
#include "fusefs/judge.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "fusefs/remove.h"

/* A rename between folders of the kernel, and what it means here. */
struct move {
	struct place from, to;
	struct entry *source, *target; /* target NULL: the new name is free */
	struct open_file *to_name;     /* its spool must get a name before the record can be written */
	bool waits_for_kernel;	       /* the answer comes after the kernel has dropped the real names */
};

static enum place_use use_of(const struct entry *entry)
{
	return entry->inode->kind == 'f' ? PLACE_PUT_FILE : PLACE_PUT_OTHER;
}

static int find_source(struct request *request, struct tenant *tenant, struct move *move)
{
	struct place *from = &move->from;
	int r = place_find(request, tenant, request->node, request->name, PLACE_TAKE, from);

	if (r == 0)
		r = find_entry(request, tenant, from->folder, from->name, from->length, &move->source);
	if (r == 0 && from->is_dropbox && move->source->inode->kind != 'f')
		r = -ENOENT;
	return r == 0 ? place_may_take(request, from, move->source->inode) : r;
}

static int find_target(struct request *request, struct tenant *tenant, struct move *move)
{
	struct place *to = &move->to;
	int r = place_find(request, tenant, request->other_node, request->other_name, use_of(move->source), to);

	if (r == 0)
		r = find_entry(request, tenant, to->folder, to->name, to->length, &move->target);
	if (r == -ENOENT && to->folder && !(request->flags & RENAME_EXCHANGE)) {
		move->target = NULL;
		return 0;
	}
	if (r == 0 && to->is_dropbox && move->target->inode->kind != 'f')
		r = -EEXIST;
	return r == 0 ? place_may_take(request, to, move->target->inode) : r;
}

static int check_target(struct request *request, struct tenant *tenant, const struct move *move)
{
	const struct inode *source = move->source->inode, *target = move->target->inode;

	if (request->flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (request->flags & RENAME_EXCHANGE)
		return 0;
	if (target->kind == 'd' && source->kind != 'd')
		return -EISDIR;
	if (target->kind != 'd' && source->kind == 'd')
		return -ENOTDIR;
	return target->kind == 'd' ? check_empty(request, tenant, folder_of(move->target->inode)) : 0;
}

/* A folder cannot move below itself. The kernel sees to that too, but by its own idea of what lies where. */
static bool lies_below(const struct folder *folder, const struct inode *above)
{
	while (folder && &folder->inode != above)
		folder = folder->inode.names ? folder->inode.names->parent : NULL;
	return folder != NULL;
}

static struct open_file *open_of(struct inode *inode)
{
	return inode->kind == 'f' ? file_of(inode)->open : NULL;
}

/* The names of a file do not change while it is being judged under them. */
static int wait_until_free(struct request *request, struct inode *inode)
{
	struct open_file *open = open_of(inode);

	return open && open->is_busy ? request_park(request, &open->waiting) : 0;
}

static int judge_names(struct request *request, struct tenant *tenant, const struct move *move)
{
	struct file *source = file_of(move->source->inode);
	struct file *target = request->flags & RENAME_EXCHANGE ? file_of(move->target->inode) : NULL;
	int r = 0;

	if (source)
		r = judge_new_name(request, tenant, source, move->to.name, move->to.length);
	if (r == 0 && target)
		r = judge_new_name(request, tenant, target, move->from.name, move->from.length);
	return r;
}

/*
 * What was never published has no row. When it takes the place of something that has one, the record must hold both, so
 * its row is born now, and its spool gets a name, so that a crash loses neither the old content nor the new.
 */
static bool must_be_born(const struct move *move)
{
	return move->target && (move->source->inode->is_unborn || move->target->inode->is_unborn) &&
	       !(move->source->inode->is_unborn && move->target->inode->is_unborn);
}

static struct open_file *needs_spool_name(const struct move *move)
{
	struct open_file *open;

	if (!must_be_born(move))
		return NULL;
	open = open_of(move->source->inode->is_unborn ? move->source->inode : move->target->inode);
	if (!open || open->state != CONTENT_SPOOL || open->is_linked || open->backing->spool.is_named)
		return NULL;
	return open;
}

static void stage_birth(struct edit *edit, struct inode *inode)
{
	struct open_file *open = open_of(inode);
	struct change change = {.kind = CHANGE_SPOOL};

	if (!inode->is_unborn)
		return;
	edit_bear(edit, inode);
	if (!open || open->state != CONTENT_SPOOL || !open->backing->spool.is_named)
		return;
	change.spool.inode = inode->number;
	change.spool.size_bytes = open->size;
	change.spool.spool_name = (struct bytes){open->backing->spool.name, strlen(open->backing->spool.name)};
	edit_change(edit, &change);
	open->is_spool_recorded = true;
}

static void move_links(struct edit *edit, const struct inode *inode, const struct place *from, const struct place *to)
{
	if (inode->kind != 'd' || from->folder == to->folder)
		return;
	edit_attributes(edit, &from->folder->inode)->nlink--;
	edit_attributes(edit, &to->folder->inode)->nlink++;
}

static void stage_exchange(struct edit *edit, const struct move *move)
{
	struct inode *source = move->source->inode, *target = move->target->inode;

	edit_take_name(edit, move->source);
	edit_take_name(edit, move->target);
	edit_put_name(edit, move->to.folder, move->to.name, move->to.length, source);
	edit_put_name(edit, move->from.folder, move->from.name, move->from.length, target);
	edit_attributes(edit, source)->ctime_ns = edit->now_ns;
	edit_attributes(edit, target)->ctime_ns = edit->now_ns;
	move_links(edit, source, &move->from, &move->to);
	move_links(edit, target, &move->to, &move->from);
}

static void stage_rename(struct edit *edit, const struct move *move)
{
	struct inode *source = move->source->inode;

	if (move->target)
		edit_remove(edit, move->target);
	edit_take_name(edit, move->source);
	edit_put_name(edit, move->to.folder, move->to.name, move->to.length, source);
	edit_attributes(edit, source)->ctime_ns = edit->now_ns;
	move_links(edit, source, &move->from, &move->to);
}

static int commit_move(struct request *request, struct tenant *tenant, struct move *move)
{
	struct inode *source = move->source->inode;
	struct edit edit;
	int r;

	edit_begin(&edit, tenant);
	if (must_be_born(move)) {
		stage_birth(&edit, source);
		stage_birth(&edit, move->target->inode);
	}
	if (request->flags & RENAME_EXCHANGE)
		stage_exchange(&edit, move);
	else
		stage_rename(&edit, move);
	r = edit_commit(&edit);
	if (r == 0)
		source->is_dropped = move->to.is_dropbox;
	return r;
}

static void tell_kernel(struct tenant *tenant, const struct place *place)
{
	if (place->is_dropbox)
		invalidate_entry(tenant->mount->invalidator, node_of_inode(tenant->slot, place->folder->inode.number),
				 place->name, place->length);
}

/*
 * The kernel holds both folders during a rename. When one of them is the very month the drop box means, telling it of
 * the real name would wait for that, and the answer would wait for the telling: then the answer goes first.
 */
static bool waits_for_kernel(const struct request *request, const struct tenant *tenant, const struct move *move)
{
	uint64_t from = node_of_inode(tenant->slot, move->from.folder->inode.number);
	uint64_t to = node_of_inode(tenant->slot, move->to.folder->inode.number);

	if (!move->from.is_dropbox && !move->to.is_dropbox)
		return false;
	return (!move->from.is_dropbox || request->other_node != from) && (!move->to.is_dropbox || request->node != to);
}

static int check_move(struct request *request, struct tenant *tenant, struct move *move)
{
	struct inode *source = move->source->inode;
	int r = move->target ? check_target(request, tenant, move) : 0;

	if (r == 0 && source->kind == 'd' && lies_below(move->to.folder, source))
		r = -EINVAL;
	if (r == 0)
		r = wait_until_free(request, source);
	if (r == 0 && move->target)
		r = wait_until_free(request, move->target->inode);
	return r == 0 ? judge_names(request, tenant, move) : r;
}

static int rename_locked(struct request *request, struct tenant *tenant, struct move *move)
{
	int r = find_source(request, tenant, move);

	if (r == 0)
		r = find_target(request, tenant, move);
	if (r != 0)
		return r;
	if (move->target && move->target->inode == move->source->inode)
		return request->flags & RENAME_NOREPLACE ? -EEXIST : 0;
	r = check_move(request, tenant, move);
	if (r != 0)
		return r;
	move->to_name = needs_spool_name(move);
	if (move->to_name)
		return open_file_claim(request, move->to_name);
	r = commit_move(request, tenant, move);
	if (r == 0) {
		tell_kernel(tenant, &move->from);
		tell_kernel(tenant, &move->to);
		move->waits_for_kernel = waits_for_kernel(request, tenant, move);
	}
	return r;
}

/* The claim was taken under the lock; the name is given without it. */
static int name_spool(struct tenant *tenant, struct open_file *open)
{
	struct request *waiting;
	int r = spool_name(tenant->mount->store, &open->backing->spool);

	pthread_mutex_lock(&tenant->lock);
	waiting = open_file_unclaim(open);
	open_file_put(open);
	tenant_unlock(tenant);
	wait_list_resume(waiting, 0);
	return r;
}

static int try_rename(struct request *request, struct move *move, bool *ret_again)
{
	struct tenant *tenant;
	int r;

	*move = (struct move){0};
	*ret_again = false;
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	r = rename_locked(request, tenant, move);
	tenant_unlock(tenant);
	if (r == 0 && move->to_name) {
		*ret_again = true;
		return name_spool(tenant, move->to_name);
	}
	if (r == JUDGE_FIRST) {
		*ret_again = true;
		return judge_now(request);
	}
	return r;
}

int op_rename(struct request *request)
{
	struct move move;
	bool again;
	int r;

	if (request->flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (node_kind(request->node) != NODE_KIND_INODE || node_kind(request->other_node) != NODE_KIND_INODE)
		return node_kind(request->node) == NODE_KIND_MIRROR ||
				       node_kind(request->other_node) == NODE_KIND_MIRROR
			       ? -EROFS
			       : -EPERM;
	if (node_slot(request->node) != node_slot(request->other_node))
		return -EXDEV;
	place_prepare(request, request->node, request->name);
	place_prepare(request, request->other_node, request->other_name);
	do
		r = try_rename(request, &move, &again);
	while (again && r == 0);
	return r == 0 ? send_change(request, move.waits_for_kernel, NULL) : r;
}
