/* httpshim: the HTTP API and the page. See docs/http.md. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "httpshim/server_parts.h"
#include "shared/base/log.h"
#include "shared/config/config.h"

enum { EXIT_USAGE = 2, ERROR_SIZE = 512 };

static void print_help(void)
{
	puts("usage: httpshim [--config FILE] [--env FILE] [--SETTING VALUE …]\n\n"
	     "Serves the HTTP API of tenantfs and its page.\n\n"
	     "  --config FILE   settings (default " CONFIG_DEFAULT_PATH " if it is there)\n"
	     "  --env FILE      a .env file of further settings\n"
	     "  --help, --version\n\n"
	     "Settings, as options (--listen 0.0.0.0:8000), in the environment or in the files:\n");
	config_help(PROGRAM_HTTPSHIM, stdout);
}

static int fail(const char *reason)
{
	fprintf(stderr, "httpshim: %s\n", reason);
	return -EINVAL;
}

struct options {
	const char *config_path, *env_path;
	int first_setting; /* in argv */
};

/* --config and --env, which say where the settings are, before all others. */
static int read_paths(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") != 0 && strcmp(argv[i], "--env") != 0)
			continue;
		if (i + 1 == argc)
			return fail("a file is missing behind the last option");
		if (argv[i][2] == 'c')
			options->config_path = argv[i + 1];
		else
			options->env_path = argv[i + 1];
		i++;
	}
	return 0;
}

static int read_setting(struct config *config, const char *name, const char *value)
{
	char error[ERROR_SIZE];
	int r = config_set(config, name, value, "command line", error, sizeof(error));

	if (r == -ENOENT) {
		fprintf(stderr, "httpshim: there is no option --%s; --help shows all\n", name);
		return -EINVAL;
	}
	return r < 0 ? fail(error) : 0;
}

static int read_settings(struct config *config, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char name[64];
		size_t length;
		int r;

		if (strncmp(argv[i], "--", 2) != 0)
			return fail("every option begins with --; --help shows all");
		length = strcspn(argv[i] + 2, "=");
		if (length >= sizeof(name) || (argv[i][2 + length] != '=' && i + 1 == argc))
			return fail("a value is missing behind the last option");
		memcpy(name, argv[i] + 2, length);
		name[length] = '\0';
		if (argv[i][2 + length] == '=') {
			r = read_setting(config, name, argv[i] + 3 + length);
		} else {
			r = strcmp(name, "config") == 0 || strcmp(name, "env") == 0 ? 0
										      : read_setting(config, name, argv[i + 1]);
			i++;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int load(struct config *config, int argc, char **argv)
{
	struct options options = {0};
	char error[ERROR_SIZE];
	int r;

	r = read_paths(argc, argv, &options);
	if (r < 0)
		return r;
	r = config_load(config, PROGRAM_HTTPSHIM, options.config_path, options.env_path, error, sizeof(error));
	if (r < 0)
		return fail(error);
	r = read_settings(config, argc, argv);
	if (r < 0)
		return r;
	r = config_check(config, PROGRAM_HTTPSHIM, error, sizeof(error));
	return r < 0 ? fail(error) : 0;
}

static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			log_warn("cannot raise the number of open files", "error", log_errno(errno));
	}
	/* What is stored is for the tenant's owner and group. */
	umask(0007);
	/* Many threads allocate a little each; an arena for every one of them would keep what a burst of uploads took. */
	mallopt(M_ARENA_MAX, 4);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int serve(struct server *server, const sigset_t *signals)
{
	int received = 0;

	sigwait(signals, &received);
	log_info("stopping", "signal", received == SIGTERM ? "SIGTERM" : "SIGINT");
	server_drain(server, (int)config_int(server->config, SETTING_HTTP_DRAIN_TIMEOUT));
	if (!server_close(server)) {
		/* A worker hangs in the file system. Whatever it holds is cleaned up by the next start. */
		log_warn("stopped with requests still under way");
		_exit(EXIT_SUCCESS);
	}
	server_release(server);
	log_info("stopped");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct config *config;
	sigset_t signals;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("httpshim " TENANTFS_VERSION);
		return EXIT_SUCCESS;
	}
	config = config_new();
	if (!config || load(config, argc, argv) < 0)
		return EXIT_USAGE;
	config_start_log(config, "httpshim");
	raise_limits();
	block_signals(&signals);
	if (server_init(&server, config) < 0 || server_listen(&server) < 0)
		return EXIT_FAILURE;
	log_info("ready", "version", TENANTFS_VERSION);
	return serve(&server, &signals);
}
