/* The table of settings for people: --help, man page, `adminctl config show`. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "shared/base/text.h"
#include "shared/config/config_table.h"

enum { SHOWN_BYTES_MAX = 1 << 20 };

/* What may be seen of a value. */
static const char *shown(const struct config *config, enum setting_id id)
{
	const char *text = config_string(config, id);

	if (!text)
		return "";
	return settings[id].type == TYPE_SECRET && *text ? "***" : text;
}

static void put_field(struct buf *out, const char *key, const char *value)
{
	json_put_key(out, key);
	json_put_string(out, value, strlen(value));
}

static void show_json(const struct config *config, unsigned programs, FILE *out)
{
	struct buf text = BUF_INIT(SHOWN_BYTES_MAX);

	buf_putc(&text, '[');
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!(settings[i].programs & programs))
			continue;
		buf_puts(&text, text.length > 1 ? ",\n {" : "\n {");
		put_field(&text, "name", settings[i].name);
		put_field(&text, "value", shown(config, (enum setting_id)i));
		put_field(&text, "type", setting_type_names[settings[i].type]);
		put_field(&text, "source", config->values[i].source);
		put_field(&text, "sentence", settings[i].sentence);
		buf_putc(&text, '}');
	}
	buf_puts(&text, "\n]\n");
	if (buf_error(&text) == 0)
		fwrite(text.data, 1, text.length, out);
	buf_release(&text);
}

void config_show(const struct config *config, unsigned programs, bool json, FILE *out)
{
	if (json) {
		show_json(config, programs, out);
		return;
	}
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!(settings[i].programs & programs))
			continue;
		fprintf(out, "%-28s %-28s %-24s %s\n", settings[i].name, shown(config, (enum setting_id)i),
			config->values[i].source, settings[i].sentence);
	}
}

void config_help(unsigned program, FILE *out)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!(settings[i].programs & program))
			continue;
		fprintf(out, "  %-28s %s", settings[i].name, settings[i].sentence);
		if (settings[i].default_text)
			fprintf(out, " (default %s)", settings[i].default_text);
		fputc('\n', out);
	}
}

/* troff reads \ and a leading . or ' as its own. */
static void put_troff(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
}

static void put_bounds(const struct setting *setting, FILE *out)
{
	if (setting->default_text)
		fprintf(out, "\nDefault: %s.", setting->default_text);
	if (setting->type == TYPE_INT && setting->maximum != 0)
		fprintf(out, "\nFrom %lld to %lld.", (long long)setting->minimum, (long long)setting->maximum);
	if (!*setting->aliases)
		return;
	fputs("\nAlso called", out);
	for (const char *alias = setting->aliases; *alias;) {
		size_t length = strcspn(alias, ",*");
		const char *end = alias + strcspn(alias, ",");

		fprintf(out, " %.*s%s", (int)length, alias, *end ? "," : ".");
		alias = end + (*end == ',');
	}
}

void config_man(unsigned programs, FILE *out)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!(settings[i].programs & programs))
			continue;
		fprintf(out, ".TP\n.BR %s \" (%s)\"\n", settings[i].name, setting_type_names[settings[i].type]);
		put_troff(settings[i].sentence, out);
		put_bounds(&settings[i], out);
		fputc('\n', out);
	}
}
