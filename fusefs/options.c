#include "fusefs/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/text.h"
#include "shared/config/config.h"

enum { CACHE_BYTES_MIN = 16 << 20, THREADS_DEFAULT = 16 };

static void print_help(void)
{
	printf("Usage: fusefs MOUNTPOINT [options]\n"
	       "Mounts the tenants of the database; files are stored under STORAGE_BASE_PATH.\n\n"
	       "  -f, --foreground      stay in the foreground, log to stderr\n"
	       "  --tenant CODE         mount this tenant alone\n"
	       "  --env-file FILE       read settings from a .env file\n"
	       "  --config FILE         settings (default /etc/tenantfs/tenantfs.conf)\n"
	       "  -o OPTION[,OPTION…]   mount options:\n"
	       "     cache_size=SIZE    memory for names and attributes (CACHE_SIZE; at least 16M)\n"
	       "     xattr_list=writable  list only the attributes a user may write (all: what exists; XATTR_LIST)\n"
	       "     deadline=DURATION  how long a request waits for PostgreSQL before EIO (DEADLINE)\n"
	       "     threads=N          threads that serve the kernel (FUSE_THREADS)\n"
	       "     lease_wait=DURATION  how long the start waits for the lease of a mount that died (default 30s)\n"
	       "     tenant=CODE, env_file=FILE, config=FILE  as above, for fstab\n"
	       "     allow_other        let other users in (root: always; others: needs user_allow_other in "
	       "/etc/fuse.conf)\n"
	       "     any other option   is handed to FUSE\n"
	       "  -h, --help, -V, --version\n\nSettings:\n");
	config_help(PROGRAM_FUSEFS, stdout);
}

static bool wrong(const char *what, const char *value)
{
	fprintf(stderr, "fusefs: %s: %s\n", what, value);
	return false;
}

static bool set_cache_size(struct mount_options *options, const char *value)
{
	if (size_parse(value, &options->cache_bytes) < 0 || options->cache_bytes < CACHE_BYTES_MIN)
		return wrong("cache_size is a size of at least 16M", value);
	return true;
}

static bool set_duration_ms(const char *name, const char *value, int64_t *ret_ms)
{
	if (duration_parse(value, ret_ms) < 0 || *ret_ms < 0 || *ret_ms > INT32_MAX)
		return wrong(name, value);
	return true;
}

static bool set_threads(struct mount_options *options, const char *value)
{
	int64_t threads;

	if (int64_parse(value, &threads) < 0 || threads < 2 || threads > 256)
		return wrong("threads is a number from 2 to 256", value);
	options->threads = (int)threads;
	return true;
}

static bool set_tenant(struct mount_options *options, const char *value)
{
	if (!tenant_code_is_valid(value))
		return wrong("no tenant has such a code", value);
	snprintf(options->tenant_code, sizeof(options->tenant_code), "%s", value);
	return true;
}

static bool set_xattr_list(struct mount_options *options, const char *value)
{
	options->lists_writable_only = strcmp(value, "writable") == 0;
	if (!options->lists_writable_only && strcmp(value, "all") != 0)
		return wrong("xattr_list is writable or all", value);
	options->has_xattr_list = true;
	return true;
}

static bool hand_on(struct mount_options *options, const char *option)
{
	size_t used = strlen(options->fuse_options), size = sizeof(options->fuse_options) - used;

	if ((size_t)snprintf(options->fuse_options + used, size, "%s%s", used ? "," : "", option) >= size)
		return wrong("too many mount options at", option);
	return true;
}

/* Options that are for mount(8), systemd or fstab alone. */
static bool is_for_others(const char *option)
{
	static const char *const names[] = {"defaults", "auto",	   "noauto", "user", "nouser",
					    "users",	"_netdev", "nofail", "rw",   "default_permissions"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(option, names[i]) == 0)
			return true;
	return strncmp(option, "x-", 2) == 0 || strncmp(option, "comment=", 8) == 0;
}

static const char *value_of(const char *option, const char *name)
{
	size_t length = strlen(name);

	return strncmp(option, name, length) == 0 && option[length] == '=' ? option + length + 1 : NULL;
}

static bool set_option(struct mount_options *options, struct options_files *files, char *option)
{
	const char *value;
	int64_t ms = 0;

	if ((value = value_of(option, "cache_size")))
		return set_cache_size(options, value);
	if ((value = value_of(option, "xattr_list")))
		return set_xattr_list(options, value);
	if ((value = value_of(option, "deadline")))
		return set_duration_ms("deadline is a duration", value, &options->deadline_ms);
	if ((value = value_of(option, "lease_wait"))) {
		bool is_right = set_duration_ms("lease_wait is a duration", value, &ms);

		options->lease_wait_ms = (int)ms;
		return is_right;
	}
	if ((value = value_of(option, "threads")))
		return set_threads(options, value);
	if ((value = value_of(option, "tenant")))
		return set_tenant(options, value);
	if ((value = value_of(option, "env_file")))
		return (files->env_path = value) != NULL;
	if ((value = value_of(option, "config")))
		return (files->conf_path = value) != NULL;
	if (strcmp(option, "allow_other") == 0)
		return (options->allow_other = true);
	return is_for_others(option) || hand_on(options, option);
}

static bool set_options(struct mount_options *options, struct options_files *files, char *list)
{
	char *rest = list, *option;

	while ((option = strsep(&rest, ",")))
		if (*option && !set_option(options, files, option))
			return false;
	return true;
}

static enum options_result take_mountpoint(int argc, char **argv, struct mount_options *options)
{
	if (optind != argc - 1) {
		fprintf(stderr, "fusefs: %s; see fusefs --help\n",
			optind < argc ? "one mount point, no more" : "no mount point given");
		return OPTIONS_WRONG;
	}
	if (strlen(argv[optind]) >= sizeof(options->mountpoint)) {
		wrong("the mount point's path is too long", argv[optind]);
		return OPTIONS_WRONG;
	}
	snprintf(options->mountpoint, sizeof(options->mountpoint), "%s", argv[optind]);
	return OPTIONS_RUN;
}

enum options_result options_parse(int argc, char **argv, struct mount_options *options, struct options_files *files)
{
	static const struct option long_options[] = {
		{"foreground", no_argument, NULL, 'f'},
		{"tenant", required_argument, NULL, 't'},
		{"env-file", required_argument, NULL, 'e'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	bool is_right = true;
	int c;

	*options = (struct mount_options){.lease_wait_ms = 30000};
	*files = (struct options_files){0};
	while (is_right && (c = getopt_long(argc, argv, "fo:hV", long_options, NULL)) >= 0) {
		switch (c) {
		case 'f':
			options->is_foreground = true;
			break;
		case 'o':
			is_right = set_options(options, files, optarg);
			break;
		case 't':
			is_right = set_tenant(options, optarg);
			break;
		case 'e':
			files->env_path = optarg;
			break;
		case 'c':
			files->conf_path = optarg;
			break;
		case 'h':
			print_help();
			return OPTIONS_DONE;
		case 'V':
			printf("fusefs %s\n", TENANTFS_VERSION);
			return OPTIONS_DONE;
		default:
			is_right = false;
		}
	}
	return is_right ? take_mountpoint(argc, argv, options) : OPTIONS_WRONG;
}

static bool user_may_allow_other(void)
{
	FILE *file = fopen("/etc/fuse.conf", "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strcmp(line, "user_allow_other\n") == 0 || strcmp(line, "user_allow_other") == 0;
	if (file)
		fclose(file);
	return found;
}

/* What was not given on the command line is as the settings say. */
static void take_settings(struct mount_options *options, const struct config *config)
{
	const char *list = config_string(config, SETTING_XATTR_LIST);
	int threads = (int)config_int(config, SETTING_FUSE_THREADS);

	if (options->cache_bytes == 0)
		options->cache_bytes = config_int(config, SETTING_CACHE_SIZE);
	if (options->deadline_ms == 0)
		options->deadline_ms = config_int(config, SETTING_DEADLINE);
	if (options->threads == 0)
		options->threads = threads == 0 ? THREADS_DEFAULT : threads < 2 ? 2 : threads;
	if (!options->has_xattr_list)
		options->lists_writable_only = list && strcmp(list, "writable") == 0;
	options->parked_per_user = (int)config_int(config, SETTING_PARKED_PER_USER);
}

void options_finish(struct mount_options *options, const struct config *config)
{
	autofree char *more = strdup(options->fuse_options);

	take_settings(options, config);
	if (geteuid() == 0 || user_may_allow_other()) {
		options->allow_other = true;
	} else {
		fprintf(stderr, "fusefs: other users are not let in: user_allow_other is not set in /etc/fuse.conf\n");
		options->allow_other = false;
	}
	snprintf(options->fuse_options, sizeof(options->fuse_options),
		 "default_permissions,fsname=tenantfs,subtype=tenantfs%s%s%s",
		 options->allow_other ? ",allow_other" : "", more && *more ? "," : "", more ? more : "");
}
