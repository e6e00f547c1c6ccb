/* GET / and the files of the page. */
#include <errno.h>
#include "httpshim/page_files.h"
#include "httpshim/request.h"

static int index_page(struct request *request)
{
	return page_files_answer(request, "index.html");
}

static bool index_fast(struct request *request)
{
	return index_page(request) == 0;
}

static int file(struct request *request)
{
	return page_files_answer(request, request_param(request, "name"));
}

static bool file_fast(struct request *request)
{
	return file(request) == 0;
}

static int docs_page(struct request *request)
{
	return page_files_answer(request, "docs.html");
}

static bool docs_fast(struct request *request)
{
	return docs_page(request) == 0;
}

static const struct schema html_schema = {.type = FIELD_STRING};

const struct route page_routes[] = {
	{.method = "GET", .path = "/", .handler = index_page, .fast = index_fast, .tag = "Page", .name = "page", .about = "The page for people",
	 .answers = {{200, &html_schema, "HTML", "text/html"}, {304, NULL, "What the client has is current", "text/html"}}},
	{.method = "GET", .path = "/page/{name}", .handler = file, .fast = file_fast, .tag = "Page", .name = "pageFile",
	 .about = "A file of the page", .answers = {{200, &html_schema, "The file", "text/javascript"},
						    {304, NULL, "What the client has is current", "text/javascript"}}},
	{.method = "GET", .path = "/docs", .handler = docs_page, .fast = docs_fast, .tag = "Page", .name = "docs",
	 .about = "This API, to read and to try", .answers = {{200, &html_schema, "HTML", "text/html"},
							      {304, NULL, "What the client has is current", "text/html"}}},
	{0},
};
