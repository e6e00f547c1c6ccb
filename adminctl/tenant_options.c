#include "adminctl/tenant_options.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include "adminctl/arguments.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"
#include "shared/validate/validate.h"

enum tenant_option {
	OPTION_NAME,
	OPTION_DESCRIPTION,
	OPTION_ACTIVE,
	OPTION_INACTIVE,
	OPTION_QUOTA,
	OPTION_FILES,
	OPTION_OWNER,
	OPTION_MODE,
	OPTION_ALLOW,
	OPTION_DENY,
	OPTION_ALLOW_TYPE,
	OPTION_DENY_TYPE,
	OPTION_MAX_SIZE,
	OPTION_MAX_ZIP_DEPTH,
	OPTION_RETENTION_DAYS,
	OPTION_UNRESTRICTED,
	OPTION_RESTRICTED,
	OPTION_CONFIGURATION,
};

const struct option tenant_options[] = {
	[OPTION_NAME] = {"name", "TEXT", "A name for people."},
	[OPTION_DESCRIPTION] = {"description", "TEXT", "What it is for."},
	[OPTION_ACTIVE] = {"active", NULL, "Let it be used."},
	[OPTION_INACTIVE] = {"inactive", NULL, "Refuse everything inside (EACCES), keep it all."},
	[OPTION_QUOTA] = {"quota", "SIZE", "Most bytes it may hold; `none` lifts the limit."},
	[OPTION_FILES] = {"files", "COUNT", "Most files it may hold; `none` lifts the limit."},
	[OPTION_OWNER] = {"owner", "USER[:GROUP]", "Owner of its folder, by name or number."},
	[OPTION_MODE] = {"mode", "OCTAL", "Permissions of its folder: 0770."},
	[OPTION_ALLOW] = {"allow", "LIST", "Extensions it takes: .pdf,.csv; * for any."},
	[OPTION_DENY] = {"deny", "LIST", "Extensions it refuses, whatever --allow says."},
	[OPTION_ALLOW_TYPE] = {"allow-type", "LIST", "Media types it takes: application/pdf,image/*."},
	[OPTION_DENY_TYPE] = {"deny-type", "LIST", "Media types it refuses."},
	[OPTION_MAX_SIZE] = {"max-size", "SIZE", "Largest file; `none` lifts the limit."},
	[OPTION_MAX_ZIP_DEPTH] = {"max-zip-depth", "N", "How deep archives may be nested; 0: no archive inside one."},
	[OPTION_RETENTION_DAYS] = {"retention-days", "N", "Days after which retention may remove a file; 0 keeps."},
	[OPTION_UNRESTRICTED] = {"unrestricted", NULL, "Lift every rule that is not named beside it."},
	[OPTION_RESTRICTED] = {"restricted", NULL, "Give every rule that is not named beside it back to the instance."},
	[OPTION_CONFIGURATION] = {"configuration", "JSON",
				  "Keys of the configuration as they are; null takes one away."},
	{NULL, NULL, NULL},
};

const char tenant_options_details[] =
	"Sizes take units of 1024 (10k, 100M, 2G), counts of 1000 (100k, 2M). The value `default` of a rule gives it "
	"back\n"
	"to the settings of the instance (MAX_FILE_SIZE, ALLOWED_EXTENSIONS, MAX_ZIP_DEPTH, FILE_RETENTION_DAYS).";

/* --- the configuration: a JSON object of the rules that were named ---------------------------------------------------
 */

static bool is_word(const char *value, const char *word)
{
	return strcmp(value, word) == 0;
}

/* ".pdf, .csv" as a JSON array of its trimmed parts. */
static void put_list(struct buf *json, const char *key, const char *list)
{
	size_t begin, length;

	json_put_key(json, key);
	if (is_word(list, "default")) {
		buf_puts(json, "null");
		return;
	}
	buf_putc(json, '[');
	for (bool is_first = true; *list != '\0'; list += strcspn(list, ","), list += *list == ',') {
		begin = strspn(list, " ");
		length = strcspn(list + begin, " ,");
		if (length == 0)
			continue;
		if (!is_first)
			buf_putc(json, ',');
		json_put_string(json, list + begin, length);
		is_first = false;
	}
	buf_putc(json, ']');
}

static int put_number(struct buf *json, const char *key, const char *option, const char *value)
{
	int64_t number = -1;

	json_put_key(json, key);
	if (is_word(value, "default"))
		return buf_puts(json, "null") < 0;
	if (int64_parse(value, &number) < 0 || number < 0)
		return complain(EXIT_USAGE, NULL, "--%s %s is no number from 0 on", option, value);
	buf_printf(json, "%lld", (long long)number);
	return 0;
}

static int put_max_size(struct buf *json, const char *value)
{
	int64_t bytes = 0; /* no limit */
	int r = 0;

	json_put_key(json, "max_file_size");
	if (is_word(value, "default"))
		return buf_puts(json, "null") < 0;
	if (!is_word(value, "none"))
		r = option_size("max-size", value, &bytes);
	buf_printf(json, "%lld", (long long)bytes);
	return r;
}

/* Every rule that is not named goes back to its default, which is none at all where the tenant is unrestricted. */
static void put_fresh_start(struct buf *json, const char *const *given)
{
	static const struct {
		enum tenant_option option;
		const char *key;
	} rules[] = {
		{OPTION_ALLOW, "allowed_extensions"},	    {OPTION_DENY, "denied_extensions"},
		{OPTION_ALLOW_TYPE, "allowed_media_types"}, {OPTION_DENY_TYPE, "denied_media_types"},
		{OPTION_MAX_SIZE, "max_file_size"},	    {OPTION_MAX_ZIP_DEPTH, "max_zip_depth"},
	};

	json_put_key(json, "unrestricted");
	buf_puts(json, given[OPTION_UNRESTRICTED] != NULL ? "true" : "null");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (given[rules[i].option] != NULL)
			continue;
		json_put_key(json, rules[i].key);
		buf_puts(json, "null");
	}
}

static int put_rules(struct buf *json, const char *const *given)
{
	int r = 0;

	buf_putc(json, '{');
	if (given[OPTION_UNRESTRICTED] != NULL || given[OPTION_RESTRICTED] != NULL)
		put_fresh_start(json, given);
	if (given[OPTION_ALLOW] != NULL)
		put_list(json, "allowed_extensions", given[OPTION_ALLOW]);
	if (given[OPTION_DENY] != NULL)
		put_list(json, "denied_extensions", given[OPTION_DENY]);
	if (given[OPTION_ALLOW_TYPE] != NULL)
		put_list(json, "allowed_media_types", given[OPTION_ALLOW_TYPE]);
	if (given[OPTION_DENY_TYPE] != NULL)
		put_list(json, "denied_media_types", given[OPTION_DENY_TYPE]);
	if (given[OPTION_MAX_SIZE] != NULL)
		r = put_max_size(json, given[OPTION_MAX_SIZE]);
	if (r == 0 && given[OPTION_MAX_ZIP_DEPTH] != NULL)
		r = put_number(json, "max_zip_depth", "max-zip-depth", given[OPTION_MAX_ZIP_DEPTH]);
	if (r == 0 && given[OPTION_RETENTION_DAYS] != NULL)
		r = put_number(json, "retention_days", "retention-days", given[OPTION_RETENTION_DAYS]);
	buf_putc(json, '}');
	return r;
}

/* The rules themselves say whether they can be had: a misspelt key or a depth of 100 is told here, not by a mount. */
static int check_rules(const struct session *session, const struct buf *json)
{
	char reason[256] = "";
	struct rules *rules = NULL;
	int r = rules_parse(json->data, json->length, session->config, &rules, reason, sizeof(reason));

	rules_unref(rules);
	if (r == -EINVAL)
		return complain(EXIT_USAGE, NULL, "the configuration: %s", reason);
	return r < 0 ? complain(EXIT_UNAVAILABLE, NULL, "the configuration: %s", strerror(-r)) : 0;
}

static int read_configuration(const struct session *session, const char *const *given, struct buf *json,
			      struct tenant_change *change)
{
	int r = 0;

	if (given[OPTION_UNRESTRICTED] != NULL && given[OPTION_RESTRICTED] != NULL)
		return complain(EXIT_USAGE, NULL, "--unrestricted and --restricted exclude one another");
	if (given[OPTION_CONFIGURATION] != NULL)
		buf_puts(json, given[OPTION_CONFIGURATION]);
	else
		r = put_rules(json, given);
	if (r != 0)
		return r;
	if (buf_error(json) < 0)
		return complain(EXIT_USAGE, NULL, "the configuration is too long");
	if (is_word(json->data, "{}"))
		return 0;
	change->fields |= TENANT_CONFIGURATION_PATCH;
	change->configuration = (struct bytes){json->data, json->length};
	return check_rules(session, json);
}

/* --- owner and permissions
 * --------------------------------------------------------------------------------------------- */

static int find_user(const char *name, int64_t *ret_uid, int64_t *ret_gid)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL && int64_parse(name, ret_uid) == 0 && *ret_uid >= 0 && *ret_uid <= UINT32_MAX)
		user = getpwuid((uid_t)*ret_uid);
	else if (user == NULL)
		return complain(EXIT_USAGE, NULL, "--owner: no user %s", name);
	if (user != NULL)
		*ret_uid = user->pw_uid;
	*ret_gid = user != NULL ? (int64_t)user->pw_gid : *ret_uid;
	return 0;
}

static int find_group(const char *name, int64_t *ret_gid)
{
	const struct group *group = getgrnam(name);

	if (group != NULL)
		*ret_gid = group->gr_gid;
	else if (int64_parse(name, ret_gid) < 0 || *ret_gid < 0 || *ret_gid > UINT32_MAX)
		return complain(EXIT_USAGE, NULL, "--owner: no group %s", name);
	return 0;
}

/* "ann", "ann:staff", "1000:100", ":staff". A user alone brings its own group. */
static int read_owner(const char *owner, struct tenant_change *change)
{
	const char *colon = strchr(owner, ':');
	autofree char *user = strndup(owner, colon != NULL ? (size_t)(colon - owner) : strlen(owner));
	int r = 0;

	if (user == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	if (user[0] != '\0') {
		r = find_user(user, &change->owner_uid, &change->owner_gid);
		change->fields |= TENANT_OWNER | TENANT_GROUP;
	}
	if (r == 0 && colon != NULL) {
		r = find_group(colon + 1, &change->owner_gid);
		change->fields |= TENANT_GROUP;
	}
	return r;
}

static int read_mode(const char *text, struct tenant_change *change)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode > 07777)
		return complain(EXIT_USAGE, NULL, "--mode %s is no octal number up to 7777", text);
	change->mode = (uint32_t)mode;
	change->fields |= TENANT_MODE;
	return 0;
}

static int read_limits(const char *const *given, struct tenant_change *change)
{
	int r = 0;

	change->storage_quota_bytes = change->file_count_limit = -1;
	if (given[OPTION_QUOTA] != NULL) {
		change->fields |= TENANT_QUOTA;
		if (!is_word(given[OPTION_QUOTA], "none"))
			r = option_size("quota", given[OPTION_QUOTA], &change->storage_quota_bytes);
	}
	if (r == 0 && given[OPTION_FILES] != NULL) {
		change->fields |= TENANT_FILE_LIMIT;
		if (!is_word(given[OPTION_FILES], "none"))
			r = option_count("files", given[OPTION_FILES], &change->file_count_limit);
	}
	return r;
}

static int read_texts(const char *const *given, struct tenant_change *change)
{
	const char *texts[] = {given[OPTION_NAME], given[OPTION_DESCRIPTION]};

	for (int i = 0; i < 2; i++)
		if (texts[i] != NULL && !utf8_is_valid(texts[i], strlen(texts[i])))
			return complain(EXIT_USAGE, NULL, "--%s is no UTF-8", i == 0 ? "name" : "description");
	change->name = texts[0];
	change->description = texts[1];
	change->fields |= (texts[0] != NULL ? TENANT_NAME : 0U) | (texts[1] != NULL ? TENANT_DESCRIPTION : 0U);
	return 0;
}

int tenant_options_read(const struct session *session, const struct arguments *arguments, struct buf *json,
			struct tenant_change *ret_change)
{
	const char *const *given = arguments->options;
	int r;

	*ret_change = (struct tenant_change){0};
	if (given[OPTION_ACTIVE] != NULL && given[OPTION_INACTIVE] != NULL)
		return complain(EXIT_USAGE, NULL, "--active and --inactive exclude one another");
	if (given[OPTION_ACTIVE] != NULL || given[OPTION_INACTIVE] != NULL) {
		ret_change->fields |= TENANT_ACTIVE;
		ret_change->is_active = given[OPTION_ACTIVE] != NULL;
	}
	r = read_texts(given, ret_change);
	if (r == 0)
		r = read_limits(given, ret_change);
	if (r == 0 && given[OPTION_OWNER] != NULL)
		r = read_owner(given[OPTION_OWNER], ret_change);
	if (r == 0 && given[OPTION_MODE] != NULL)
		r = read_mode(given[OPTION_MODE], ret_change);
	return r == 0 ? read_configuration(session, given, json, ret_change) : r;
}
