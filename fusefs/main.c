/* fusefs: the file system daemon. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fusefs/daemon.h"
#include "fusefs/mount.h"
#include "fusefs/mountpoint.h"
#include "fusefs/options.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/validate/validate.h"

enum { ERROR_SIZE = 512 };

static int fail(const char *error)
{
	fprintf(stderr, "fusefs: %s\n", error);
	return EXIT_FAILURE;
}

static void ready(struct mount *mount)
{
	log_info("mounted", "mountpoint", mount->options.mountpoint);
	daemon_ready(mount->ready_fd);
	mount->ready_fd = -1;
}

static void start_log(const struct config *config)
{
	enum log_level level = LOG_INFO_;
	const char *text = config_string(config, SETTING_LOG_LEVEL),
		   *format = config_string(config, SETTING_LOG_FORMAT);

	if (text)
		(void)log_level_parse(text, &level);
	log_init("fusefs", level, format && strcmp(format, "json") == 0);
}

/* Everything that can be said before the fork, on the caller's terminal and without a side effect. */
static int check(struct mount *mount, char *error)
{
	const char *base = config_string(mount->config, SETTING_STORAGE_BASE_PATH);
	char path[PATH_MAX];
	int r = mountpoint_check(mount->options.mountpoint, path, error, ERROR_SIZE);

	if (r < 0)
		return r;
	snprintf(mount->options.mountpoint, sizeof(mount->options.mountpoint), "%s", path);
	if (!base) {
		snprintf(error, ERROR_SIZE, "STORAGE_BASE_PATH is not set: where do the bytes go?");
		return -EINVAL;
	}
	if (!config_database_url(mount->config)) {
		snprintf(error, ERROR_SIZE, "DATABASE_URL is not set");
		return -EINVAL;
	}
	return mountpoint_check_base(path, base, error, ERROR_SIZE);
}

/* Signals are for the thread that waits for them; threads made from here on have them blocked. */
static void block_signals(bool blocked)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int run(struct mount *mount)
{
	char error[ERROR_SIZE] = "";
	int r = check(mount, error);

	if (r < 0)
		return fail(error);
	if (!mount->options.is_foreground) {
		r = daemon_start(&mount->ready_fd);
		if (r < 0)
			return fail(strerror(-r));
	}
	r = validate_start_judge(); /* while there is one thread */
	if (r < 0)
		log_warn("archives are examined in this process", "error", log_errno(r));
	block_signals(true);
	r = mount_start(mount, error, sizeof(error));
	block_signals(false);
	if (r == 0)
		r = mount_serve(mount, error, sizeof(error));
	block_signals(true);
	mount_stop(mount);
	validate_stop_judge();
	return r < 0 ? fail(error) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	struct config *config = config_new();
	struct options_files files;
	char error[ERROR_SIZE] = "";
	enum options_result result;
	int status;

	if (!mount || !config)
		return fail(strerror(ENOMEM));
	result = options_parse(argc, argv, &mount->options, &files);
	if (result != OPTIONS_RUN)
		return result == OPTIONS_DONE ? EXIT_SUCCESS : 2;
	if (config_load(config, PROGRAM_FUSEFS, files.conf_path, files.env_path, error, sizeof(error)) < 0)
		return fail(error);
	start_log(config);
	options_finish(&mount->options, config);
	mount->config = config;
	mount->own_uid = geteuid();
	mount->own_gid = getegid();
	mount->started_ns = clock_realtime_ns();
	mount->ready = ready;
	mount->ready_fd = -1;
	status = run(mount);
	config_free(config);
	free(mount);
	return status;
}
