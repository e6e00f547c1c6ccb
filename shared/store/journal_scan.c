/*
 * Reading an epoch's file when nobody writes it any more, and telling a tail that was being written in a crash from a
 * record that was damaged: behind the first there is nothing valid, behind the second there is.
 *
 * After a power loss the kernel may have written later pages and lost earlier ones; that, too, leaves valid frames
 * behind a bad one. It breaks no promise unless a sync had been answered for it. So it counts as damage when the
 * machine did not restart since, or when a frame behind it says that the place was known to be on disk.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"
#include "shared/store/journal.h"
#include "shared/store/journal_format.h"

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* --- where the areas are --- */

static int read_header(struct window *window, uint64_t offset, int64_t tenant_id, int64_t epoch,
		       struct area_header *ret_header, enum header_state *ret_state)
{
	const char *bytes;
	size_t available;
	int r = window_get(window, offset, sizeof(*ret_header), &bytes, &available);

	if (r < 0)
		return r;
	memset(ret_header, 0, sizeof(*ret_header));
	memcpy(ret_header, bytes, available < sizeof(*ret_header) ? available : sizeof(*ret_header));
	*ret_state = area_header_check(ret_header, tenant_id, epoch);
	return 0;
}

static struct area_layout area_of(const struct area_header *header, uint64_t offset)
{
	struct area_layout area = {
		.is_there = true, .offset = offset, .base = header->base, .released = header->released};

	memcpy(area.boot_id, header->boot_id, sizeof(area.boot_id));
	return area;
}

/*
 * The header of the first area says where the second is. When that page was never written to disk (a power loss), the
 * second is looked for at every page, since what lies there may have been promised.
 */
static int find_second(struct window *window, int64_t tenant_id, int64_t epoch, struct area_header *ret_header,
		       enum header_state *ret_state, uint64_t *ret_offset)
{
	for (uint64_t offset = JOURNAL_HEADER_BYTES; offset < window->size; offset += JOURNAL_HEADER_BYTES) {
		int r = read_header(window, offset, tenant_id, epoch, ret_header, ret_state);

		if (r < 0)
			return r;
		*ret_offset = offset;
		if (*ret_state == HEADER_VALID && ret_header->area_bytes == offset)
			return 0;
	}
	*ret_state = HEADER_NONE;
	return 0;
}

/* What the older area held may have been released before the newest began: then it is of no interest, and long
 * overtaken. */
static struct journal_layout arrange(const struct area_header *first, const struct area_header *second,
				     uint64_t second_at)
{
	struct journal_layout layout;
	bool is_second_newer = second && (!first || second->base > first->base);
	const struct area_header *newest = is_second_newer ? second : first, *older = is_second_newer ? first : second;

	assert(newest);
	layout = (struct journal_layout){
		.area_bytes = newest->area_bytes, .salt = newest->salt, .newest_index = is_second_newer ? 1 : 0};

	layout.newest = area_of(newest, is_second_newer ? second_at : 0);
	if (older && newest->released < newest->base)
		layout.older = area_of(older, is_second_newer ? 0 : second_at);
	return layout;
}

int layout_read(struct window *window, int64_t tenant_id, int64_t epoch, struct journal_layout *ret_layout)
{
	struct area_header first, second;
	enum header_state first_state, second_state = HEADER_NONE;
	uint64_t second_at = 0;
	int r = read_header(window, 0, tenant_id, epoch, &first, &first_state);

	if (r == 0 && first_state == HEADER_VALID) {
		second_at = first.area_bytes;
		r = read_header(window, second_at, tenant_id, epoch, &second, &second_state);
	} else if (r == 0 && first_state == HEADER_NONE) {
		r = find_second(window, tenant_id, epoch, &second, &second_state, &second_at);
	}
	if (r < 0)
		return r;
	/* A header is smaller than what a disk writes at once: half of one is damage. */
	if (first_state == HEADER_DAMAGED || second_state == HEADER_DAMAGED)
		return -EBADMSG;
	if (first_state == HEADER_NONE && second_state == HEADER_NONE)
		return -ENODATA;
	*ret_layout = arrange(first_state == HEADER_VALID ? &first : NULL,
			      second_state == HEADER_VALID ? &second : NULL, second_at);
	window->salt = ret_layout->salt;
	return 0;
}

/* --- walking the frames --- */

struct walk {
	struct window window;
	int64_t epoch;
	uint64_t position; /* how far it came */
	bool is_at_bad;	   /* what stands there is no frame of this file */
	int (*visit)(const void *record, size_t length, uint64_t position, void *context);
	void *context;
};

static uint64_t offset_of(const struct area_layout *area, uint64_t position)
{
	return area->offset + JOURNAL_HEADER_BYTES + (position - area->base);
}

static bool is_inside(const struct area_layout *area, uint64_t area_bytes, uint64_t position)
{
	return position - area->base + sizeof(struct frame_header) <= area_bytes - JOURNAL_HEADER_BYTES;
}

/* Visits the frames of one area from walk->position on, up to `until` or one that is not valid. */
static int walk_area(struct walk *walk, const struct area_layout *area, uint64_t area_bytes, uint64_t until)
{
	while (walk->position < until) {
		const struct frame_header *frame;
		enum frame_state state = FRAME_ABSENT;
		int r = 0;

		if (is_inside(area, area_bytes, walk->position))
			r = window_frame(&walk->window, offset_of(area, walk->position), &state, &frame);
		if (r < 0)
			return r;
		if (state != FRAME_VALID || frame->epoch != walk->epoch || frame->position != walk->position) {
			walk->is_at_bad = true;
			return 0;
		}
		walk->position += frame_bytes(frame->length);
		r = walk->visit ? walk->visit(frame_record(frame), frame->length, walk->position, walk->context) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

struct remains {
	bool is_any;	 /* valid frames behind the place */
	uint64_t synced; /* the furthest that one of them knew to be on disk */
};

static int look_behind(struct walk *walk, const struct area_layout *area, uint64_t area_bytes, uint64_t position,
		       struct remains *remains)
{
	uint64_t offset = offset_of(area, position > area->base ? position : area->base),
		 end = area->offset + area_bytes;

	for (;;) {
		const struct frame_header *frame;
		int r = window_find_frame(&walk->window, offset, end, &offset, &frame);

		if (r < 0 || offset == UINT64_MAX)
			return r;
		if (frame->epoch == walk->epoch && frame->position >= position &&
		    offset_of(area, frame->position) == offset) {
			remains->is_any = true;
			remains->synced = frame->synced > remains->synced ? frame->synced : remains->synced;
		}
		offset += FRAME_ALIGN;
	}
}

/*
 * Whether something was being written at walk->position, rather than the file simply ending there. In an area used
 * again, what stands there may be the middle of a frame of an earlier turn; so it must at least say that it belongs
 * there.
 */
static int is_torn(struct walk *walk, const struct journal_layout *layout, const struct area_layout *area,
		   bool *ret_is_torn)
{
	struct frame_header header = {0};
	const char *bytes;
	size_t available;
	int r;

	*ret_is_torn = false;
	if (!is_inside(area, layout->area_bytes, walk->position))
		return 0;
	r = window_get(&walk->window, offset_of(area, walk->position), sizeof(header), &bytes, &available);
	if (r < 0)
		return r;
	memcpy(&header, bytes, available < sizeof(header) ? available : sizeof(header));
	if (area->base == 0)
		*ret_is_torn = header.magic != 0 || header.checksum != 0;
	else
		*ret_is_torn = header.magic == FRAME_MAGIC && header.position == walk->position;
	return 0;
}

/* The walk ended at a frame of `area` that is not valid: 0 and maybe torn, or damaged. */
static int judge(struct walk *walk, const struct journal_layout *layout, const struct area_layout *area,
		 uint64_t *ret_torn_at)
{
	struct remains remains = {0};
	char boot_id[JOURNAL_BOOT_ID_SIZE];
	bool is_tail_torn = false, has_restarted;
	int r = look_behind(walk, area, layout->area_bytes, walk->position, &remains);

	if (r == 0 && area == &layout->older)
		r = look_behind(walk, &layout->newest, layout->area_bytes, walk->position, &remains);
	if (r == 0)
		r = is_torn(walk, layout, area, &is_tail_torn);
	if (r < 0)
		return r;
	/* That the newest area was begun at all says that the older one was full. */
	if (area == &layout->older)
		remains.is_any = true;
	if (is_tail_torn || remains.is_any)
		*ret_torn_at = walk->position;
	if (!remains.is_any)
		return 0;
	boot_id_read(boot_id);
	has_restarted = strncmp(boot_id, layout->newest.boot_id, sizeof(boot_id)) != 0;
	return has_restarted && remains.synced <= walk->position ? 0 : -EBADMSG;
}

static int scan(struct walk *walk, int64_t tenant_id, uint64_t from_position, uint64_t *ret_torn_at)
{
	const struct area_layout *area;
	struct journal_layout layout;
	uint64_t start;
	int r = layout_read(&walk->window, tenant_id, walk->epoch, &layout);

	if (r == -EBADMSG)
		*ret_torn_at = 0;
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	start = from_position > layout.newest.released ? from_position : layout.newest.released;
	area = layout.older.is_there && start < layout.newest.base ? &layout.older : &layout.newest;
	walk->position = start > area->base ? start : area->base;
	if (area == &layout.older)
		r = walk_area(walk, area, layout.area_bytes, layout.newest.base);
	if (r == 0 && !walk->is_at_bad) {
		area = &layout.newest;
		r = walk_area(walk, area, layout.area_bytes, UINT64_MAX);
	}
	return r == 0 && walk->is_at_bad ? judge(walk, &layout, area, ret_torn_at) : r;
}

static int open_epoch(int journal_dir_fd, int64_t tenant_id, int64_t epoch)
{
	char name[JOURNAL_NAME_SIZE];
	int fd;

	journal_name(name, tenant_id, epoch);
	fd = openat(journal_dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int journal_scan(int journal_dir_fd, int64_t tenant_id, int64_t epoch, uint64_t from_position,
		 int (*visit)(const void *record, size_t length, uint64_t position, void *context), void *context,
		 uint64_t *ret_torn_at)
{
	autoclose int fd = open_epoch(journal_dir_fd, tenant_id, epoch);
	struct walk walk = {.epoch = epoch, .visit = visit, .context = context};
	int r;

	*ret_torn_at = UINT64_MAX;
	if (fd < 0)
		return fd;
	r = window_init(&walk.window, fd);
	if (r < 0)
		return r;
	r = scan(&walk, tenant_id, from_position, ret_torn_at);
	window_release(&walk.window);
	return r;
}

int journal_extent(int journal_dir_fd, int64_t tenant_id, int64_t epoch, uint64_t *ret_begin, uint64_t *ret_end)
{
	autoclose int fd = open_epoch(journal_dir_fd, tenant_id, epoch);
	struct walk walk = {.epoch = epoch};
	struct journal_layout layout;
	uint64_t torn_at = UINT64_MAX;
	int r;

	if (fd < 0)
		return fd;
	r = window_init(&walk.window, fd);
	if (r < 0)
		return r;
	r = layout_read(&walk.window, tenant_id, epoch, &layout);
	if (r == 0)
		r = scan(&walk, tenant_id, 0, &torn_at);
	window_release(&walk.window);
	if (r < 0 && r != -ENODATA && r != -EBADMSG)
		return r;
	*ret_begin = r == -ENODATA ? 0 : layout.newest.released;
	*ret_end = r == -ENODATA ? 0 : walk.position;
	return 0;
}

/* --- the files of a tenant --- */

static int compare_epochs(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* "<tenant_id>.<epoch>" and nothing else. */
static bool parse_name(const char *name, int64_t *ret_tenant_id, int64_t *ret_epoch)
{
	char number[JOURNAL_NAME_SIZE];
	const char *dot = strchr(name, '.');

	if (!dot || (size_t)(dot - name) >= sizeof(number))
		return false;
	memcpy(number, name, (size_t)(dot - name));
	number[dot - name] = '\0';
	return int64_parse(number, ret_tenant_id) == 0 && int64_parse(dot + 1, ret_epoch) == 0 && *ret_tenant_id > 0 &&
	       *ret_epoch > 0;
}

int journal_each(int journal_dir_fd, int (*visit)(int64_t tenant_id, int64_t epoch, void *context), void *context)
{
	/* A description of its own: a directory's read position is shared by copies of one descriptor. */
	autoclose int fd = openat(journal_dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(cleanup_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	take_fd(&fd);
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		int64_t tenant_id, epoch;
		int r = parse_name(entry->d_name, &tenant_id, &epoch) ? visit(tenant_id, epoch, context) : 0;

		if (r != 0)
			return r;
	}
	return -errno;
}

struct epoch_list {
	int64_t tenant_id, *epochs;
	int count;
};

static int add_epoch(int64_t tenant_id, int64_t epoch, void *context)
{
	struct epoch_list *list = context;
	int64_t *larger;

	if (tenant_id != list->tenant_id)
		return 0;
	larger = reallocarray(list->epochs, (size_t)list->count + 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	list->epochs = larger;
	larger[list->count++] = epoch;
	return 0;
}

int journal_epochs(int journal_dir_fd, int64_t tenant_id, int64_t **ret_epochs, int *ret_count)
{
	struct epoch_list list = {.tenant_id = tenant_id};
	int r = journal_each(journal_dir_fd, add_epoch, &list);

	if (r < 0) {
		free(list.epochs);
		return r;
	}
	if (list.count > 0)
		qsort(list.epochs, (size_t)list.count, sizeof(*list.epochs), compare_epochs);
	*ret_epochs = list.epochs;
	*ret_count = list.count;
	return 0;
}

int journal_remove(int journal_dir_fd, int64_t tenant_id, int64_t epoch)
{
	char name[JOURNAL_NAME_SIZE];

	journal_name(name, tenant_id, epoch);
	return unlinkat(journal_dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}
