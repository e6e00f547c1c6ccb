/*
 * E-mail (RFC 5322, mbox) through GMime: headers and addresses as data, the body as text, every attachment and every
 * mail within through the table of extractors. Of alternatives the plain one is read, unless there is only HTML.
 */
#include <errno.h>
#include <gmime/gmime.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum {
	PART_MAX_BYTES = 128 << 20,
	LIST_MAX_BYTES = FRAME_PAYLOAD_MAX / 3,
	NESTING_MAX = 64,
	HEADER_MAX_BYTES = 64 << 10
};

struct mail {
	struct extract_input *in;
	struct sink *sink;
	struct buf attachments;
	unsigned parts;
	bool is_full;
};

static int preload(bool is_ocr)
{
	(void)is_ocr;
	g_mime_init();
	return 0;
}

static void put_addresses(struct buf *json, const char *key, InternetAddressList *list)
{
	bool is_first = true;

	if (!list || internet_address_list_length(list) == 0)
		return;
	json_put_key(json, key);
	buf_putc(json, '[');
	for (int i = 0; i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		const char *name = internet_address_get_name(address);
		const char *mailbox = INTERNET_ADDRESS_IS_MAILBOX(address)
					      ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address))
					      : NULL;

		if (!is_first)
			buf_putc(json, ',');
		is_first = false;
		buf_putc(json, '{');
		if (name) {
			json_put_key(json, "name");
			json_put_string(json, name, strlen(name));
		}
		if (mailbox) {
			json_put_key(json, "address");
			json_put_string(json, mailbox, strlen(mailbox));
		}
		buf_putc(json, '}');
	}
	buf_putc(json, ']');
}

static char *addresses_text(InternetAddressList *list)
{
	return list ? internet_address_list_to_string(list, NULL, FALSE) : NULL;
}

static void put_text_member(struct buf *json, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	json_put_key(json, key);
	json_put_string(json, value, strlen(value));
}

static char *date_text(GMimeMessage *message)
{
	GDateTime *date = g_mime_message_get_date(message);

	return date ? g_date_time_format_iso8601(date) : NULL;
}

/* What a reader sees above a mail, as text too, so that it is found by who wrote to whom. */
static int put_heading(GMimeMessage *message, struct sink *sink)
{
	static const struct {
		const char *label;
		GMimeAddressType type;
	} lines[] = {{"From", GMIME_ADDRESS_TYPE_FROM}, {"To", GMIME_ADDRESS_TYPE_TO}, {"Cc", GMIME_ADDRESS_TYPE_CC}};
	const char *subject = g_mime_message_get_subject(message);
	char *date = date_text(message);
	int r = subject ? sink_printf(sink, "# %s\n\n", subject) : 0;

	for (size_t i = 0; i < G_N_ELEMENTS(lines) && r >= 0; i++) {
		char *text = addresses_text(g_mime_message_get_addresses(message, lines[i].type));

		if (text && *text)
			r = sink_printf(sink, "%s: %s\n", lines[i].label, text);
		g_free(text);
	}
	if (r >= 0)
		r = sink_printf(sink, "%s%s\n\n", date ? "Date: " : "", date ? date : "");
	g_free(date);
	return r < 0 ? r : 0;
}

static void put_headers(GMimeMessage *message, struct buf *json)
{
	char *date = date_text(message);

	buf_putc(json, '{');
	put_text_member(json, "subject", g_mime_message_get_subject(message));
	put_text_member(json, "date", date);
	put_text_member(json, "message_id", g_mime_message_get_message_id(message));
	put_text_member(json, "in_reply_to", g_mime_object_get_header(GMIME_OBJECT(message), "In-Reply-To"));
	put_addresses(json, "from", g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_FROM));
	put_addresses(json, "to", g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_TO));
	put_addresses(json, "cc", g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_CC));
	put_addresses(json, "bcc", g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_BCC));
	put_addresses(json, "reply_to", g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_REPLY_TO));
	buf_putc(json, '}');
	g_free(date);
}

static void put_metadata(GMimeMessage *message, struct sink *sink)
{
	char *from = addresses_text(g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_FROM));
	char *to = addresses_text(g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_TO));
	char *date = date_text(message);

	sink_metadata_text(sink, "dc:title", g_mime_message_get_subject(message));
	sink_metadata_text(sink, "dc:creator", from);
	sink_metadata_text(sink, "message:to", to);
	sink_metadata_text(sink, "dcterms:created", date);
	sink_metadata_text(sink, "message:id", g_mime_message_get_message_id(message));
	g_free(from);
	g_free(to);
	g_free(date);
}

/* A part's content, its transfer encoding undone, charged. 0; 1: too large. */
static int take_content(struct mail *mail, GMimePart *part, struct buf *ret_bytes)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *memory = g_mime_stream_mem_new();
	GByteArray *bytes;
	int r = 0;

	if (content && g_mime_data_wrapper_write_to_stream(content, memory) < 0)
		sink_warning(mail->sink, "a part of the mail is damaged");
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
	r = sink_charge(mail->sink, bytes->len);
	if (r == 0 && bytes->len > PART_MAX_BYTES)
		r = 1;
	if (r == 0)
		r = buf_append(ret_bytes, bytes->data, bytes->len);
	g_object_unref(memory);
	return r == -EFBIG ? 1 : r;
}

static int put_body(struct mail *mail, GMimePart *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));

	if (g_mime_content_type_is_type(type, "text", "plain")) {
		char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
		int r = text ? sink_puts(mail->sink, text) : 0;

		g_free(text);
		return r < 0 ? r : sink_puts(mail->sink, "\n");
	}
	autobuf struct buf bytes = BUF_INIT(PART_MAX_BYTES), unused = BUF_INIT(LIST_MAX_BYTES);
	int r = take_content(mail, part, &bytes);

	if (r != 0)
		return r < 0 ? r : 0;
	r = extract_embedded(mail->in, mail->sink, "body", bytes.data, bytes.length, &unused);
	return r < 0 ? r : 0;
}

static void keep_attachment(struct mail *mail, const struct buf *json)
{
	size_t before = mail->attachments.length;

	if (mail->is_full)
		return;
	if (before > 0)
		buf_putc(&mail->attachments, ',');
	buf_append(&mail->attachments, json->data, json->length);
	if (buf_error(&mail->attachments) == 0 && buf_error(json) == 0)
		return;
	mail->attachments.length = before;
	mail->attachments.error = 0;
	mail->is_full = true;
	sink_warning(mail->sink, "the list of attachments is too long and was cut");
}

static int put_embedded(struct mail *mail, const char *name, const char *bytes, size_t length)
{
	autobuf struct buf json = BUF_INIT(LIST_MAX_BYTES);
	int r = sink_printf(mail->sink, "\n## %s\n\n", name);

	if (r >= 0)
		r = extract_embedded(mail->in, mail->sink, name, bytes, length, &json);
	if (r >= 0)
		keep_attachment(mail, &json);
	return r < 0 ? r : 0;
}

static int put_attachment(struct mail *mail, GMimePart *part)
{
	autobuf struct buf bytes = BUF_INIT(PART_MAX_BYTES);
	const char *name = g_mime_part_get_filename(part);
	int r = take_content(mail, part, &bytes);

	if (r != 0) {
		if (r == 1)
			sink_warning(mail->sink, "an attachment is too large and was not read");
		return r < 0 ? r : 0;
	}
	return put_embedded(mail, name ? name : "attachment", bytes.data, bytes.length);
}

static int put_inner_mail(struct mail *mail, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	char *text = message ? g_mime_object_to_string(GMIME_OBJECT(message), NULL) : NULL;
	int r = 0;

	if (text) {
		r = sink_charge(mail->sink, strlen(text));
		if (r == 0)
			r = put_embedded(mail, "message.eml", text, strlen(text));
		else if (r == -EFBIG)
			r = 0;
	}
	g_free(text);
	return r;
}

static bool is_body(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *disposition = g_mime_object_get_disposition(object);

	return g_mime_content_type_is_type(type, "text", "*") &&
	       !(disposition && g_ascii_strcasecmp(disposition, "attachment") == 0) &&
	       (g_mime_content_type_is_type(type, "text", "plain") ||
		g_mime_content_type_is_type(type, "text", "html"));
}

static int walk(struct mail *mail, GMimeObject *object, unsigned nesting);

/* The plain one of several forms of the same text, else the last, which is the richest. */
static GMimeObject *choose_alternative(GMimeMultipart *multipart)
{
	int count = g_mime_multipart_get_count(multipart);

	for (int i = 0; i < count; i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);

		if (g_mime_content_type_is_type(g_mime_object_get_content_type(part), "text", "plain"))
			return part;
	}
	return count > 0 ? g_mime_multipart_get_part(multipart, count - 1) : NULL;
}

static int walk_multipart(struct mail *mail, GMimeMultipart *multipart, unsigned nesting)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
	int r = 0;

	if (nesting >= NESTING_MAX) {
		sink_warning(mail->sink, "the mail is nested too deeply; the inner parts were left out");
		return 0;
	}
	if (g_mime_content_type_is_type(type, "multipart", "alternative")) {
		GMimeObject *part = choose_alternative(multipart);

		return part ? walk(mail, part, nesting + 1) : 0;
	}
	for (int i = 0; i < g_mime_multipart_get_count(multipart) && r == 0; i++)
		r = walk(mail, g_mime_multipart_get_part(multipart, i), nesting + 1);
	return r;
}

static int walk(struct mail *mail, GMimeObject *object, unsigned nesting)
{
	int r = 0;

	if (sink_should_stop(mail->sink))
		return -ETIME;
	if (++mail->parts > mail->in->limits->entries)
		return 0;
	if (GMIME_IS_MULTIPART(object))
		r = walk_multipart(mail, GMIME_MULTIPART(object), nesting);
	else if (GMIME_IS_MESSAGE_PART(object))
		r = put_inner_mail(mail, GMIME_MESSAGE_PART(object));
	else if (GMIME_IS_PART(object))
		r = is_body(object) && GMIME_IS_TEXT_PART(object) ? put_body(mail, GMIME_PART(object))
								  : put_attachment(mail, GMIME_PART(object));
	return r < 0 ? r : 0;
}

static int put_message(struct mail *mail, GMimeMessage *message, struct buf *headers)
{
	GMimeObject *part = g_mime_message_get_mime_part(message);
	int r = put_heading(message, mail->sink);

	if (headers->length > 0)
		buf_putc(headers, ',');
	put_headers(message, headers);
	if (r == 0 && part)
		r = walk(mail, part, 0);
	return r;
}

static int read_messages(struct mail *mail, GMimeParser *parser, bool is_mbox, struct buf *headers)
{
	int64_t count = 0;
	int r = 0;

	do {
		GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

		if (!message)
			break;
		if (count++ == 0 && !is_mbox)
			put_metadata(message, mail->sink);
		if (is_mbox)
			r = sink_page(mail->sink);
		if (r >= 0)
			r = put_message(mail, message, headers);
		g_object_unref(message);
	} while (r == 0 && is_mbox && !g_mime_parser_eos(parser));
	if (count == 0)
		return sink_error(mail->sink, "corrupt: no mail could be read");
	if (is_mbox)
		sink_metadata_number(mail->sink, "mbox:messages", count);
	return r;
}

static void put_list(struct sink *sink, const char *key, const struct buf *members)
{
	autobuf struct buf array = BUF_INIT(LIST_MAX_BYTES + 8);

	if (members->length == 0)
		return;
	buf_printf(&array, "[%s]", members->data);
	if (buf_error(members) < 0 || buf_error(&array) < 0)
		sink_warning(sink, "the list of %s is too long and was left out", key);
	else
		sink_data_member(sink, key, array.data, array.length);
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct mail mail = {.in = in, .sink = sink, .attachments = BUF_INIT(LIST_MAX_BYTES)};
	autobuf struct buf headers = BUF_INIT(LIST_MAX_BYTES);
	bool is_mbox = strcmp(in->media_type, "application/mbox") == 0;
	const uint8_t *bytes = input_bytes(in);
	GMimeStream *stream;
	GMimeParser *parser;
	int r;

	if (!bytes)
		return -ENOMEM;
	stream = g_mime_stream_mem_new_with_buffer((const char *)bytes, in->size_bytes);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_format(parser, is_mbox ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);
	r = read_messages(&mail, parser, is_mbox, &headers);
	g_object_unref(parser);
	g_object_unref(stream);
	put_list(sink, "messages", &headers);
	put_list(sink, "attachments", &mail.attachments);
	buf_release(&mail.attachments);
	return r < 0 ? r : 0;
}

static const char *const media_types[] = {"message/rfc822", "message/news", "application/mbox", NULL};

const struct extractor extractor_email = {
	.name = "email", .version = 1, .media_types = media_types, .preload = preload, .extract = extract};
