/*
 * extract-worker: started by extractd as a zygote, or by hand for one file. Links parsers and shared/base; no libpq, no
 * Redis, no credentials.
 */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "extractd/worker/command.h"
#include "extractd/worker/zygote.h"
#include "shared/base/log.h"
#include "shared/base/text.h"

enum {
	OPTION_ZYGOTE = 256,
	OPTION_OCR,
	OPTION_UID,
	OPTION_GID,
	OPTION_NICE,
	OPTION_DEGRADED,
	OPTION_LANGUAGES,
	OPTION_TYPE,
	OPTION_TIME,
	OPTION_NO_SANDBOX
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"type", required_argument, NULL, OPTION_TYPE},
	{"ocr", no_argument, NULL, OPTION_OCR},
	{"languages", required_argument, NULL, OPTION_LANGUAGES},
	{"time", required_argument, NULL, OPTION_TIME},
	{"degraded", no_argument, NULL, OPTION_DEGRADED},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"zygote", no_argument, NULL, OPTION_ZYGOTE},
	{"uid", required_argument, NULL, OPTION_UID},
	{"gid", required_argument, NULL, OPTION_GID},
	{"nice", required_argument, NULL, OPTION_NICE},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: extract-worker FILE [OPTION…]\n"
	"Reads one file as extractd would, behind the same sandbox, and prints what it found as JSON.\n"
	"\n"
	"  --type TYPE       take it for this media type instead of looking at the content\n"
	"  --ocr             recognise text on pages and images that have none\n"
	"  --languages LIST  models for OCR, as tesseract names them (eng, eng+deu; default eng)\n"
	"  --time DURATION   stop after this long (60s; with --ocr 300s)\n"
	"  --degraded        go on without Landlock when the kernel has none\n"
	"  --no-sandbox      no walls: to debug an extractor, never for files of strangers\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, 1 the file is encrypted or corrupt, 2 it could not be tried.\n";

struct options {
	bool is_zygote;
	struct zygote_options zygote;
	struct command_options command;
};

static int take_number(const char *text, int64_t maximum, int64_t *ret_value)
{
	if (int64_parse(text, ret_value) < 0 || *ret_value < -maximum || *ret_value > maximum) {
		fprintf(stderr, "extract-worker: not a number in range: %s\n", text);
		return -1;
	}
	return 0;
}

static int take_time(const char *text, struct options *options)
{
	int64_t time_ms;

	if (duration_parse(text, &time_ms) < 0 || time_ms < 1000 || time_ms > 86400000) {
		fprintf(stderr, "extract-worker: --time takes 1s to 24h, not %s\n", text);
		return -1;
	}
	options->command.time_ms = (uint32_t)time_ms;
	return 0;
}

/* 0: go on; -1: a mistake, told already. */
static int take_option(int option, const char *value, struct options *options)
{
	int64_t number = 0;

	switch (option) {
	case OPTION_ZYGOTE:
		options->is_zygote = true;
		return 0;
	case OPTION_OCR:
		options->zygote.is_ocr = options->command.is_ocr = true;
		return 0;
	case OPTION_DEGRADED:
		options->zygote.may_lack_landlock = options->command.may_lack_landlock = true;
		return 0;
	case OPTION_NO_SANDBOX:
		options->command.has_no_sandbox = true;
		return 0;
	case OPTION_TYPE:
		options->command.media_type = value;
		return 0;
	case OPTION_LANGUAGES:
		options->zygote.ocr_languages = options->command.ocr_languages = value;
		return 0;
	case OPTION_TIME:
		return take_time(value, options);
	case OPTION_UID:
	case OPTION_GID:
	case OPTION_NICE:
		if (take_number(value, INT32_MAX, &number) < 0)
			return -1;
		break;
	default:
		return -1;
	}
	if (option == OPTION_UID)
		options->zygote.uid = (uid_t)number;
	else if (option == OPTION_GID)
		options->zygote.gid = (gid_t)number;
	else
		options->zygote.nice = (int)number;
	return 0;
}

/*
 * libgomp reads its limits when it is loaded, before main(). Threads would make tesseract a hundred times slower, and
 * the sandbox allows none.
 */
static void start_again_without_threads(char **argv)
{
	const char *limit = getenv("OMP_THREAD_LIMIT");

	if (limit && strcmp(limit, "1") == 0)
		return;
	if (setenv("OMP_THREAD_LIMIT", "1", 1) == 0)
		execv("/proc/self/exe", argv);
	fprintf(stderr, "extract-worker: cannot start itself again, text recognition may fail\n");
}

int main(int argc, char **argv)
{
	struct options options = {.zygote = {.uid = 65534, .gid = 65534, .ocr_languages = "eng"},
				  .command = {.ocr_languages = "eng"}};
	int option;

	start_again_without_threads(argv);
	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) >= 0) {
		if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? help : "extract-worker " TENANTFS_VERSION "\n", stdout);
			return 0;
		}
		if (take_option(option, optarg, &options) < 0)
			return 2;
	}
	if (options.is_zygote)
		return zygote_main(&options.zygote);
	if (optind != argc - 1) {
		fputs(help, stderr);
		return 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	log_init("extract-worker", LOG_WARN_, 0);
	options.command.file = argv[optind];
	return command_main(&options.command);
}
