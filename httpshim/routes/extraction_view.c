#include "httpshim/routes/extraction_view.h"

#include <inttypes.h>
#include "httpshim/tenant_cache.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/db/db.h"

static const struct schema any_object = {.type = FIELD_OBJECT};
static const struct field extraction_fields[] = {
	{.name = "id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "file_id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED},
	{.name = "tenant_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "extraction_type", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = EXTRACTION_TYPES},
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = EXTRACTION_STATUSES},
	{.name = "extracted_text", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .about = "In lists: the first 16384 characters"},
	{.name = "structured_data", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .of = &any_object},
	{.name = "metadata", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .of = &any_object},
	{.name = "confidence_score", .type = FIELD_NUMBER, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{.name = "processing_time_ms", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{.name = "error", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{.name = "retry_count", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "created_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED},
	{.name = "completed_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{0},
};
const struct schema extraction_schema = {.name = "Extraction", .type = FIELD_OBJECT, .fields = extraction_fields};
const struct schema extraction_list_schema = {.type = FIELD_ARRAY, .of = &extraction_schema};

enum column { ID, FILE_ID, TYPE, STATUS, TEXT, DATA, METADATA, CONFIDENCE, DURATION, ERROR, RETRIES, CREATED, COMPLETED };

static void put_text(struct buf *buf, const char *key, const struct db_result *result, int row, int column)
{
	size_t length;
	const char *text = db_get_bytes(result, row, column, &length);

	json_put_key(buf, key);
	if (text)
		json_put_string(buf, text, length);
	else
		buf_puts(buf, "null");
}

static void put_json(struct buf *buf, const char *key, const struct db_result *result, int row, int column)
{
	size_t length;
	const char *text = db_get_bytes(result, row, column, &length);

	json_put_key(buf, key);
	buf_append(buf, text ? text : "null", text ? length : 4);
}

static void put_time(struct buf *buf, const char *key, const struct db_result *result, int row, int column)
{
	char text[CLOCK_RFC3339_SIZE];

	json_put_key(buf, key);
	if (db_is_null(result, row, column)) {
		buf_puts(buf, "null");
		return;
	}
	clock_format_rfc3339(db_get_time(result, row, column), text);
	buf_printf(buf, "\"%s\"", text);
}

static void put_measures(struct buf *buf, const struct db_result *result, int row, int first)
{
	json_put_key(buf, "confidence_score");
	if (db_is_null(result, row, first + CONFIDENCE))
		buf_puts(buf, "null");
	else
		buf_printf(buf, "%.3f", db_get_double(result, row, first + CONFIDENCE));
	json_put_key(buf, "processing_time_ms");
	if (db_is_null(result, row, first + DURATION))
		buf_puts(buf, "null");
	else
		buf_printf(buf, "%" PRId64, db_get_int(result, row, first + DURATION));
}

void extraction_put(struct buf *buf, const struct tenant *tenant, const struct db_result *result, int row, int first)
{
	char id[37];

	db_get_uuid(result, row, first + ID, id);
	buf_printf(buf, "{\"id\":\"%s\"", id);
	put_text(buf, "file_id", result, row, first + FILE_ID);
	buf_printf(buf, ",\"tenant_id\":\"%s\"", tenant->uuid);
	put_text(buf, "extraction_type", result, row, first + TYPE);
	put_text(buf, "status", result, row, first + STATUS);
	put_text(buf, "extracted_text", result, row, first + TEXT);
	put_json(buf, "structured_data", result, row, first + DATA);
	put_json(buf, "metadata", result, row, first + METADATA);
	put_measures(buf, result, row, first);
	put_text(buf, "error", result, row, first + ERROR);
	buf_printf(buf, ",\"retry_count\":%" PRId64, db_get_int(result, row, first + RETRIES));
	put_time(buf, "created_at", result, row, first + CREATED);
	put_time(buf, "completed_at", result, row, first + COMPLETED);
	buf_putc(buf, '}');
}

void extraction_put_list(struct buf *buf, const struct tenant *tenant, const struct db_result *result, int first)
{
	int shown = 0;

	buf_putc(buf, '[');
	for (int row = 0; row < db_rows(result); row++) {
		if (db_is_null(result, row, first + ID))
			continue;
		buf_puts(buf, shown++ ? "," : "");
		extraction_put(buf, tenant, result, row, first);
	}
	buf_putc(buf, ']');
}
