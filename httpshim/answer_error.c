/* Errors, in the three shapes that clients know: FastAPI's detail, RFC 9457, and the envelope of the chunked uploads. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/answer.h"
#include "httpshim/header_value.h"
#include "httpshim/request.h"
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/base/text.h"

static const char envelope_path[] = "/api/v1/file/";

bool answer_is_enveloped(const struct request *request)
{
	return strncmp(request->target, envelope_path, sizeof(envelope_path) - 1) == 0;
}

static const char *title(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	case 507:
		return "Insufficient Storage";
	default:
		return status >= 500 ? "Internal Server Error" : "Error";
	}
}

static void put_envelope(struct buf *buf, const char *detail, const json_t *list)
{
	size_t index;
	const json_t *problem;

	buf_puts(buf, "{\"errors\":[");
	json_array_foreach((json_t *)(uintptr_t)list, index, problem)
	{
		const json_t *loc = json_object_get(problem, "loc"), *part;
		autobuf struct buf text = BUF_INIT(4096);
		size_t i;

		buf_putc(&text, '[');
		json_array_foreach((json_t *)(uintptr_t)loc, i, part)
		{
			buf_puts(&text, i ? "->" : "");
			if (json_is_string(part))
				buf_puts(&text, json_string_value(part));
			else
				buf_printf(&text, "%lld", (long long)json_integer_value(part));
		}
		buf_printf(&text, "] %s", json_string_value(json_object_get(problem, "msg")));
		buf_puts(buf, index ? "," : "");
		json_put_string(buf, text.data, text.length);
	}
	buf_puts(buf, "],\"message\":");
	json_put_string(buf, detail ? detail : "", detail ? strlen(detail) : 0);
	buf_puts(buf, ",\"success\":false}");
}

static void put_list(struct buf *buf, const json_t *list)
{
	char *text autofree = json_dumps(list, JSON_COMPACT);

	buf_puts(buf, text ? text : "[]");
}

/* detail is text, or NULL when there is a list of problems. */
static int put_error(struct request *request, int status, const char *detail, const json_t *list)
{
	bool is_problem = !answer_is_enveloped(request) &&
			  header_accepts(request_header(request, HEADER_ACCEPT), "application/problem+json");
	struct buf *buf = answer_begin(request, status, is_problem ? "application/problem+json" : "application/json");

	if (answer_is_enveloped(request)) {
		put_envelope(buf, detail, list);
		return answer_end(request);
	}
	buf_putc(buf, '{');
	if (is_problem) {
		buf_printf(buf, "\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d", title(status), status);
		json_put_key(buf, "instance");
		json_put_string(buf, request->id, strlen(request->id));
	}
	json_put_key(buf, list && is_problem ? "errors" : "detail");
	if (list)
		put_list(buf, list);
	else
		json_put_string(buf, detail, strlen(detail));
	buf_putc(buf, '}');
	return answer_end(request);
}

int answer_error(struct request *request, int status, const char *detail)
{
	put_error(request, status, detail, NULL);
	if (status == 503 || status == 429)
		answer_header_number(request, "Retry-After", RETRY_AFTER_S);
	return 0;
}

int answer_errorf(struct request *request, int status, const char *format, ...)
{
	char detail[1024];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	/* A name in it may have been cut in the middle of a character. */
	length = strlen(detail);
	detail[utf8_cut(detail, length, length)] = '\0';
	return answer_error(request, status, detail);
}

int answer_problems(struct request *request, struct problems *problems)
{
	put_error(request, 422, NULL, problems->list);
	problems_release(problems);
	return 0;
}

int answer_invalid(struct request *request, const char *where, const char *field, const char *message)
{
	struct problems problems = {0};

	problems_add(&problems, where, field, "value_error", message);
	return answer_problems(request, &problems);
}

int answer_unavailable(struct request *request, const char *what)
{
	return answer_errorf(request, 503, "%s is not available at the moment.", what);
}

int answer_errno(struct request *request, int error)
{
	switch (error) {
	case -ENOENT:
		return answer_error(request, 404, "Not Found");
	case -EEXIST:
		return answer_error(request, 409, "This name is taken.");
	case -EACCES:
		return answer_error(request, 403, "The tenant is not active, or does not allow this.");
	case -EPERM:
		return answer_error(request, 422, "A rule of the tenant refused it.");
	case -EFBIG:
		return answer_error(request, 413, "The file is larger than the tenant allows.");
	case -EDQUOT:
		return answer_error(request, 507, "The tenant's quota is used up.");
	case -ENOSPC:
		return answer_error(request, 507, "The storage is full.");
	case -EAGAIN:
	case -ETIMEDOUT:
		return answer_unavailable(request, "The database");
	case -ENOTCONN:
	case -ENODEV:
	case -ESTALE:
	case -EIO:
	case -EROFS:
	case -ECONNABORTED:
		log_warn("the file system is not available", "request_id", request->id, "error", log_errno(error));
		return answer_unavailable(request, "The file system");
	case -ENOMEM:
		return answer_unavailable(request, "Memory");
	case -EOVERFLOW:
		return answer_error(request, 500, "The answer is too large.");
	default:
		log_error("request failed", "request_id", request->id, "path", request->target, "error", log_errno(error));
		return answer_error(request, 500, "Internal Server Error");
	}
}
