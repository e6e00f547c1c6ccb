#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "httpshim/route.h"
#include "httpshim/schema.h"
#include "shared/base/buf.h"

static const struct field inner_fields[] = {{.name = "n", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED}, {0}};
static const struct schema inner = {.name = "Inner", .type = FIELD_OBJECT, .fields = inner_fields};
static const struct schema text_item = {.type = FIELD_STRING};
static const struct field fields[] = {
	{.name = "name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 5},
	{.name = "age", .type = FIELD_INTEGER, .minimum = 0, .maximum = 150},
	{.name = "kind", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .words = "a|b"},
	{.name = "tags", .type = FIELD_ARRAY, .maximum = 2, .of = &text_item},
	{.name = "inner", .type = FIELD_OBJECT, .of = &inner},
	{.name = "at", .type = FIELD_TIME},
	{0},
};
static const struct schema open_schema = {.name = "Outer", .type = FIELD_OBJECT, .fields = fields, .flags = FIELD_OPEN};
static const struct schema closed_schema = {.name = "Outer", .type = FIELD_OBJECT, .fields = fields};

/* The problems of a text as JSON, "" for none. */
static char *problems_of(const struct schema *schema, const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	struct problems problems = {0};
	char *told;

	assert_non_null(value);
	schema_check(schema, value, "body", &problems);
	told = problems.list ? json_dumps(problems.list, JSON_COMPACT) : strdup("");
	json_decref(value);
	problems_release(&problems);
	return told;
}

static void expect_fine(const char *text)
{
	char *told = problems_of(&open_schema, text);

	assert_string_equal(told, "");
	free(told);
}

static void expect_problem(const char *text, const char *part)
{
	char *told = problems_of(&open_schema, text);

	assert_non_null(strstr(told, part));
	free(told);
}

static void what_fits_has_no_problem(void **state)
{
	(void)state;
	expect_fine("{\"name\":\"x\",\"age\":3,\"kind\":null,\"tags\":[\"t\"],\"inner\":{\"n\":1},\"more\":true}");
	expect_fine("{\"name\":\"x\",\"kind\":\"b\",\"at\":\"2026-11-03T10:22:31.5+01:00\"}");
}

static void every_problem_is_told_with_its_place(void **state)
{
	(void)state;
	expect_problem("{}", "{\"loc\":[\"body\",\"name\"],\"msg\":\"Field required\",\"type\":\"missing\"}");
	expect_problem("{\"name\":5}", "[\"body\",\"name\"],\"msg\":\"Input should be a valid string\"");
	expect_problem("{\"name\":\"\"}", "string_too_short");
	expect_problem("{\"name\":\"123456\"}", "string_too_long");
	expect_problem("{\"name\":\"x\",\"age\":151}", "less_than_equal");
	expect_problem("{\"name\":\"x\",\"age\":1.5}", "int_type");
	expect_problem("{\"name\":\"x\",\"kind\":\"c\"}", "enum");
	expect_problem("{\"name\":\"x\",\"tags\":[\"a\",5]}", "[\"body\",\"tags\",1]");
	expect_problem("{\"name\":\"x\",\"tags\":[\"a\",\"b\",\"c\"]}", "too_long");
	expect_problem("{\"name\":\"x\",\"inner\":{}}", "[\"body\",\"inner\",\"n\"]");
	expect_problem("{\"name\":\"x\",\"at\":\"2026-02-30\"}", "datetime_parsing");
	expect_problem("[]", "[\"body\"],\"msg\":\"Input should be a valid object\"");
}

static void a_closed_object_refuses_what_it_does_not_know(void **state)
{
	char *told = problems_of(&closed_schema, "{\"name\":\"x\",\"more\":1}");

	(void)state;
	assert_non_null(strstr(told, "extra_forbidden"));
	free(told);
}

static void texts_of_queries_and_forms_are_checked_alike(void **state)
{
	struct problems problems = {0};

	(void)state;
	schema_check_text(&fields[1], "12", 2, "query", &problems);
	assert_null(problems.list);
	schema_check_text(&fields[1], "1x", 2, "query", &problems);
	schema_check_text(&fields[1], "151", 3, "query", &problems);
	schema_check_text(&fields[2], "c", 1, "query", &problems);
	assert_int_equal(json_array_size(problems.list), 3);
	problems_release(&problems);
}

static void times_are_read_with_their_offset(void **state)
{
	int64_t time_ns;

	(void)state;
	assert_int_equal(schema_time_parse("1970-01-01T00:00:01.25Z", &time_ns), 0);
	assert_int_equal(time_ns, 1250000000);
	assert_int_equal(schema_time_parse("1970-01-01T01:00:00+01:00", &time_ns), 0);
	assert_int_equal(time_ns, 0);
	assert_int_equal(schema_time_parse("1970-01-02", &time_ns), 0);
	assert_int_equal(time_ns, 86400LL * 1000000000);
	assert_int_equal(schema_time_parse("1970-01-01T00:00", &time_ns), -EINVAL);
	assert_int_equal(schema_time_parse("1970-13-01", &time_ns), -EINVAL);
	assert_int_equal(schema_time_parse("now", &time_ns), -EINVAL);
}

static void a_schema_writes_itself(void **state)
{
	autobuf struct buf buf = BUF_INIT(8192);

	(void)state;
	schema_put(&buf, &closed_schema, false);
	assert_int_equal(buf_error(&buf), 0);
	json_t *json = json_loads(buf.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "type")), "object");
	assert_non_null(strstr(buf.data, "\"inner\":{\"$ref\":\"#/components/schemas/Inner\"}"));
	assert_non_null(strstr(buf.data, "\"enum\":[\"a\",\"b\",null]"));
	json_decref(json);
}

/* --- routes --- */

static const char *name_of(const char *method, const char *path)
{
	struct route_match match;

	return route_find(method, path, strlen(path), &match) == 0 ? match.route->name : "";
}

static void a_path_finds_its_route_with_and_without_a_slash_at_the_end(void **state)
{
	(void)state;
	assert_string_equal(name_of("GET", "/api/v1/files"), "listDatasets");
	assert_string_equal(name_of("GET", "/api/v1/files/"), "listDatasets");
	assert_string_equal(name_of("POST", "/api/v1/files/upload"), "uploadFile");
	assert_string_equal(name_of("POST", "/api/v1/files/upload/"), "uploadFile");
	assert_string_equal(name_of("GET", "/api/v1/files/upload"), "getFile");
	assert_string_equal(name_of("GET", "/api/v1/files/active/x"), "getActiveFile");
	assert_string_equal(name_of("GET", "/api/v1/files/x/download"), "downloadFile");
	assert_string_equal(name_of("HEAD", "/api/v1/files/x"), "getFile");
	assert_string_equal(name_of("GET", "/"), "page");
	assert_string_equal(name_of("GET", "//"), "");
	assert_string_equal(name_of("GET", "/api//v1/files"), "");
	assert_string_equal(name_of("GET", "/api/v1/files//"), "");
	assert_string_equal(name_of("GET", "api/v1/files"), "");
	assert_string_equal(name_of("GET", ""), "");
}

static void parameters_are_decoded_a_segment_at_a_time(void **state)
{
	struct route_match match;

	(void)state;
	assert_int_equal(route_find("GET", "/api/v1/files/a%20b", 19, &match), 0);
	assert_string_equal(route_param(&match, "file_id"), "a b");
	assert_int_equal(route_find("GET", "/api/v1/files/..%2f..%2fetc", 27, &match), -EINVAL);
	assert_int_equal(route_find("GET", "/api/v1/files/a%00", 18, &match), -EINVAL);
	assert_int_equal(route_find("DELETE", "/api/v1/tenants", 15, &match), -ENOTSUP);
	assert_int_equal(match.allowed, ROUTE_GET | ROUTE_HEAD | ROUTE_POST);
}

/* What the document and the tests that walk it count on. */
static void every_route_is_whole(void **state)
{
	(void)state;
	for (int i = 0; i < route_count(); i++) {
		const struct route *route = route_at(i);

		assert_non_null(route->handler);
		assert_non_null(route->name);
		assert_non_null(route->tag);
		assert_non_null(route->about);
		assert_true(route->answers[0].status >= 200);
		assert_true(route_method_bit(route->method) != 0);
		assert_true(route->body == ROUTE_BODY_NONE || route->body_schema != NULL);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(route->name, route_at(j)->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_has_no_problem),
		cmocka_unit_test(every_problem_is_told_with_its_place),
		cmocka_unit_test(a_closed_object_refuses_what_it_does_not_know),
		cmocka_unit_test(texts_of_queries_and_forms_are_checked_alike),
		cmocka_unit_test(times_are_read_with_their_offset),
		cmocka_unit_test(a_schema_writes_itself),
		cmocka_unit_test(a_path_finds_its_route_with_and_without_a_slash_at_the_end),
		cmocka_unit_test(parameters_are_decoded_a_segment_at_a_time),
		cmocka_unit_test(every_route_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
