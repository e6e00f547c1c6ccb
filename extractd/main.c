/* extractd: hands each file to a sandboxed worker and writes down what it found. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "extractd/carrier.h"
#include "extractd/exchange.h"
#include "extractd/queue.h"
#include "extractd/settings.h"
#include "extractd/supervisor.h"
#include "extractd/watch.h"
#include "shared/base/log.h"
#include "shared/config/config.h"

enum { EXIT_USAGE = 2, ERROR_SIZE = 512 };

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},	    {"version", no_argument, NULL, 'V'},
	{"foreground", no_argument, NULL, 'f'},	    {"config", required_argument, NULL, 'c'},
	{"env-file", required_argument, NULL, 'e'}, {"option", required_argument, NULL, 'o'},
	{"pid-file", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0},
};

struct start {
	struct config *config;
	const char *conf_path, *env_path, *pid_path;
	char *options[64]; /* NAME=VALUE */
	int option_count;
};

static void print_help(void)
{
	puts("usage: extractd [-f] [--config FILE] [--env-file FILE] [-o NAME=VALUE]… [--pid-file FILE]\n"
	     "Reads the files that tenantfs publishes and stores what it finds in them.\n"
	     "\n"
	     "  -f, --foreground   stay in the foreground (it always does)\n"
	     "  -c, --config FILE  settings, instead of /etc/tenantfs/tenantfs.conf\n"
	     "  -e, --env-file FILE  more settings, NAME=VALUE a line\n"
	     "  -o NAME=VALUE      one setting; wins over files and environment\n"
	     "  -p, --pid-file FILE  written when it has started, removed at the end\n"
	     "  -h, --help, -V, --version\n"
	     "\n"
	     "SIGTERM ends it within a few seconds: what runs may finish, the rest is given back.\n"
	     "\n"
	     "Settings:");
	config_help(PROGRAM_EXTRACTD, stdout);
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct start *start)
{
	int option;

	while ((option = getopt_long(argc, argv, "hVfc:e:o:p:", long_options, NULL)) >= 0)
		switch (option) {
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		case 'V':
			puts("extractd " TENANTFS_VERSION);
			return EXIT_SUCCESS;
		case 'f':
			break;
		case 'c':
			start->conf_path = optarg;
			break;
		case 'e':
			start->env_path = optarg;
			break;
		case 'p':
			start->pid_path = optarg;
			break;
		case 'o':
			if (start->option_count < (int)(sizeof(start->options) / sizeof(*start->options))) {
				start->options[start->option_count++] = optarg;
				break;
			}
			return EXIT_USAGE;
		default:
			return EXIT_USAGE;
		}
	if (optind < argc) {
		fprintf(stderr, "extractd: %s: it takes no arguments, see --help\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static int set_option(struct config *config, char *option, char error[ERROR_SIZE])
{
	char *equals = strchr(option, '=');

	if (!equals) {
		snprintf(error, ERROR_SIZE, "-o takes NAME=VALUE, not %.100s", option);
		return -1;
	}
	*equals = '\0';
	return config_set(config, option, equals + 1, "command line", error, ERROR_SIZE) < 0 ? -1 : 0;
}

static int read_settings(struct start *start, struct extract_settings *settings)
{
	char error[ERROR_SIZE] = "";
	int r = config_load(start->config, PROGRAM_EXTRACTD, start->conf_path, start->env_path, error, sizeof(error));

	for (int i = 0; i < start->option_count && r == 0; i++)
		r = set_option(start->config, start->options[i], error);
	if (r == 0)
		r = config_check(start->config, PROGRAM_EXTRACTD, error, sizeof(error));
	if (r == 0)
		r = settings_read(start->config, settings, error, sizeof(error));
	if (r < 0)
		fprintf(stderr, "extractd: %s\n", error);
	return r;
}

static int write_pid(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0) {
		fprintf(stderr, "extractd: %s: %m\n", path);
		return -1;
	}
	return 0;
}

/* The threads beside the supervisor. Signals are for the supervisor alone. */
static int run(const struct extract_settings *settings)
{
	static struct exchange exchange; /* the watch thread hints until the process ends */
	struct carrier *carrier = NULL;
	struct queue *queue = NULL;
	int status = EXIT_FAILURE, r;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = exchange_init(&exchange);
	if (r < 0) {
		log_error("extractd cannot start", "error", log_errno(r));
		return EXIT_FAILURE;
	}
	r = carrier_start(settings, &carrier);
	r = r ?: queue_start(settings, &exchange, carrier, &queue);
	if (r == 0) {
		watch_start(settings->base_path, &exchange);
		status = supervisor_run(settings, &exchange, &signals);
		queue_join(queue);
	} else {
		log_error("extractd cannot start", "error", log_errno(r));
	}
	if (carrier)
		carrier_stop(carrier);
	log_info("ended");
	return status;
}

int main(int argc, char **argv)
{
	struct extract_settings settings;
	struct start start = {.config = config_new()};
	int status = parse_options(argc, argv, &start);

	if (!start.config)
		return EXIT_FAILURE;
	if (status < 0 && (read_settings(&start, &settings) < 0 || (start.pid_path && write_pid(start.pid_path) < 0)))
		status = EXIT_USAGE;
	if (status < 0) {
		config_start_log(start.config, "extractd");
		status = run(&settings);
		if (start.pid_path)
			unlink(start.pid_path);
	}
	config_free(start.config);
	return status;
}
