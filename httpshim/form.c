#include "httpshim/form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/request.h"
#include "shared/base/buf.h"

enum { FORM_FIELDS_MAX = 24 };

enum target { TARGET_NONE, TARGET_TEXT, TARGET_FILE };

struct form {
	struct request *request;
	const struct field *fields; /* the route's */
	struct buf texts[FORM_FIELDS_MAX];
	bool is_sent[FORM_FIELDS_MAX];
	size_t text_bytes;
	enum target target;
	int current; /* index of the field that is being read */
};

int form_new(struct request *request, struct form **ret_form)
{
	struct form *form = calloc(1, sizeof(*form));

	if (!form)
		return -ENOMEM;
	form->request = request;
	form->fields = request->route->body_schema->fields;
	for (int i = 0; i < FORM_FIELDS_MAX; i++)
		form->texts[i] = BUF_INIT(FORM_TEXT_BYTES_MAX);
	*ret_form = form;
	return 0;
}

void form_free(struct form *form)
{
	if (!form)
		return;
	for (int i = 0; i < FORM_FIELDS_MAX; i++)
		buf_release(&form->texts[i]);
	free(form);
}

static int find(const struct form *form, const char *name)
{
	for (int i = 0; form->fields[i].name; i++) {
		if (strcmp(form->fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* The answer is set; the number only stops the reader. */
static int refuse(struct form *form, const char *field, const char *message)
{
	answer_invalid(form->request, "body", field, message);
	return -ECANCELED;
}

static int begin(void *context, const struct multipart_part *part)
{
	struct form *form = context;
	const struct route_hooks *hooks = form->request->route->hooks;
	int r = 0;

	form->target = TARGET_NONE;
	form->current = find(form, part->name);
	if (form->current < 0)
		return 0;
	if (form->is_sent[form->current])
		return refuse(form, part->name, "Field sent twice");
	form->is_sent[form->current] = true;
	if (form->fields[form->current].type == FIELD_BINARY) {
		form->target = TARGET_FILE;
		if (hooks && hooks->part_begin)
			r = hooks->part_begin(form->request, part);
	} else {
		form->target = TARGET_TEXT;
	}
	return r;
}

static int take_text(struct form *form, const void *bytes, size_t length)
{
	form->text_bytes += length;
	if (form->text_bytes > FORM_TEXT_BYTES_MAX) {
		answer_error(form->request, 413, "The fields of the form are too long.");
		return -ECANCELED;
	}
	return buf_append(&form->texts[form->current], bytes, length);
}

static int data(void *context, const void *bytes, size_t length)
{
	struct form *form = context;
	const struct route_hooks *hooks = form->request->route->hooks;

	if (form->target == TARGET_TEXT)
		return take_text(form, bytes, length);
	if (form->target == TARGET_FILE && hooks && hooks->data)
		return hooks->data(form->request, bytes, length);
	return 0;
}

static int end(void *context)
{
	struct form *form = context;
	const struct route_hooks *hooks = form->request->route->hooks;
	enum target target = form->target;

	form->target = TARGET_NONE;
	if (target == TARGET_TEXT)
		return buf_append(&form->texts[form->current], "", 0);
	if (target == TARGET_FILE && hooks && hooks->part_end)
		return hooks->part_end(form->request);
	return 0;
}

const struct multipart_events form_events = {.begin = begin, .data = data, .end = end};

static int take_pair(struct form *form, const struct query_pair *pair)
{
	int index = find(form, pair->name);

	if (index < 0 || form->fields[index].type == FIELD_BINARY)
		return 0;
	if (form->is_sent[index])
		return refuse(form, pair->name, "Field sent twice");
	form->is_sent[index] = true;
	return buf_append(&form->texts[index], pair->value, pair->value_length);
}

int form_take_urlencoded(struct form *form, const char *text, size_t length)
{
	struct query query;
	int r = query_parse(text, length, &query);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < query.count; i++)
		r = take_pair(form, &query.pairs[i]);
	query_release(&query);
	return r;
}

const char *form_text(const struct form *form, const char *name, size_t *ret_length)
{
	int index = find(form, name);

	if (index < 0 || !form->is_sent[index] || form->fields[index].type == FIELD_BINARY)
		return NULL;
	if (ret_length)
		*ret_length = form->texts[index].length;
	return form->texts[index].data ? form->texts[index].data : "";
}

bool form_check(struct form *form)
{
	struct problems problems = {0};

	for (int i = 0; form->fields[i].name; i++) {
		const struct field *field = &form->fields[i];
		const char *text;
		size_t length;

		if (!form->is_sent[i]) {
			if (field->flags & FIELD_REQUIRED)
				problems_add(&problems, "body", field->name, "missing", "Field required");
			continue;
		}
		text = form_text(form, field->name, &length);
		/* An empty field of a form is one that was left out. */
		if (text && (length > 0 || field->flags & FIELD_REQUIRED))
			schema_check_text(field, text, length, "body", &problems);
	}
	if (!problems.list)
		return true;
	answer_problems(form->request, &problems);
	return false;
}
