/* Settings from all their sources; the .env files are those of the services this replaces, as their documents print
 * them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/json_check.h"
#include "shared/config/config.h"
#include "shared/config/config_table.h"

static struct config *config;
static char error[512];
static char folder[64], conf_path[96], env_path[96];

static const char service_000[] =
	"# Database\n"
	"DATABASE_URL=postgresql+asyncpg://user:password@localhost:5432/file_system_db\n"
	"DB_HOST=localhost\nDB_PORT=5432\nDB_NAME=file_system_db\nDB_USER=file_system_user\n"
	"DB_PASSWORD=your_secure_password\n\n# Redis\nREDIS_URL=redis://localhost:6379/0\n"
	"REDIS_HOST=localhost\nREDIS_PORT=6379\n\n# Storage\nSTORAGE_BASE_PATH=/app/storage\n"
	"MAX_FILE_SIZE=104857600  # 100MB\n"
	"ALLOWED_EXTENSIONS=.txt,.pdf,.doc,.docx,.xls,.xlsx,.zip,.json,.csv,.xml\nMAX_ZIP_DEPTH=3\n\n"
	"# Services\nFILE_SERVICE_HOST=0.0.0.0\nFILE_SERVICE_PORT=8001\n"
	"EXTRACTION_SERVICE_HOST=0.0.0.0\nEXTRACTION_SERVICE_PORT=8002\n\n"
	"# Security\nSECRET_KEY=your-super-secret-key\nLOG_LEVEL=INFO\nENVIRONMENT=development\n";
static const char service_002[] =
	"# Database Configuration\nDB_HOST=localhost\nDB_PORT=5432\nDB_USER=postgres\n"
	"DB_PASS=your_postgres_password_here\nDB_NAME=file_db\n\n"
	"# Security Configuration (shared with other services)\n"
	"SECRET_KEY=your_secret_key_here_generate_with_openssl_rand_hex_32\nALGORITHM=HS256\n"
	"ACCESS_TOKEN_EXPIRE_MINUTES=60\n\n# Local Storage Configuration\n"
	"LOCAL_STORAGE_PATH=/path/to/file/storage\n\n# Redis Configuration\nHOST=localhost\nPORT=6379\nDB=0\n";
static const char service_004[] =
	"# Database\nDATABASE_URL=postgresql://scanner_user:scanner_pass@localhost:5432/file_scanner\n\n"
	"# Redis\nREDIS_URL=redis://localhost:6379/0\n\n# Storage\nFILE_STORAGE_PATH=/data/files\n"
	"MAX_FILE_SIZE_MB=100\nFILE_RETENTION_DAYS=7\n\n# Cache TTL\nJOB_CACHE_TTL=3600      # 1 hour\n"
	"FILE_CACHE_TTL=86400    # 24 hours\n";

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int load(unsigned program, const char *conf, const char *env)
{
	write_file(conf_path, conf ? conf : "");
	if (env)
		write_file(env_path, env);
	error[0] = '\0';
	return config_load(config, program, conf_path, env ? env_path : NULL, error, sizeof(error));
}

static void unset_all(void)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		unsetenv(settings[i].name);
	unsetenv("MAX_FILE_SIZE_MB");
	unsetenv("DB_PASS");
}

static int make(void **state)
{
	(void)state;
	unset_all();
	snprintf(folder, sizeof(folder), "/tmp/config_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(conf_path, sizeof(conf_path), "%s/tenantfs.conf", folder);
	snprintf(env_path, sizeof(env_path), "%s/.env", folder);
	config = config_new();
	return config ? 0 : -1;
}

static int clean(void **state)
{
	(void)state;
	config_free(config);
	unlink(conf_path);
	unlink(env_path);
	return rmdir(folder);
}

static void assert_error(const char *part)
{
	if (!strstr(error, part))
		fail_msg("\"%s\" does not say \"%s\"", error, part);
}

/* --- the services this replaces --- */

static void the_env_file_of_service_000_works_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_FUSEFS, NULL, service_000), 0);
	assert_string_equal(config_database_url(config), "postgresql://user:password@localhost:5432/file_system_db");
	assert_string_equal(config_redis_url(config), "redis://localhost:6379/0");
	assert_string_equal(config_string(config, SETTING_STORAGE_BASE_PATH), "/app/storage");
	assert_int_equal(config_int(config, SETTING_MAX_FILE_SIZE), 104857600);
	assert_string_equal(config_string(config, SETTING_ALLOWED_EXTENSIONS),
			    ".txt,.pdf,.doc,.docx,.xls,.xlsx,.zip,.json,.csv,.xml");
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 3);
	assert_string_equal(config_string(config, SETTING_LOG_LEVEL), "info");
	assert_string_equal(config_string(config, SETTING_ENVIRONMENT), "development");
	assert_string_equal(config_listen(config), "127.0.0.1:8000,0.0.0.0:8001,0.0.0.0:8002");
	assert_null(config_string(config, SETTING_SECRET_KEY));
	assert_int_equal(config_check(config, PROGRAM_FUSEFS, error, sizeof(error)), 0);
	assert_int_equal(config->warnings.length, 0);
}

static void its_secret_is_too_short_for_the_one_program_that_needs_it(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_HTTPSHIM, NULL, service_000), -EINVAL);
	assert_error(".env:27: SECRET_KEY: too short: 32 bytes at least");
	assert_null(strstr(error, "your-super-secret-key"));
}

static void a_tool_that_can_do_without_goes_on_until_it_needs_it(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ADMINCTL, NULL, service_000), 0);
	assert_int_equal(config_check(config, PROGRAM_ADMINCTL, error, sizeof(error)), 0);
	assert_int_equal(config_require(config, SETTING_SECRET_KEY, error, sizeof(error)), -EINVAL);
	assert_error("too short");
}

static void the_env_file_of_service_002_works_and_its_ambiguous_names_are_warned_of(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_HTTPSHIM, NULL, service_002), 0);
	assert_string_equal(config_database_url(config),
			    "host='localhost' port='5432' dbname='file_db' user='postgres' "
			    "password='your_postgres_password_here'");
	assert_string_equal(config_string(config, SETTING_STORAGE_BASE_PATH), "/path/to/file/storage");
	assert_int_equal(config_int(config, SETTING_ACCESS_TOKEN_EXPIRE_MINUTES), 60);
	assert_string_equal(config_string(config, SETTING_ALGORITHM), "HS256");
	assert_string_equal(config_redis_url(config), "");
	assert_non_null(strstr(config->warnings.data, ":17\tunknown setting passed over\tHOST\n"));
	assert_non_null(strstr(config->warnings.data, "\tPORT\n"));
	assert_non_null(strstr(config->warnings.data, "\tDB\n"));
}

static void the_env_file_of_service_004_works_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_EXTRACTD, NULL, service_004), 0);
	assert_string_equal(config_string(config, SETTING_STORAGE_BASE_PATH), "/data/files");
	assert_int_equal(config_int(config, SETTING_MAX_FILE_SIZE), 104857600);
	assert_int_equal(config_int(config, SETTING_FILE_RETENTION_DAYS), 7);
	assert_int_equal(config_int(config, SETTING_JOB_CACHE_TTL), 3600000);
	assert_int_equal(config_int(config, SETTING_FILE_CACHE_TTL), 86400000);
}

/* --- sources --- */

static void the_later_source_wins(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_FUSEFS, "MAX_ZIP_DEPTH = 4\n", NULL), 0);
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 4);
	assert_int_equal(load(PROGRAM_FUSEFS, "MAX_ZIP_DEPTH = 4\n", "MAX_ZIP_DEPTH=5\n"), 0);
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 5);
	setenv("MAX_ZIP_DEPTH", "6", 1);
	assert_int_equal(load(PROGRAM_FUSEFS, "MAX_ZIP_DEPTH = 4\n", "MAX_ZIP_DEPTH=5\n"), 0);
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 6);
	assert_int_equal(config_set(config, "max-zip-depth", "7", "--max-zip-depth", error, sizeof(error)), 0);
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 7);
}

static void defaults_hold_where_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, NULL, NULL), 0);
	assert_int_equal(config_int(config, SETTING_MAX_FILE_SIZE), 100 << 20);
	assert_int_equal(config_int(config, SETTING_DEADLINE), 10000);
	assert_int_equal(config_int(config, SETTING_EXTRACT_TIMEOUT), 60000);
	assert_int_equal(config_int(config, SETTING_EXTRACT_MEMORY), 1 << 30);
	assert_int_equal(config_int(config, SETTING_OCR_MEMORY), 2LL << 30);
	assert_false(config_bool(config, SETTING_RETENTION));
	assert_null(config_string(config, SETTING_STORAGE_BASE_PATH));
	assert_string_equal(config_database_url(config), "port='5432' dbname='tenantfs'");
	assert_string_equal(config_redis_url(config), "");
	assert_string_equal(config_listen(config), "127.0.0.1:8000");
}

static void an_empty_value_goes_back_to_the_default(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_FUSEFS, "MAX_ZIP_DEPTH=4\nREDIS_URL=redis://h\nREDIS_HOST=other\n",
			      "MAX_ZIP_DEPTH=\nREDIS_URL=\n"),
			 0);
	assert_int_equal(config_int(config, SETTING_MAX_ZIP_DEPTH), 3);
	assert_string_equal(config_redis_url(config), "");
}

static void redis_is_found_by_its_parts(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_FUSEFS, "REDIS_HOST=h\nREDIS_PORT=7000\n", NULL), 0);
	assert_string_equal(config_redis_url(config), "redis://h:7000");
	assert_int_equal(load(PROGRAM_FUSEFS, "REDIS_HOST=::1\n", NULL), 0);
	assert_string_equal(config_redis_url(config), "redis://[::1]:7000");
}

static void a_secret_is_kept_only_by_programs_that_read_it(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_EXTRACTD, "SECRET_KEY=0123456789012345678901234567890123456789\n", NULL), 0);
	assert_null(config_string(config, SETTING_SECRET_KEY));
	assert_int_equal(load(PROGRAM_HTTPSHIM, "SECRET_KEY=0123456789012345678901234567890123456789\n", NULL), 0);
	assert_non_null(config_string(config, SETTING_SECRET_KEY));
}

static void drivers_and_their_ways_are_taken_off_the_database_url(void **state)
{
	static const struct {
		const char *given, *expected;
	} cases[] = {
		{"postgres://h/d", "postgresql://h/d"},
		{"postgresql+psycopg2://u:p@h:1/d?sslmode=require", "postgresql://u:p@h:1/d?sslmode=require"},
		{"postgresql+asyncpg://h/d?ssl=require&application_name=x",
		 "postgresql://h/d?sslmode=require&application_name=x"},
		{"POSTGRESQL://h/d?ssl=true", "postgresql://h/d?sslmode=require"},
		{"host=h dbname=d", "host=h dbname=d"},
		{"host=h password='a://b'", "host=h password='a://b'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(config_set(config, "DATABASE_URL", cases[i].given, "test", error, sizeof(error)), 0);
		assert_string_equal(config_database_url(config), cases[i].expected);
	}
	assert_int_equal(config_set(config, "DATABASE_URL", "mysql://u:hush-hush@h/d", "test", error, sizeof(error)),
			 -EINVAL);
	assert_error("test: DATABASE_URL is not PostgreSQL's");
	assert_null(strstr(error, "hush-hush"));
}

static void quotes_in_a_password_do_not_break_out_of_the_connection_string(void **state)
{
	(void)state;
	setenv("DB_PASSWORD", "it's \\ here", 1);
	assert_int_equal(load(PROGRAM_FUSEFS, NULL, NULL), 0);
	assert_non_null(strstr(config_database_url(config), "password='it\\'s \\\\ here'"));
}

/* --- how lines are read --- */

static void lines_of_an_env_file_are_read_as_shells_and_dotenv_do(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, NULL,
			      "\xEF\xBB\xBF# comment\r\n\n  export ENVIRONMENT = plain text # comment\r\n"
			      "DB_NAME=with#hash\nDB_USER='single # quoted \\n'\nDB_HOST=\"dou\\\"ble\\tq\\$\" # c\n"
			      "PUBLIC_URL=\nOCR_LANGUAGES=a   \nDB_PASSWORD='  '\nDEFAULT_TENANT=last"),
			 0);
	assert_string_equal(config_string(config, SETTING_ENVIRONMENT), "plain text");
	assert_string_equal(config_string(config, SETTING_DB_NAME), "with#hash");
	assert_string_equal(config_string(config, SETTING_DB_USER), "single # quoted \\n");
	assert_string_equal(config_string(config, SETTING_DB_HOST), "dou\"ble\tq$");
	assert_null(config_string(config, SETTING_PUBLIC_URL));
	assert_string_equal(config_string(config, SETTING_OCR_LANGUAGES), "a");
	assert_string_equal(config_string(config, SETTING_DB_PASSWORD), "  ");
	assert_string_equal(config_string(config, SETTING_DEFAULT_TENANT), "last");
}

static void lines_of_the_conf_file_may_stand_in_sections(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, "; comment\n[storage]\nmax_file_size = 2G ; kept\n", NULL), -EINVAL);
	assert_int_equal(load(PROGRAM_ALL, "; comment\n[storage]\nmax_file_size = 2G # note\n", NULL), 0);
	assert_int_equal(config_int(config, SETTING_MAX_FILE_SIZE), 2LL << 30);
}

static void what_is_no_line_of_a_settings_file_is_refused_with_its_number(void **state)
{
	static const char *const wrong[] = {
		"just words\n",	   "=x\n",   "MAX_ZIP_DEPTH 3\n", "DB_NAME='open\n", "DB_NAME=\"open\n",
		"DB_NAME='a' b\n", "A-B=c\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[100];

		snprintf(text, sizeof(text), "# one\n%s", wrong[i]);
		assert_int_equal(load(PROGRAM_ALL, NULL, text), -EINVAL);
		assert_error("/.env:2: ");
	}
}

static void an_unknown_name_stops_in_the_conf_and_is_warned_of_in_the_env(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, "MAX_FIEL_SIZE=1\n", NULL), -EINVAL);
	assert_error("tenantfs.conf:1: MAX_FIEL_SIZE: no such setting");
	assert_int_equal(load(PROGRAM_ALL, NULL, "MAX_FIEL_SIZE=1\n"), 0);
	assert_non_null(strstr(config->warnings.data, "MAX_FIEL_SIZE"));
	assert_int_equal(config_set(config, "max-fiel-size", "1", "option", error, sizeof(error)), -ENOENT);
	assert_error("option: max-fiel-size: no such setting");
}

static void a_value_out_of_bounds_stops_wherever_it_stands(void **state)
{
	static const struct {
		const char *line, *reason;
	} cases[] = {
		{"MAX_ZIP_DEPTH=33", "\"33\" is out of bounds: 0 to 32"},
		{"MAX_ZIP_DEPTH=three", "\"three\" is no whole number"},
		{"DB_PORT=0", "\"0\" is out of bounds: 1 to 65535"},
		{"MAX_FILE_SIZE=10X", "\"10X\" is no size"},
		{"MAX_FILE_SIZE=-1", "\"-1\" is no size"},
		{"MAX_FILE_SIZE_MB=9223372036854775807", "out of bounds"},
		{"DEADLINE=10", "\"10\" is no duration"},
		{"DEADLINE=1d", "\"1d\" is out of bounds: 100ms to 600s"},
		{"JOB_CACHE_TTL=0", "is out of bounds: 1s to 31536000s"},
		{"RETENTION=maybe", "\"maybe\" is neither on nor off"},
		{"LOG_LEVEL=loud", "\"loud\" is none of: debug, info, warning, warn, error, critical"},
		{"ALGORITHM=none", "\"none\" is none of: HS256"},
		{"STORAGE_BASE_PATH=storage", "\"storage\" is no absolute path"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[64];

		assert_int_equal(load(PROGRAM_FUSEFS, NULL, cases[i].line), -EINVAL);
		assert_error(cases[i].reason);
		assert_error(".env:1: ");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(cases[i].line, "="), cases[i].line);
		setenv(name, strchr(cases[i].line, '=') + 1, 1);
		assert_int_equal(load(PROGRAM_FUSEFS, NULL, NULL), -EINVAL);
		assert_error("environment: ");
		unset_all();
	}
}

static void values_are_brought_into_one_form(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, NULL,
			      "STORAGE_BASE_PATH=/data//"
			      "\nLOG_LEVEL=Warning\nRETENTION=YES\nMAX_FILE_SIZE_MB=1G\nJOB_CACHE_TTL=2h\n"),
			 0);
	assert_string_equal(config_string(config, SETTING_STORAGE_BASE_PATH), "/data");
	assert_string_equal(config_string(config, SETTING_LOG_LEVEL), "warning");
	assert_true(config_bool(config, SETTING_RETENTION));
	assert_int_equal(config_int(config, SETTING_MAX_FILE_SIZE), 1 << 30);
	assert_int_equal(config_int(config, SETTING_JOB_CACHE_TTL), 7200000);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	assert_int_equal(config_load(config, PROGRAM_FUSEFS, "/nowhere/x.conf", NULL, error, sizeof(error)), -ENOENT);
	assert_error("/nowhere/x.conf: No such file");
	write_file(conf_path, "");
	assert_int_equal(config_load(config, PROGRAM_FUSEFS, conf_path, "/tmp", error, sizeof(error)), -EISDIR);
	assert_error("/tmp: Is a directory");
}

static void a_file_with_secrets_that_all_can_read_is_warned_of(void **state)
{
	(void)state;
	write_file(conf_path, "DB_PASSWORD=x\n");
	assert_int_equal(chmod(conf_path, 0644), 0);
	assert_int_equal(config_load(config, PROGRAM_FUSEFS, conf_path, NULL, error, sizeof(error)), 0);
	assert_non_null(strstr(config->warnings.data, "everybody on this machine can read its secrets"));
}

static void what_a_program_cannot_do_without_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(load(PROGRAM_ALL, NULL, NULL), 0);
	assert_int_equal(config_check(config, PROGRAM_FUSEFS, error, sizeof(error)), -EINVAL);
	assert_error("STORAGE_BASE_PATH is not set");
	assert_int_equal(config_check(config, PROGRAM_ADMINCTL, error, sizeof(error)), 0);
	assert_int_equal(config_set(config, "TENANTFS_MOUNT", "/mnt", "test", error, sizeof(error)), 0);
	assert_int_equal(config_check(config, PROGRAM_HTTPSHIM, error, sizeof(error)), -EINVAL);
	assert_error("SECRET_KEY is not set");
}

/* --- showing --- */

static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	print(out);
	fclose(out);
	return text;
}

static void show_text(FILE *out)
{
	config_show(config, PROGRAM_ALL, false, out);
}

static void show_json(FILE *out)
{
	config_show(config, PROGRAM_ALL, true, out);
}

static void help(FILE *out)
{
	config_help(PROGRAM_HTTPSHIM, out);
}

static void man(FILE *out)
{
	config_man(PROGRAM_FUSEFS, out);
}

static void secrets_are_never_shown(void **state)
{
	char *text, *json;

	(void)state;
	assert_int_equal(load(PROGRAM_ALL, NULL,
			      "DATABASE_URL=postgresql://u:hush-hush@h/d\nDB_PASSWORD=hush-hush\nREDIS_URL=redis://"
			      ":hush-hush@h\n"
			      "SECRET_KEY=hush-hush-hush-hush-hush-hush-hush-hush\n"),
			 0);
	text = printed(show_text);
	json = printed(show_json);
	assert_null(strstr(text, "hush-hush"));
	assert_null(strstr(json, "hush-hush"));
	assert_non_null(strstr(text, "***"));
	assert_int_equal(json_check(json, strlen(json), 4, NULL), 0);
	assert_non_null(strstr(json, "{\"name\":\"SECRET_KEY\",\"value\":\"***\""));
	free(text);
	free(json);
}

static void values_are_shown_with_where_they_come_from(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(load(PROGRAM_ALL, "MAX_ZIP_DEPTH=9\n", NULL), 0);
	text = printed(show_json);
	assert_non_null(strstr(text, "{\"name\":\"MAX_ZIP_DEPTH\",\"value\":\"9\",\"type\":\"number\",\"source\":\""));
	assert_non_null(strstr(text, "tenantfs.conf:1\""));
	assert_non_null(strstr(text, "\"source\":\"default\""));
	free(text);
}

static void help_and_man_page_hold_what_the_program_reads(void **state)
{
	char *text = printed(help);

	(void)state;
	assert_non_null(strstr(text, "LISTEN"));
	assert_null(strstr(text, "JOURNAL_SIZE"));
	free(text);
	text = printed(man);
	assert_non_null(strstr(text, ".BR JOURNAL_SIZE \" (size)\"\n"));
	assert_non_null(strstr(text, "Also called LOCAL_STORAGE_PATH, FILE_STORAGE_PATH."));
	assert_null(strstr(text, "LISTEN"));
	free(text);
}

static void the_table_agrees_with_itself(void **state)
{
	(void)state;
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings[i];
		enum setting_id id;
		int64_t factor;

		assert_int_equal(setting_find(setting->name, &id, &factor), 0);
		assert_int_equal(id, i);
		assert_true(setting->programs != 0 && (setting->programs & ~(unsigned)PROGRAM_ALL) == 0);
		assert_true(strlen(setting->sentence) > 10);
		/* config_new() parsed every default; an unparsable one would have made it fail. */
		assert_true(!setting->default_text == !config_string(config, (enum setting_id)i));
	}
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(the_env_file_of_service_000_works_as_it_is),
		CONFIG_TEST(its_secret_is_too_short_for_the_one_program_that_needs_it),
		CONFIG_TEST(a_tool_that_can_do_without_goes_on_until_it_needs_it),
		CONFIG_TEST(the_env_file_of_service_002_works_and_its_ambiguous_names_are_warned_of),
		CONFIG_TEST(the_env_file_of_service_004_works_as_it_is),
		CONFIG_TEST(the_later_source_wins),
		CONFIG_TEST(defaults_hold_where_nothing_is_said),
		CONFIG_TEST(an_empty_value_goes_back_to_the_default),
		CONFIG_TEST(redis_is_found_by_its_parts),
		CONFIG_TEST(a_secret_is_kept_only_by_programs_that_read_it),
		CONFIG_TEST(drivers_and_their_ways_are_taken_off_the_database_url),
		CONFIG_TEST(quotes_in_a_password_do_not_break_out_of_the_connection_string),
		CONFIG_TEST(lines_of_an_env_file_are_read_as_shells_and_dotenv_do),
		CONFIG_TEST(lines_of_the_conf_file_may_stand_in_sections),
		CONFIG_TEST(what_is_no_line_of_a_settings_file_is_refused_with_its_number),
		CONFIG_TEST(an_unknown_name_stops_in_the_conf_and_is_warned_of_in_the_env),
		CONFIG_TEST(a_value_out_of_bounds_stops_wherever_it_stands),
		CONFIG_TEST(values_are_brought_into_one_form),
		CONFIG_TEST(a_file_that_cannot_be_read_is_named),
		CONFIG_TEST(a_file_with_secrets_that_all_can_read_is_warned_of),
		CONFIG_TEST(what_a_program_cannot_do_without_is_asked_for),
		CONFIG_TEST(secrets_are_never_shown),
		CONFIG_TEST(values_are_shown_with_where_they_come_from),
		CONFIG_TEST(help_and_man_page_hold_what_the_program_reads),
		CONFIG_TEST(the_table_agrees_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
