#include "extractd/worker/formats/pdf_facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum { OUTLINE_DEPTH_MAX = 16, OUTLINE_ITEMS_MAX = 5000, ATTACHMENT_MAX_BYTES = 64 << 20 };

static void put_property(struct sink *sink, const char *key, char *value)
{
	sink_metadata_text(sink, key, value);
	g_free(value);
}

static void put_time(struct sink *sink, const char *key, GDateTime *time)
{
	char *text;

	if (!time)
		return;
	text = g_date_time_format_iso8601(time);
	sink_metadata_text(sink, key, text);
	g_free(text);
	g_date_time_unref(time);
}

void pdf_put_properties(PopplerDocument *document, struct sink *sink)
{
	guint major = 0, minor = 0;
	char version[32];

	put_property(sink, "dc:title", poppler_document_get_title(document));
	put_property(sink, "dc:creator", poppler_document_get_author(document));
	put_property(sink, "dc:subject", poppler_document_get_subject(document));
	put_property(sink, "meta:keyword", poppler_document_get_keywords(document));
	put_property(sink, "xmp:CreatorTool", poppler_document_get_creator(document));
	put_property(sink, "pdf:Producer", poppler_document_get_producer(document));
	put_time(sink, "dcterms:created", poppler_document_get_creation_date_time(document));
	put_time(sink, "dcterms:modified", poppler_document_get_modification_date_time(document));
	poppler_document_get_pdf_version(document, &major, &minor);
	snprintf(version, sizeof(version), "%u.%u", major, minor);
	sink_metadata_text(sink, "pdf:PDFVersion", version);
	sink_metadata_number(sink, "xmpTPg:NPages", poppler_document_get_n_pages(document));
	sink_metadata_text(sink, "pdf:linearized", poppler_document_is_linearized(document) ? "true" : NULL);
}

/* Page number of a link's target in this document, 0 for none. */
static int target_page(const PopplerAction *action)
{
	if (action->type == POPPLER_ACTION_GOTO_DEST && action->goto_dest.dest)
		return action->goto_dest.dest->page_num;
	return 0;
}

static void put_outline_level(PopplerIndexIter *iterator, unsigned depth, unsigned *items, struct buf *json)
{
	bool is_first = true;

	do {
		PopplerAction *action = poppler_index_iter_get_action(iterator);
		PopplerIndexIter *child;

		if (!action)
			continue;
		if (!is_first)
			buf_putc(json, ',');
		is_first = false;
		buf_putc(json, '{');
		json_put_key(json, "title");
		json_put_string(json, action->any.title ? action->any.title : "",
				action->any.title ? strlen(action->any.title) : 0);
		if (target_page(action) > 0)
			buf_printf(json, ",\"page\":%d", target_page(action));
		poppler_action_free(action);
		child = depth < OUTLINE_DEPTH_MAX ? poppler_index_iter_get_child(iterator) : NULL;
		if (child) {
			buf_puts(json, ",\"children\":[");
			put_outline_level(child, depth + 1, items, json);
			buf_putc(json, ']');
			poppler_index_iter_free(child);
		}
		buf_putc(json, '}');
	} while (++*items < OUTLINE_ITEMS_MAX && poppler_index_iter_next(iterator));
}

void pdf_put_outline(PopplerDocument *document, struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(FRAME_PAYLOAD_MAX / 2);
	PopplerIndexIter *iterator = poppler_index_iter_new(document);
	unsigned items = 0;

	if (!iterator)
		return;
	buf_putc(&json, '[');
	put_outline_level(iterator, 0, &items, &json);
	buf_putc(&json, ']');
	poppler_index_iter_free(iterator);
	if (buf_error(&json) < 0)
		sink_warning(sink, "the outline is too large and was left out");
	else
		sink_data_member(sink, "outline", json.data, json.length);
}

static void begin_item(struct buf *array, int page_number)
{
	if (array->length > 0)
		buf_putc(array, ',');
	buf_printf(array, "{\"page\":%d", page_number);
}

void pdf_put_links(PopplerPage *page, int page_number, struct buf *links)
{
	GList *mapping = poppler_page_get_link_mapping(page);

	for (GList *item = mapping; item && buf_error(links) == 0; item = item->next) {
		const PopplerAction *action = ((PopplerLinkMapping *)item->data)->action;

		if (!action)
			continue;
		if (action->type == POPPLER_ACTION_URI && action->uri.uri) {
			begin_item(links, page_number);
			json_put_key(links, "uri");
			json_put_string(links, action->uri.uri, strlen(action->uri.uri));
			buf_putc(links, '}');
		} else if (target_page(action) > 0) {
			begin_item(links, page_number);
			buf_printf(links, ",\"target_page\":%d}", target_page(action));
		}
	}
	poppler_page_free_link_mapping(mapping);
}

static char *field_value(PopplerFormField *field)
{
	switch (poppler_form_field_get_field_type(field)) {
	case POPPLER_FORM_FIELD_TEXT:
		return poppler_form_field_text_get_text(field);
	case POPPLER_FORM_FIELD_BUTTON:
		return g_strdup(poppler_form_field_button_get_state(field) ? "true" : "false");
	case POPPLER_FORM_FIELD_CHOICE:
		return poppler_form_field_choice_get_text(field);
	default:
		return NULL;
	}
}

void pdf_put_fields(PopplerPage *page, int page_number, struct buf *fields)
{
	GList *mapping = poppler_page_get_form_field_mapping(page);

	for (GList *item = mapping; item && buf_error(fields) == 0; item = item->next) {
		PopplerFormField *field = ((PopplerFormFieldMapping *)item->data)->field;
		char *name = poppler_form_field_get_name(field);
		char *value = field_value(field);

		begin_item(fields, page_number);
		json_put_key(fields, "name");
		json_put_string(fields, name ? name : "", name ? strlen(name) : 0);
		if (value) {
			json_put_key(fields, "value");
			json_put_string(fields, value, strlen(value));
		}
		buf_putc(fields, '}');
		g_free(name);
		g_free(value);
	}
	poppler_page_free_form_field_mapping(mapping);
}

struct attachment_copy {
	struct sink *sink;
	struct buf bytes;
	int error;
};

static gboolean take_piece(const gchar *bytes, gsize length, gpointer context, GError **error)
{
	struct attachment_copy *copy = context;

	(void)error;
	copy->error = sink_charge(copy->sink, length);
	if (copy->error == 0)
		copy->error = buf_append(&copy->bytes, bytes, length);
	return copy->error == 0;
}

static int put_attachment(PopplerAttachment *attachment, struct extract_input *in, struct sink *sink, struct buf *json)
{
	struct attachment_copy copy = {.sink = sink, .bytes = BUF_INIT(ATTACHMENT_MAX_BYTES)};
	const char *name = attachment->name ? attachment->name : "attachment";
	GError *error = NULL;
	int r = 0;

	if (json->length > 0)
		buf_putc(json, ',');
	if (poppler_attachment_save_to_callback(attachment, take_piece, &copy, &error) && copy.error == 0) {
		r = extract_embedded(in, sink, name, copy.bytes.data, copy.bytes.length, json);
	} else {
		buf_putc(json, '{');
		json_put_key(json, "path");
		json_put_string(json, name, strlen(name));
		buf_puts(json, ",\"error\":\"could not be read\"}");
	}
	g_clear_error(&error);
	buf_release(&copy.bytes);
	return r;
}

int pdf_put_attachments(PopplerDocument *document, struct extract_input *in, struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(FRAME_PAYLOAD_MAX / 2), array = BUF_INIT(FRAME_PAYLOAD_MAX / 2 + 8);
	GList *attachments;
	int r = 0;

	if (!poppler_document_has_attachments(document))
		return 0;
	attachments = poppler_document_get_attachments(document);
	for (GList *item = attachments; item; item = item->next) {
		if (r >= 0 && buf_error(&json) == 0)
			r = put_attachment(item->data, in, sink, &json);
		g_object_unref(item->data);
	}
	g_list_free(attachments);
	buf_printf(&array, "[%s]", json.data);
	if (buf_error(&json) < 0 || buf_error(&array) < 0)
		sink_warning(sink, "the list of attachments is too long and was left out");
	else
		sink_data_member(sink, "attachments", array.data, array.length);
	return r < 0 ? r : 0;
}
