#include "httpshim/body_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/form.h"
#include "httpshim/header_value.h"
#include "httpshim/multipart.h"
#include "httpshim/request.h"
#include "httpshim/request_handle.h"

struct body_reader {
	struct buf text; /* JSON and urlencoded */
	struct multipart *multipart;
	struct form *form;
	bool was_abandoned;
};

void body_reader_free(struct body_reader *reader)
{
	if (!reader)
		return;
	buf_release(&reader->text);
	multipart_free(reader->multipart);
	form_free(reader->form);
	free(reader);
}

static bool is_multipart(const struct request *request)
{
	const char *type = request_header(request, HEADER_CONTENT_TYPE);

	return type && header_value_is(type, "multipart/form-data");
}

static int start_form(struct request *request, struct body_reader *reader)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	int r;

	r = form_new(request, &reader->form);
	if (r < 0 || !is_multipart(request))
		return r;
	r = multipart_boundary(request_header(request, HEADER_CONTENT_TYPE), boundary);
	if (r < 0)
		return r;
	return multipart_new(boundary, &form_events, reader->form, &reader->multipart);
}

/* Before the first byte: the tenant, and what the body will be read as. False: the answer is set. */
static bool start(struct request *request)
{
	struct body_reader *reader;
	int r = 0;

	/* A JSON body may name the tenant itself. */
	if (request->route->body != ROUTE_BODY_JSON && !request_prepare(request))
		return false;
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		answer_errno(request, -ENOMEM);
		return false;
	}
	reader->text = BUF_INIT(ROUTE_BODY_BYTES);
	request->body.reader = reader;
	if (request->route->body == ROUTE_BODY_FORM)
		r = start_form(request, reader);
	if (r < 0)
		answer_errno(request, r);
	return r == 0;
}

/* A negative errno of a reader or a hook; -ECANCELED: the answer is set already. */
static bool fail(struct request *request, int error)
{
	if (error == -EOVERFLOW)
		answer_errorf(request, 413, "The body is larger than %d bytes.", ROUTE_BODY_BYTES);
	else if (error == -EBADMSG || error == -E2BIG)
		answer_errorf(request, 400, "The form is malformed: %s.", multipart_reason(request->body.reader->multipart));
	else if (error != -ECANCELED)
		answer_errno(request, error);
	return false;
}

bool body_reader_take(struct request *request, const char *bytes, size_t length)
{
	struct body_reader *reader = request->body.reader;
	const struct route *route = request->route;
	int r = 0;

	if (!reader && !start(request))
		return false;
	reader = request->body.reader;
	if (length == 0 || route->body == ROUTE_BODY_NONE)
		return true;
	if (reader->multipart)
		r = multipart_feed(reader->multipart, bytes, length);
	else if (route->body == ROUTE_BODY_STREAM)
		r = route->hooks->data(request, bytes, length);
	else
		r = buf_append(&reader->text, bytes, length);
	return r < 0 ? fail(request, r) : true;
}

static bool finish_json(struct request *request)
{
	struct buf *text = &request->body.reader->text;
	json_error_t error;

	if (text->length == 0 && request->route->flags & ROUTE_BODY_OPTIONAL)
		return true;
	request->json = json_loadb(text->data ? text->data : "", text->length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
				   &error);
	buf_release(text);
	if (!request->json) {
		problems_add(&request->problems, "body", NULL, "json_invalid", "JSON decode error");
		answer_problems(request, &request->problems);
		return false;
	}
	if (request->route->body_schema)
		schema_check(request->route->body_schema, request->json, "body", &request->problems);
	if (!request->problems.list)
		return true;
	answer_problems(request, &request->problems);
	return false;
}

static bool finish_form(struct request *request)
{
	struct body_reader *reader = request->body.reader;
	int r;

	if (reader->multipart)
		r = multipart_finish(reader->multipart);
	else
		r = form_take_urlencoded(reader->form, reader->text.data ? reader->text.data : "", reader->text.length);
	if (r == -EBADMSG || (r == -E2BIG && reader->multipart))
		return fail(request, r);
	if (r == -EINVAL || r == -E2BIG) {
		answer_error(request, 400, "The form is malformed.");
		return false;
	}
	return r < 0 ? fail(request, r) : form_check(reader->form);
}

void body_reader_finish(struct request *request)
{
	bool is_good = true;

	if (request->route->body == ROUTE_BODY_JSON)
		is_good = finish_json(request);
	else if (request->route->body == ROUTE_BODY_FORM)
		is_good = finish_form(request);
	if (is_good) {
		request_handle(request);
		return;
	}
	body_reader_abandon(request);
	request_answer(request);
}

void body_reader_abandon(struct request *request)
{
	struct body_reader *reader = request->body.reader;
	const struct route_hooks *hooks = request->route ? request->route->hooks : NULL;

	if (!reader || reader->was_abandoned)
		return;
	reader->was_abandoned = true;
	if (hooks && hooks->abandon)
		hooks->abandon(request);
}

const char *body_form_text(const struct request *request, const char *name, size_t *ret_length)
{
	if (!request->body.reader || !request->body.reader->form)
		return NULL;
	return form_text(request->body.reader->form, name, ret_length);
}
