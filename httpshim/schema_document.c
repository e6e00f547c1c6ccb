/* JSON Schema from the tables of schema.h. */
#include <string.h>
#include "httpshim/schema.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

static void put_text(struct buf *buf, const char *key, const char *text)
{
	json_put_key(buf, key);
	json_put_string(buf, text, strlen(text));
}

static void put_words(struct buf *buf, const char *words, bool is_nullable)
{
	json_put_key(buf, "enum");
	buf_putc(buf, '[');
	for (const char *at = words; *at;) {
		size_t length = strcspn(at, "|");

		json_put_string(buf, at, length);
		at += length;
		if (*at == '|') {
			at++;
			buf_putc(buf, ',');
		}
	}
	buf_puts(buf, is_nullable ? ",null]" : "]");
}

static const char *type_name(enum field_type type)
{
	switch (type) {
	case FIELD_INTEGER:
		return "integer";
	case FIELD_NUMBER:
		return "number";
	case FIELD_BOOLEAN:
		return "boolean";
	case FIELD_OBJECT:
		return "object";
	case FIELD_ARRAY:
		return "array";
	case FIELD_ANY:
		return NULL;
	default:
		return "string";
	}
}

static void put_type(struct buf *buf, enum field_type type, bool is_nullable)
{
	const char *name = type_name(type);

	if (!name)
		return;
	json_put_key(buf, "type");
	if (is_nullable)
		buf_printf(buf, "[\"%s\",\"null\"]", name);
	else
		buf_printf(buf, "\"%s\"", name);
	if (type == FIELD_UUID)
		put_text(buf, "format", "uuid");
	else if (type == FIELD_TIME)
		put_text(buf, "format", "date-time");
	else if (type == FIELD_FILE_ID)
		put_text(buf, "pattern", "^fs_[0-9A-Za-z]{22}$");
	else if (type == FIELD_JSON_TEXT)
		put_text(buf, "contentMediaType", "application/json");
	else if (type == FIELD_BINARY)
		put_text(buf, "contentMediaType", "application/octet-stream");
}

static void put_bounds(struct buf *buf, const struct field *field)
{
	static const char *const pairs[][2] = {{"minLength", "maxLength"}, {"minimum", "maximum"}, {"minItems", "maxItems"}};
	bool is_number = field->type == FIELD_INTEGER || field->type == FIELD_NUMBER;
	const char *const *names = pairs[is_number ? 1 : field->type == FIELD_ARRAY ? 2 : 0];

	if (field->minimum == 0 && field->maximum == 0)
		return;
	/* Bytes are counted here and characters there: an upper bound in bytes is one in characters, a lower one above 1 is not. */
	if (is_number || field->minimum > 0) {
		json_put_key(buf, names[0]);
		buf_printf(buf, "%lld", (long long)(is_number || field->type == FIELD_ARRAY ? field->minimum : 1));
	}
	if (is_number || field->maximum > 0) {
		json_put_key(buf, names[1]);
		buf_printf(buf, "%lld", (long long)field->maximum);
	}
}

static void put_members(struct buf *buf, const struct schema *schema)
{
	bool is_first = true;

	json_put_key(buf, "properties");
	buf_putc(buf, '{');
	for (const struct field *field = schema->fields; field->name; field++) {
		json_put_key(buf, field->name);
		schema_put_field(buf, field);
	}
	buf_putc(buf, '}');
	for (const struct field *field = schema->fields; field->name; field++) {
		if (!(field->flags & FIELD_REQUIRED))
			continue;
		if (is_first) {
			json_put_key(buf, "required");
			buf_putc(buf, '[');
		} else {
			buf_putc(buf, ',');
		}
		is_first = false;
		json_put_string(buf, field->name, strlen(field->name));
	}
	if (!is_first)
		buf_putc(buf, ']');
	if (!(schema->flags & FIELD_OPEN))
		buf_puts(buf, ",\"additionalProperties\":false");
}

static void put_items(struct buf *buf, const struct schema *of)
{
	if (!of)
		return;
	json_put_key(buf, "items");
	schema_put(buf, of, true);
}

void schema_put(struct buf *buf, const struct schema *schema, bool by_reference)
{
	if (by_reference && schema->name) {
		buf_printf(buf, "{\"$ref\":\"#/components/schemas/%s\"}", schema->name);
		return;
	}
	buf_putc(buf, '{');
	put_type(buf, schema->type, (schema->flags & FIELD_NULLABLE) != 0);
	if (schema->words)
		put_words(buf, schema->words, false);
	if (schema->about)
		put_text(buf, "description", schema->about);
	if (schema->type == FIELD_OBJECT && schema->fields)
		put_members(buf, schema);
	if (schema->type == FIELD_ARRAY)
		put_items(buf, schema->of);
	buf_putc(buf, '}');
}

void schema_put_field(struct buf *buf, const struct field *field)
{
	bool is_nullable = (field->flags & FIELD_NULLABLE) != 0;

	if (field->type == FIELD_OBJECT && field->of && is_nullable) {
		buf_puts(buf, "{\"anyOf\":[");
		schema_put(buf, field->of, true);
		buf_puts(buf, ",{\"type\":\"null\"}]}");
		return;
	}
	if (field->type == FIELD_OBJECT && field->of) {
		schema_put(buf, field->of, true);
		return;
	}
	buf_putc(buf, '{');
	put_type(buf, field->type, is_nullable);
	if (field->words)
		put_words(buf, field->words, is_nullable);
	put_bounds(buf, field);
	if (field->about)
		put_text(buf, "description", field->about);
	if (field->type == FIELD_ARRAY)
		put_items(buf, field->of);
	buf_putc(buf, '}');
}

void schema_visit(const struct schema *schema, void (*visit)(const struct schema *named, void *context), void *context)
{
	if (!schema)
		return;
	if (schema->name)
		visit(schema, context);
	schema_visit(schema->of, visit, context);
	for (const struct field *field = schema->fields; field && field->name; field++)
		schema_visit(field->of, visit, context);
}
