#include "extractd/worker/formats/ole.h"

#include <errno.h>
#include <string.h>

int ole_preload(void)
{
	gsf_init();
	return 0;
}

int ole_open(struct extract_input *in, GsfInfile **ret_file)
{
	const uint8_t *bytes = input_bytes(in);
	GsfInput *input;

	if (!bytes)
		return -ENOMEM;
	input = gsf_input_memory_new(bytes, (gsf_off_t)in->size_bytes, FALSE);
	if (!input)
		return -ENOMEM;
	*ret_file = gsf_infile_msole_new(input, NULL);
	g_object_unref(input);
	return *ret_file ? 0 : -EBADMSG;
}

int ole_read(GsfInfile *file, const char *name, size_t max_bytes, uint8_t **ret_bytes, size_t *ret_length)
{
	GsfInput *stream = gsf_infile_child_by_name(file, name);
	gsf_off_t length = stream ? gsf_input_size(stream) : -1;
	uint8_t *bytes = NULL;
	int r = 0;

	if (!stream)
		return -ENOENT;
	if (length < 0)
		r = -EBADMSG;
	else if ((uint64_t)length > max_bytes)
		r = -EFBIG;
	else if (!(bytes = malloc((size_t)length + 1)))
		r = -ENOMEM;
	else if (length > 0 && !gsf_input_read(stream, (size_t)length, bytes))
		r = -EBADMSG;
	g_object_unref(stream);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_length = (size_t)length;
	return 0;
}

static void put_property(gpointer name, gpointer property, gpointer sink)
{
	static const struct {
		const char *name, *key;
	} keys[] = {
		{GSF_META_NAME_TITLE, "dc:title"},
		{GSF_META_NAME_CREATOR, "dc:creator"},
		{GSF_META_NAME_INITIAL_CREATOR, "dc:creator"},
		{GSF_META_NAME_SUBJECT, "dc:subject"},
		{GSF_META_NAME_KEYWORDS, "meta:keyword"},
		{GSF_META_NAME_DESCRIPTION, "dc:description"},
		{GSF_META_NAME_DATE_CREATED, "dcterms:created"},
		{GSF_META_NAME_DATE_MODIFIED, "dcterms:modified"},
		{GSF_META_NAME_LAST_SAVED_BY, "meta:last-author"},
		{GSF_META_NAME_COMPANY, "extended-properties:Company"},
		{GSF_META_NAME_PAGE_COUNT, "xmpTPg:NPages"},
		{GSF_META_NAME_WORD_COUNT, "meta:word-count"},
		{GSF_META_NAME_GENERATOR, "xmp:CreatorTool"},
	};
	const GValue *value = gsf_doc_prop_get_val(property);

	for (size_t i = 0; value && i < G_N_ELEMENTS(keys); i++) {
		char *text;

		if (strcmp(name, keys[i].name) != 0)
			continue;
		if (G_VALUE_HOLDS_STRING(value))
			text = g_value_dup_string(value);
		else if (G_VALUE_HOLDS_INT(value))
			text = g_strdup_printf("%d", g_value_get_int(value));
		else if (VAL_IS_GSF_TIMESTAMP(value))
			text = gsf_timestamp_as_string(g_value_get_boxed(value));
		else
			text = NULL;
		sink_metadata_text(sink, keys[i].key, text);
		g_free(text);
	}
}

void ole_put_properties(GsfInfile *file, struct sink *sink)
{
	static const char *const streams[] = {"\05SummaryInformation", "\05DocumentSummaryInformation"};

	for (size_t i = 0; i < G_N_ELEMENTS(streams); i++) {
		GsfInput *stream = gsf_infile_child_by_name(file, streams[i]);
		GsfDocMetaData *properties;
		GError *error;

		if (!stream)
			continue;
		properties = gsf_doc_meta_data_new();
		error = gsf_doc_meta_data_read_from_msole(properties, stream);
		gsf_doc_meta_data_foreach(properties, (GHFunc)put_property, sink);
		g_clear_error(&error);
		g_object_unref(properties);
		g_object_unref(stream);
	}
}
