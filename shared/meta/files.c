#include "shared/meta/files.h"

#include <errno.h>
#include <stdlib.h>
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/meta/column.h"

const char *const file_status_names[FILE_STATUS_COUNT] = {"uploading", "uploaded", "processing", "completed", "error"};

/* In the order of file_find; file_search has the total before them. */
enum file_column {
	COLUMN_INODE,
	COLUMN_FILE_ID,
	COLUMN_NAME,
	COLUMN_PATH,
	COLUMN_ORIGINAL_NAME,
	COLUMN_OBJECT_PATH,
	COLUMN_SIZE,
	COLUMN_MEDIA_TYPE,
	COLUMN_SHA256,
	COLUMN_STATUS,
	COLUMN_VALIDATION,
	COLUMN_MODE,
	COLUMN_NLINK,
	COLUMN_UID,
	COLUMN_GID,
	COLUMN_MTIME,
	COLUMN_UPLOADED_AT,
	COLUMN_PROCESSED_AT,
	COLUMN_UPLOADED_BY,
	COLUMN_TAGS,
	COLUMN_DESCRIPTION,
	COLUMN_METADATA,
	COLUMN_VISIBILITY,
	COLUMN_JOB_STATE,
	COLUMN_JOB_ID,
	COLUMN_JOB_ERROR
};

static enum file_status read_status(const char *name)
{
	for (int status = 0; name != NULL && status < FILE_STATUS_COUNT; status++)
		if (strcmp(name, file_status_names[status]) == 0)
			return (enum file_status)status;
	return FILE_ERROR;
}

static void read_content(const struct db_result *result, int row, int first, struct file_row *file)
{
	struct bytes sha256 = column_bytes(result, row, first + COLUMN_SHA256);

	column_text(result, row, first + COLUMN_OBJECT_PATH, file->object_path, sizeof(file->object_path));
	file->size_bytes = db_get_int(result, row, first + COLUMN_SIZE);
	file->media_type = column_bytes(result, row, first + COLUMN_MEDIA_TYPE);
	file->has_sha256 = sha256.data != NULL && sha256.length == sizeof(file->sha256);
	if (file->has_sha256)
		memcpy(file->sha256, sha256.data, sizeof(file->sha256));
	file->job_state = db_get_char(result, row, first + COLUMN_JOB_STATE);
	db_get_uuid(result, row, first + COLUMN_JOB_ID, file->job_id);
	file->job_error = column_bytes(result, row, first + COLUMN_JOB_ERROR);
}

static void read_file(const struct db_result *result, int row, int first, struct file_row *file)
{
	file->inode = db_get_int(result, row, first + COLUMN_INODE);
	column_text(result, row, first + COLUMN_FILE_ID, file->file_id, sizeof(file->file_id));
	file->name = column_bytes(result, row, first + COLUMN_NAME);
	file->path = column_bytes(result, row, first + COLUMN_PATH);
	file->original_name = column_bytes(result, row, first + COLUMN_ORIGINAL_NAME);
	read_content(result, row, first, file);
	file->status = read_status(db_get_text(result, row, first + COLUMN_STATUS));
	file->validation = db_get_char(result, row, first + COLUMN_VALIDATION);
	file->mode = (uint32_t)db_get_int(result, row, first + COLUMN_MODE);
	file->link_count = (int32_t)db_get_int(result, row, first + COLUMN_NLINK);
	file->uid = db_get_int(result, row, first + COLUMN_UID);
	file->gid = db_get_int(result, row, first + COLUMN_GID);
	file->mtime_ns = db_get_int(result, row, first + COLUMN_MTIME);
	file->uploaded_at_ns = db_get_int(result, row, first + COLUMN_UPLOADED_AT);
	file->processed_at_ns = db_get_time(result, row, first + COLUMN_PROCESSED_AT);
	file->uploaded_by = column_bytes(result, row, first + COLUMN_UPLOADED_BY);
	file->tags = column_bytes(result, row, first + COLUMN_TAGS);
	file->description = column_bytes(result, row, first + COLUMN_DESCRIPTION);
	file->metadata = column_bytes(result, row, first + COLUMN_METADATA);
	file->is_public = db_get_char(result, row, first + COLUMN_VISIBILITY) == 'u';
}

void file_list_release(struct file_list *list)
{
	free(list->rows);
	db_result_free(list->result);
	*list = (struct file_list){0};
}

int file_list_read(struct db_result *result, int first, struct file_list *ret_list)
{
	cleanup(file_list_release) struct file_list list = {.total = -1, .result = result};
	int rows = db_rows(result);

	list.rows = calloc((size_t)rows + 1, sizeof(*list.rows));
	if (list.rows == NULL)
		return -ENOMEM;
	for (int i = 0; i < rows; i++)
		if (!db_is_null(result, i, first + COLUMN_INODE))
			read_file(result, i, first, &list.rows[list.count++]);
	*ret_list = list;
	list = (struct file_list){0};
	return 0;
}

static int find(struct db *db, int64_t tenant_id, const char *file_id, int64_t inode, struct file_list *ret_list)
{
	autoparams struct db_params params;
	struct db_result *result = NULL;
	int r;

	/* Two statements: in one, "this or that" would keep the server from using either index. */
	db_params_init(&params);
	db_param_int(&params, tenant_id);
	if (file_id != NULL)
		db_param_text(&params, file_id);
	else
		db_param_int(&params, inode);
	r = db_run(db, file_id != NULL ? QUERY_FILE_FIND : QUERY_FILE_FIND_INODE, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0) {
		db_result_free(result);
		return -ENOENT;
	}
	return file_list_read(result, 0, ret_list);
}

int file_find(struct db *db, int64_t tenant_id, const char *file_id, struct file_list *ret_list)
{
	return file_id_is_valid(file_id, strlen(file_id)) ? find(db, tenant_id, file_id, 0, ret_list) : -ENOENT;
}

/* Splits at slashes; empty parts do not count. A lone name lies in the current month, as the drop box has it. */
static int split_path(const char *path, size_t length, struct db_array *names)
{
	size_t begin = 0, end;
	char month[CLOCK_MONTH_SIZE];

	if (memchr(path, '/', length) == NULL && !clock_is_month(path, length)) {
		clock_format_month(clock_realtime_ns(), month);
		db_array_bytes(names, month, strlen(month));
	}
	for (; begin < length; begin = end + 1) {
		for (end = begin; end < length && path[end] != '/';)
			end++;
		if (end > begin)
			db_array_bytes(names, path + begin, end - begin);
	}
	return names->error;
}

int file_find_by_path(struct db *db, int64_t tenant_id, const char *path, size_t length, struct file_list *ret_list)
{
	cleanup(db_array_release) struct db_array names;
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_array_init(&names, DB_TYPE_BYTEA);
	db_params_init(&params);
	r = split_path(path, length, &names);
	if (r < 0)
		return r;
	db_param_int(&params, tenant_id);
	db_param_array(&params, &names);
	r = db_run(db, QUERY_FILE_WALK, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT;
	return find(db, tenant_id, NULL, db_get_int(result, 0, 0), ret_list);
}

/* --- searching
 * --------------------------------------------------------------------------------------------------------- */

enum { PATTERN_BYTES_MAX = 4096, TEXT_WORDS_MAX = 32 };

/* One byte of a LIKE pattern that stands for itself. */
static void put_literal(struct buf *pattern, char byte)
{
	if (byte == '%' || byte == '_' || byte == '\\')
		buf_putc(pattern, '\\');
	buf_putc(pattern, byte);
}

/* A glob where it holds * or ?, else anything around it. */
static void put_name_pattern(struct buf *pattern, struct bytes name)
{
	bool is_glob = memchr(name.data, '*', name.length) != NULL || memchr(name.data, '?', name.length) != NULL;

	if (!is_glob)
		buf_putc(pattern, '%');
	for (size_t i = 0; i < name.length; i++) {
		if (name.data[i] == '*')
			buf_putc(pattern, '%');
		else if (name.data[i] == '?')
			buf_putc(pattern, '_');
		else
			put_literal(pattern, name.data[i]);
	}
	if (!is_glob)
		buf_putc(pattern, '%');
}

static void put_media_type_pattern(struct buf *pattern, const char *media_type)
{
	size_t length = strlen(media_type);

	for (size_t i = 0; i < length; i++)
		put_literal(pattern, media_type[i]);
	if (length > 0 && media_type[length - 1] == '/')
		buf_putc(pattern, '%');
}

/* Each word becomes a pattern the text must fit; words beyond the maximum narrow no further. */
static int put_words(struct db_array *patterns, const char *text)
{
	cleanup(buf_release) struct buf pattern = BUF_INIT(PATTERN_BYTES_MAX);
	int words = 0;

	while (*text != '\0' && words < TEXT_WORDS_MAX) {
		size_t length = strcspn(text, " \t\r\n");

		buf_reset(&pattern);
		buf_putc(&pattern, '%');
		for (size_t i = 0; i < length; i++)
			put_literal(&pattern, text[i]);
		buf_putc(&pattern, '%');
		if (buf_error(&pattern) < 0)
			return -EINVAL;
		if (length > 0 && ++words > 0)
			db_array_bytes(patterns, pattern.data, pattern.length);
		text += length + (text[length] != '\0');
	}
	return patterns->error;
}

/* What the parameters of one search borrow from. */
struct search {
	struct buf name_pattern, media_type_pattern;
	struct db_array words;
	uint8_t sha256[DIGEST_SIZE];
};

static void search_release(struct search *search)
{
	buf_release(&search->name_pattern);
	buf_release(&search->media_type_pattern);
	db_array_release(&search->words);
}

static int search_init(struct search *search, const struct file_filter *filter)
{
	*search = (struct search){.name_pattern = BUF_INIT(PATTERN_BYTES_MAX),
				  .media_type_pattern = BUF_INIT(PATTERN_BYTES_MAX)};
	db_array_init(&search->words, DB_TYPE_TEXT);
	if (filter->name.data != NULL)
		put_name_pattern(&search->name_pattern, filter->name);
	if (filter->media_type != NULL)
		put_media_type_pattern(&search->media_type_pattern, filter->media_type);
	if (buf_error(&search->name_pattern) < 0 || buf_error(&search->media_type_pattern) < 0)
		return -EINVAL;
	if (filter->sha256_hex != NULL &&
	    (strlen(filter->sha256_hex) != DIGEST_HEX_SIZE - 1 ||
	     hex_decode(filter->sha256_hex, DIGEST_HEX_SIZE - 1, search->sha256, DIGEST_SIZE) < 0))
		return -EINVAL;
	return filter->text != NULL ? put_words(&search->words, filter->text) : 0;
}

static void put_filter(struct db_params *params, const struct search *search, const struct file_filter *filter)
{
	db_param_bytes(params, search->name_pattern.length > 0 ? search->name_pattern.data : NULL,
		       search->name_pattern.length);
	db_param_text(params, search->media_type_pattern.length > 0 ? search->media_type_pattern.data : NULL);
	db_param_text(params, filter->tag);
	db_param_json(params, filter->metadata.data, filter->metadata.length);
	db_param_int_or_null(params, filter->size_min, filter->size_min < 0);
	db_param_int_or_null(params, filter->size_max, filter->size_max < 0);
	db_param_int_or_null(params, filter->uploaded_after_ns, filter->uploaded_after_ns == 0);
	db_param_int_or_null(params, filter->uploaded_before_ns, filter->uploaded_before_ns == 0);
	db_param_text(params, filter->status);
	if (search->words.count > 0)
		db_param_array(params, &search->words);
	else
		db_param_null(params);
	db_param_text(params, filter->month);
	db_param_text(params, filter->uploaded_by);
	db_param_bytes(params, filter->sha256_hex != NULL ? search->sha256 : NULL, DIGEST_SIZE);
}

static void put_page(struct db_params *params, const struct file_page *page)
{
	static const char sorts[] = {
		[FILE_BY_UPLOADED] = 'u', [FILE_BY_NAME] = 'n', [FILE_BY_SIZE] = 's', [FILE_BY_MEDIA_TYPE] = 'm'};
	bool has_after = page->after_inode != 0 && page->sort == FILE_BY_UPLOADED;

	db_param_char(params, sorts[page->sort]);
	db_param_bool(params, page->is_descending);
	db_param_int_or_null(params, page->after_uploaded_at_ns, !has_after);
	db_param_int_or_null(params, page->after_inode, !has_after);
	db_param_int(params, page->skip);
	db_param_int(params, page->limit);
	db_param_bool(params, page->want_total);
}

int file_search(struct db *db, int64_t tenant_id, const struct file_filter *filter, const struct file_page *page,
		struct file_list *ret_list)
{
	cleanup(search_release) struct search search;
	autoparams struct db_params params;
	struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	r = search_init(&search, filter);
	if (r < 0)
		return r;
	db_param_int(&params, tenant_id);
	put_filter(&params, &search, filter);
	put_page(&params, page);
	r = db_run(db, QUERY_FILE_SEARCH, &params, &result);
	if (r < 0)
		return r;
	int64_t total = db_rows(result) > 0 ? db_get_int(result, 0, 0) : -1;

	r = file_list_read(result, 1, ret_list);
	if (r == 0)
		ret_list->total = total;
	return r;
}
