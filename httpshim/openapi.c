#include "httpshim/openapi.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include "httpshim/route.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

enum { SCHEMAS_MAX = 200 };

static const char error_schemas[] =
	"\"Error\":{\"type\":\"object\",\"required\":[\"detail\"],\"additionalProperties\":false,\"properties\":{\"detail\":{\"anyOf\":["
	"{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Problem\"}}]}}},"
	"\"Problem\":{\"type\":\"object\",\"required\":[\"loc\",\"msg\",\"type\"],\"additionalProperties\":false,\"properties\":{"
	"\"loc\":{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"]}},\"msg\":{\"type\":\"string\"},"
	"\"type\":{\"type\":\"string\"}}},"
	"\"ProblemDetails\":{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\"],\"additionalProperties\":false,"
	"\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
	"\"detail\":{\"type\":\"string\"},\"instance\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":"
	"{\"$ref\":\"#/components/schemas/Problem\"}}}},"
	"\"EnvelopeError\":{\"type\":\"object\",\"required\":[\"errors\",\"message\",\"success\"],\"additionalProperties\":false,"
	"\"properties\":{\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"message\":{\"type\":\"string\"},"
	"\"success\":{\"const\":false}}}";

static void put_text(struct buf *buf, const char *key, const char *text)
{
	json_put_key(buf, key);
	json_put_string(buf, text, strlen(text));
}

static void put_parameter(struct buf *buf, const struct field *field, const char *place, bool is_required)
{
	buf_putc(buf, '{');
	put_text(buf, "name", field->name);
	put_text(buf, "in", place);
	if (is_required)
		buf_puts(buf, ",\"required\":true");
	if (field->about)
		put_text(buf, "description", field->about);
	json_put_key(buf, "schema");
	schema_put_field(buf, field);
	buf_putc(buf, '}');
}

static const struct field *find_field(const struct field *fields, const char *name, size_t length)
{
	for (const struct field *field = fields; field && field->name; field++) {
		if (strlen(field->name) == length && memcmp(field->name, name, length) == 0)
			return field;
	}
	return NULL;
}

static void put_path_parameters(struct buf *buf, const struct route *route, int *count)
{
	for (const char *at = route->path; (at = strchr(at, '{'));) {
		size_t length = strcspn(++at, "}");
		const struct field *known = find_field(route->path_fields, at, length);
		struct field field = known ? *known : (struct field){.type = FIELD_STRING};
		char name[64];

		if (length >= sizeof(name))
			continue;
		memcpy(name, at, length);
		name[length] = '\0';
		field.name = name;
		buf_puts(buf, (*count)++ ? "," : "");
		put_parameter(buf, &field, "path", true);
	}
}

static void put_parameters(struct buf *buf, const struct route *route)
{
	int count = 0;

	json_put_key(buf, "parameters");
	buf_putc(buf, '[');
	put_path_parameters(buf, route, &count);
	for (const struct field *field = route->query_fields; field && field->name; field++) {
		buf_puts(buf, count++ ? "," : "");
		put_parameter(buf, field, "query", (field->flags & FIELD_REQUIRED) != 0);
	}
	buf_putc(buf, ']');
}

static bool has_file(const struct schema *schema)
{
	for (const struct field *field = schema->fields; field && field->name; field++) {
		if (field->type == FIELD_BINARY)
			return true;
	}
	return false;
}

static void put_content(struct buf *buf, const char *media_type, const struct schema *schema)
{
	json_put_key(buf, media_type);
	buf_puts(buf, "{\"schema\":");
	schema_put(buf, schema, true);
	buf_putc(buf, '}');
}

static void put_body(struct buf *buf, const struct route *route)
{
	if (route->body == ROUTE_BODY_NONE || !route->body_schema)
		return;
	json_put_key(buf, "requestBody");
	buf_printf(buf, "{\"required\":%s,\"content\":{", route->flags & ROUTE_BODY_OPTIONAL ? "false" : "true");
	if (route->body == ROUTE_BODY_JSON)
		put_content(buf, "application/json", route->body_schema);
	if (route->body == ROUTE_BODY_STREAM)
		put_content(buf, "application/offset+octet-stream", route->body_schema);
	if (route->body == ROUTE_BODY_FORM)
		put_content(buf, "multipart/form-data", route->body_schema);
	if (route->body == ROUTE_BODY_FORM && !has_file(route->body_schema))
		put_content(buf, "application/x-www-form-urlencoded", route->body_schema);
	buf_puts(buf, "}}");
}

/* tus answers and the like: what counts stands in the headers. */
static bool has_content(const struct route_answer *answer)
{
	return answer->status != 204 && answer->status != 304 && (answer->schema || answer->media_type) &&
	       !(answer->media_type && strcmp(answer->media_type, "text/plain") == 0 && !answer->schema && answer->status != 200);
}

static void put_answer(struct buf *buf, const struct route_answer *answer)
{
	buf_printf(buf, "%s\"%d\":{", buf->data[buf->length - 1] == '{' ? "" : ",", answer->status);
	put_text(buf, "description", answer->about);
	if (has_content(answer)) {
		json_put_key(buf, "content");
		buf_putc(buf, '{');
		if (answer->schema)
			put_content(buf, answer->media_type ? answer->media_type : "application/json", answer->schema);
		else
			buf_printf(buf, "\"%s\":{}", answer->media_type);
		buf_putc(buf, '}');
	}
	buf_putc(buf, '}');
}

static void put_answers(struct buf *buf, const struct route *route)
{
	bool is_enveloped = strncmp(route->path, "/api/v1/file/", 13) == 0;

	json_put_key(buf, "responses");
	buf_putc(buf, '{');
	for (int i = 0; i < ROUTE_ANSWERS_MAX && route->answers[i].status; i++)
		put_answer(buf, &route->answers[i]);
	buf_printf(buf, ",\"default\":{\"$ref\":\"#/components/responses/%s\"}}", is_enveloped ? "EnvelopeError" : "Error");
}

static void put_security(struct buf *buf, const struct route *route)
{
	if (route->role == ROLE_NONE) {
		buf_puts(buf, ",\"security\":[]");
		return;
	}
	buf_printf(buf, ",\"security\":[{\"token\":[]}%s],\"x-least-role\":\"%s\"", route->flags & ROUTE_SIGNED ? ",{}" : "",
		   role_name(route->role));
	if (route->flags & ROUTE_TENANT)
		buf_puts(buf, ",\"x-in-tenant\":true");
}

static void put_operation(struct buf *buf, const struct route *route)
{
	char method[16];
	size_t i;

	for (i = 0; route->method[i] && i + 1 < sizeof(method); i++)
		method[i] = (char)(route->method[i] | 0x20);
	method[i] = '\0';
	json_put_key(buf, method);
	buf_putc(buf, '{');
	json_put_key(buf, "tags");
	buf_putc(buf, '[');
	json_put_string(buf, route->tag, strlen(route->tag));
	buf_putc(buf, ']');
	put_text(buf, "operationId", route->name);
	put_text(buf, "summary", route->about);
	put_parameters(buf, route);
	put_body(buf, route);
	put_answers(buf, route);
	put_security(buf, route);
	buf_putc(buf, '}');
}

/* Whether an earlier route of the table has this path, and so wrote this one already. */
static bool was_written(int number)
{
	for (int i = 0; i < number; i++) {
		if (strcmp(route_at(i)->path, route_at(number)->path) == 0)
			return true;
	}
	return false;
}

static void put_paths(struct buf *buf)
{
	int count = route_count();

	json_put_key(buf, "paths");
	buf_putc(buf, '{');
	for (int i = 0; i < count; i++) {
		if (was_written(i))
			continue;
		json_put_key(buf, route_at(i)->path);
		buf_putc(buf, '{');
		for (int j = i; j < count; j++) {
			if (strcmp(route_at(j)->path, route_at(i)->path) == 0)
				put_operation(buf, route_at(j));
		}
		buf_putc(buf, '}');
	}
	buf_putc(buf, '}');
}

struct named {
	const struct schema *schemas[SCHEMAS_MAX];
	int count;
};

static void note(const struct schema *schema, void *context)
{
	struct named *named = context;

	for (int i = 0; i < named->count; i++) {
		if (strcmp(named->schemas[i]->name, schema->name) == 0)
			return;
	}
	if (named->count < SCHEMAS_MAX)
		named->schemas[named->count++] = schema;
}

static void put_components(struct buf *buf)
{
	struct named named = {.count = 0};

	for (int i = 0; i < route_count(); i++) {
		const struct route *route = route_at(i);

		schema_visit(route->body_schema, note, &named);
		for (int j = 0; j < ROUTE_ANSWERS_MAX && route->answers[j].status; j++)
			schema_visit(route->answers[j].schema, note, &named);
	}
	buf_printf(buf, ",\"components\":{\"schemas\":{%s", error_schemas);
	for (int i = 0; i < named.count; i++) {
		json_put_key(buf, named.schemas[i]->name);
		schema_put(buf, named.schemas[i], false);
	}
	buf_puts(buf, "},\"responses\":{\"Error\":{\"description\":\"What is wrong\",\"content\":{\"application/json\":{\"schema\":"
		      "{\"$ref\":\"#/components/schemas/Error\"}},\"application/problem+json\":{\"schema\":{\"$ref\":"
		      "\"#/components/schemas/ProblemDetails\"}}}},\"EnvelopeError\":{\"description\":\"What is wrong\",\"content\":"
		      "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/EnvelopeError\"}}}}},"
		      "\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
		      "\"description\":\"HS256, from `adminctl token create`\"}}}");
}

/* Every tag once, in the order of the table. */
static void put_tags(struct buf *buf)
{
	const char *before = "";
	int count = 0;

	json_put_key(buf, "tags");
	buf_putc(buf, '[');
	for (int i = 0; i < route_count(); i++) {
		const char *tag = route_at(i)->tag;
		bool was_seen = strcmp(tag, before) == 0;

		for (int j = 0; j < i && !was_seen; j++)
			was_seen = strcmp(route_at(j)->tag, tag) == 0;
		before = tag;
		if (was_seen)
			continue;
		buf_puts(buf, count++ ? ",{" : "{");
		put_text(buf, "name", tag);
		buf_putc(buf, '}');
	}
	buf_putc(buf, ']');
}

int openapi_put(struct buf *buf)
{
	buf_puts(buf, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"tenantfs\",\"version\":\"" TENANTFS_VERSION "\",\"description\":"
		      "\"A multi-tenant file store that is a file system, over HTTP.\",\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"}},"
		      "\"servers\":[{\"url\":\"/\"}],\"security\":[{\"token\":[]}]");
	put_tags(buf);
	put_paths(buf);
	put_components(buf);
	return buf_putc(buf, '}');
}
