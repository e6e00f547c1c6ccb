/* The attributes of files and folders that PostgreSQL knows, design section 3. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "fusefs/words.h"
#include "fusefs/xattr.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/json_check.h"
#include "shared/base/text.h"

enum { METADATA_DEPTH_MAX = 64 };

static int put_text(struct buf *value, const char *text)
{
	return text ? buf_puts(value, text) : -ENODATA;
}

static int put_bytes(struct buf *value, struct bytes bytes)
{
	return bytes.data ? buf_append(value, bytes.data, bytes.length) : -ENODATA;
}

static int put_time(struct buf *value, int64_t time_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	if (time_ns == 0)
		return -ENODATA;
	clock_format_rfc3339(time_ns, text);
	return buf_puts(value, text);
}

static bool is_published(const struct file *file)
{
	return file && file->values.status == 'p' && file->values.object_id != 0;
}

/* --- what fusefs knows itself --- */

static int get_id(const struct xattr_context *context, struct buf *value)
{
	char id[FILE_ID_SIZE];

	file_id_text(context->file, id);
	return buf_puts(value, id);
}

static int get_sha256(const struct xattr_context *context, struct buf *value)
{
	char hex[DIGEST_HEX_SIZE];

	if (!is_published(context->file))
		return -ENODATA;
	hex_encode(context->file->values.sha256, DIGEST_SIZE, hex);
	return buf_puts(value, hex);
}

static int get_status(const struct xattr_context *context, struct buf *value)
{
	char status = context->file->values.status;
	char job = context->extraction ? context->extraction->row.status : 0;

	if (status == 'u' || (context->file->open && context->file->open->is_dirty))
		return buf_puts(value, "uploading");
	if (status == 'e')
		return buf_puts(value, "error");
	if (job == 'r')
		return buf_puts(value, "processing");
	return buf_puts(value, job == 'd' || job == 'f' ? "completed" : "uploaded");
}

static int get_validation(const struct xattr_context *context, struct buf *value)
{
	char validation = context->file->values.validation;

	return buf_puts(value, validation == 'o' ? "passed" : validation == 'f' ? "failed" : "pending");
}

static int get_uploaded_at(const struct xattr_context *context, struct buf *value)
{
	return put_time(value, context->file->values.uploaded_at_ns);
}

static int get_uploaded_by(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, context->file->values.uploaded_by);
}

static int get_media_type(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, context->file->values.media_type);
}

static int get_visibility(const struct xattr_context *context, struct buf *value)
{
	return buf_puts(value, context->file->values.visibility == 'u' ? "public" : "private");
}

static const struct file_extra *extra_of(const struct xattr_context *context)
{
	static const struct file_extra none;
	const struct file_extra *extra = context->file->values.extra;

	return extra ? extra : &none;
}

static int get_metadata(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, extra_of(context)->metadata);
}

static int get_tags(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, extra_of(context)->tags);
}

static int get_comment(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, extra_of(context)->description);
}

static int get_original_name(const struct xattr_context *context, struct buf *value)
{
	const struct file_extra *extra = extra_of(context);

	return extra->original_name ? buf_append(value, extra->original_name, extra->original_name_length) : -ENODATA;
}

/* --- what its extraction says --- */

static const struct loaded_extraction *result_of(const struct xattr_context *context)
{
	return context->extraction && extraction_is_final(context->extraction) ? &context->extraction->row : NULL;
}

static int get_extract_status(const struct xattr_context *context, struct buf *value)
{
	return put_text(value, context->extraction ? extraction_status(context->extraction) : NULL);
}

static int get_processed_at(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result ? put_time(value, result->processed_at_ns) : -ENODATA;
}

static int get_text(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	if (!result || !result->text.data)
		return -ENODATA;
	return buf_append(value, result->text.data, utf8_cut(result->text.data, result->text.length, XATTR_VALUE_MAX));
}

static int get_extract_metadata(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result ? put_bytes(value, result->metadata) : -ENODATA;
}

static int get_data(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result ? put_bytes(value, result->data) : -ENODATA;
}

static int get_summary(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result ? put_bytes(value, result->summary) : -ENODATA;
}

static int get_error(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result ? put_bytes(value, result->error) : -ENODATA;
}

static int get_confidence(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result && result->status == 'd' ? buf_printf(value, "%.3f", result->confidence) : -ENODATA;
}

static int get_duration(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result && result->status != 'x' ? buf_printf(value, "%lld", (long long)result->duration_ms) : -ENODATA;
}

static int get_text_bytes(const struct xattr_context *context, struct buf *value)
{
	const struct loaded_extraction *result = result_of(context);

	return result && result->status == 'd' ? buf_printf(value, "%lld", (long long)result->text_bytes) : -ENODATA;
}

/* A string of the document's own metadata; of a list its first. */
static int put_document_value(const struct xattr_context *context, struct buf *value, const char *key)
{
	const struct loaded_extraction *result = result_of(context);
	json_t *root = result && result->metadata.data
			       ? json_loadb(result->metadata.data, result->metadata.length, 0, NULL)
			       : NULL;
	const json_t *found = json_object_get(root, key);
	int r = -ENODATA;

	if (json_is_array(found))
		found = json_array_get(found, 0);
	if (json_is_string(found) && json_string_length(found) > 0)
		r = buf_append(value, json_string_value(found), json_string_length(found));
	json_decref(root);
	return r;
}

static int get_title(const struct xattr_context *context, struct buf *value)
{
	return put_document_value(context, value, "dc:title");
}

static int get_creator(const struct xattr_context *context, struct buf *value)
{
	return put_document_value(context, value, "dc:creator");
}

static int get_date(const struct xattr_context *context, struct buf *value)
{
	int r = put_document_value(context, value, "dcterms:created");

	return r == -ENODATA ? put_document_value(context, value, "dc:date") : r;
}

static int get_language(const struct xattr_context *context, struct buf *value)
{
	return put_document_value(context, value, "dc:language");
}

/* --- writing --- */

/* The extra part of a file as it shall be: the edit's own copy, made once. */
static struct file_extra *staged_extra(const struct xattr_context *context, struct edit *edit)
{
	struct file_values *values = edit_values(edit, context->file);

	if (values->extra == context->file->values.extra) {
		struct file_extra *copy = file_extra_copy(values->extra);

		if (!copy)
			return NULL;
		values->extra = copy;
	}
	return values->extra;
}

static int replace_text(char **at, const char *value, size_t length)
{
	char *copy = NULL;

	if (value) {
		copy = strndup(value, length);
		if (!copy)
			return -ENOMEM;
	}
	free(*at);
	*at = copy;
	return 0;
}

static bool is_text(const char *value, size_t length)
{
	return !value || (utf8_is_valid(value, length) && !memchr(value, '\0', length));
}

static int set_metadata(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	struct file_extra *extra;
	enum json_kind kind;

	if (value && length > XATTR_VALUE_MAX)
		return -ENOSPC;
	if (value && (json_check(value, length, METADATA_DEPTH_MAX, &kind) < 0 || kind != JSON_KIND_OBJECT))
		return -EINVAL;
	extra = staged_extra(context, edit);
	return extra ? replace_text(&extra->metadata, value, length) : -ENOMEM;
}

static int set_tags(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	struct file_extra *extra = is_text(value, length) ? staged_extra(context, edit) : NULL;

	if (!is_text(value, length))
		return -EINVAL;
	return extra ? replace_text(&extra->tags, value, length) : -ENOMEM;
}

static int set_comment(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	struct file_extra *extra = is_text(value, length) ? staged_extra(context, edit) : NULL;

	if (!is_text(value, length))
		return -EINVAL;
	return extra ? replace_text(&extra->description, value, length) : -ENOMEM;
}

static int set_visibility(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	char visibility = 'r';

	if (value && length == strlen("public") && memcmp(value, "public", length) == 0)
		visibility = 'u';
	else if (value && !(length == strlen("private") && memcmp(value, "private", length) == 0))
		return -EINVAL;
	edit_values(edit, context->file)->visibility = visibility;
	return 0;
}

static int set_uploaded_by(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	if (!value || length == 0 || length > NAME_MAX_BYTES || !is_text(value, length))
		return -EINVAL;
	edit_values(edit, context->file)->uploaded_by = words_keep(context->request->mount->words, value, length);
	return 0;
}

static int set_original_name(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	struct file_extra *extra;

	if (length > NAME_MAX_BYTES || (value && memchr(value, '\0', length)))
		return -EINVAL;
	extra = staged_extra(context, edit);
	if (!extra)
		return -ENOMEM;
	extra->original_name_length = value ? length : 0;
	return replace_text(&extra->original_name, value, length);
}

/* Nothing is stored: extractd says that it has finished, and the kernel raises IN_ATTRIB for the call. */
static int set_touch(const struct xattr_context *context, struct edit *edit, const char *value, size_t length)
{
	(void)edit;
	(void)value;
	(void)length;
	context->file->touches++;
	extraction_unref(context->file->extraction);
	context->file->extraction = NULL;
	return 0;
}

static int get_nothing(const struct xattr_context *context, struct buf *value)
{
	(void)context;
	(void)value;
	return -ENODATA;
}

const struct xattr file_xattrs[] = {
	{"user.tenantfs.id", XATTR_LISTED, get_id, NULL},
	{"user.tenantfs.sha256", XATTR_LISTED, get_sha256, NULL},
	{"user.tenantfs.status", XATTR_LISTED | XATTR_EXTRACTION, get_status, NULL},
	{"user.tenantfs.validation", XATTR_LISTED, get_validation, NULL},
	{"user.tenantfs.uploaded_at", XATTR_LISTED, get_uploaded_at, NULL},
	{"user.tenantfs.processed_at", XATTR_LISTED | XATTR_EXTRACTION, get_processed_at, NULL},
	{"user.tenantfs.metadata", XATTR_LISTED | XATTR_WRITABLE, get_metadata, set_metadata},
	{"user.tenantfs.uploaded_by", XATTR_LISTED | XATTR_TRUSTED, get_uploaded_by, set_uploaded_by},
	{"user.tenantfs.original_name", XATTR_LISTED | XATTR_TRUSTED, get_original_name, set_original_name},
	{"user.tenantfs.visibility", XATTR_LISTED | XATTR_WRITABLE, get_visibility, set_visibility},
	{"user.tenantfs.touch", XATTR_TRUSTED, get_nothing, set_touch},
	{"user.mime_type", XATTR_LISTED, get_media_type, NULL},
	{"user.xdg.tags", XATTR_LISTED | XATTR_WRITABLE, get_tags, set_tags},
	{"user.xdg.comment", XATTR_LISTED | XATTR_WRITABLE, get_comment, set_comment},
	{"user.dublincore.title", XATTR_LISTED | XATTR_EXTRACTION, get_title, NULL},
	{"user.dublincore.creator", XATTR_LISTED | XATTR_EXTRACTION, get_creator, NULL},
	{"user.dublincore.date", XATTR_LISTED | XATTR_EXTRACTION, get_date, NULL},
	{"user.dublincore.language", XATTR_LISTED | XATTR_EXTRACTION, get_language, NULL},
	{"user.extract.status", XATTR_LISTED | XATTR_EXTRACTION, get_extract_status, NULL},
	{"user.extract.text", XATTR_EXTRACTION | XATTR_WHOLE_TEXT, get_text, NULL},
	{"user.extract.metadata", XATTR_EXTRACTION, get_extract_metadata, NULL},
	{"user.extract.data", XATTR_EXTRACTION, get_data, NULL},
	{"user.extract.summary", XATTR_LISTED | XATTR_EXTRACTION, get_summary, NULL},
	{"user.extract.confidence", XATTR_LISTED | XATTR_EXTRACTION, get_confidence, NULL},
	{"user.extract.duration_ms", XATTR_LISTED | XATTR_EXTRACTION, get_duration, NULL},
	{"user.extract.error", XATTR_LISTED | XATTR_EXTRACTION, get_error, NULL},
	{"user.extract.text_bytes", XATTR_LISTED | XATTR_EXTRACTION, get_text_bytes, NULL},
	{NULL, 0, NULL, NULL},
};
