/* GET /openapi.json. */
#include <errno.h>
#include <pthread.h>
#include "httpshim/openapi.h"
#include "httpshim/request.h"
#include "shared/base/cleanup.h"

enum { DOCUMENT_BYTES_MAX = 4 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards document */
static struct shared_bytes *document;			 /* written once; lives as long as the program */

static struct shared_bytes *written(void)
{
	autobuf struct buf text = BUF_INIT(DOCUMENT_BYTES_MAX);
	struct shared_bytes *bytes;

	pthread_mutex_lock(&lock);
	if (!document && openapi_put(&text) == 0)
		document = shared_bytes_new(text.data, text.length);
	bytes = document;
	pthread_mutex_unlock(&lock);
	return bytes;
}

static int openapi(struct request *request)
{
	struct shared_bytes *bytes = written();

	if (!bytes)
		return -ENOMEM;
	answer_shared(request, 200, "application/json", bytes);
	answer_header(request, "Cache-Control", "no-cache");
	return 0;
}

static bool openapi_fast(struct request *request)
{
	return openapi(request) == 0;
}

static const struct schema document_schema = {.type = FIELD_OBJECT};

const struct route document_routes[] = {
	{.method = "GET", .path = "/openapi.json", .handler = openapi, .fast = openapi_fast, .tag = "Page", .name = "openapi",
	 .about = "This document", .answers = {{200, &document_schema, "OpenAPI 3.1", NULL}}},
	{0},
};
