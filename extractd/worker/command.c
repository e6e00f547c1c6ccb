#include "extractd/worker/command.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "extractd/worker/input.h"
#include "extractd/worker/run.h"
#include "extractd/worker/sandbox.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/extraction.h"
#include "shared/base/text.h"

enum { NOBODY = 65534 };
#define OUTPUT_MAX (256ULL << 20)

static int collect(void *context, enum frame_type type, const void *payload, size_t length)
{
	struct frame frame = {.type = type, .length = (uint32_t)length, .payload = payload};

	return extraction_put(context, &frame);
}

static void warn(const char *text)
{
	fprintf(stderr, "extract-worker: %s\n", text);
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "extract-worker: %s: %s\n", what, strerror(-error));
	return 2;
}

static void put_text(struct buf *json, const char *key, const struct buf *text)
{
	json_put_key(json, key);
	json_put_string(json, text->data, text->length);
}

static void put_raw(struct buf *json, const char *key, const char *open, const struct buf *inside, const char *close)
{
	json_put_key(json, key);
	buf_puts(json, open);
	buf_append(json, inside->data, inside->length);
	buf_puts(json, close);
}

static void put_pages(struct buf *json, const struct extraction *found)
{
	json_put_key(json, "pages");
	for (uint32_t i = 0; i < found->page_count; i++)
		buf_printf(json, "%s%llu", i > 0 ? "," : "[", (unsigned long long)found->pages[i]);
	buf_puts(json, found->page_count > 0 ? "]" : "[]");
}

static void put_found(struct buf *json, const struct extraction *found, int64_t duration_ns)
{
	buf_putc(json, '{');
	json_put_key(json, "media_type");
	json_put_string(json, found->media_type, strlen(found->media_type));
	json_put_key(json, "extractor");
	json_put_string(json, found->extractor, strlen(found->extractor));
	json_put_key(json, "extractor_version");
	buf_printf(json, "%u", found->extractor_version);
	json_put_key(json, "confidence");
	buf_printf(json, "%u.%03u", found->confidence / 1000, found->confidence % 1000);
	json_put_key(json, "duration_ms");
	buf_printf(json, "%.3f", (double)duration_ns / (double)NS_PER_MS);
	json_put_key(json, "wants_ocr");
	buf_puts(json, found->wants_ocr ? "true" : "false");
	if (found->error.length > 0)
		put_text(json, "error", &found->error);
	put_raw(json, "warnings", "[", &found->warnings, "]");
	put_raw(json, "metadata", "{", &found->metadata, "}");
	put_raw(json, "data", "{", &found->data, "}");
	json_put_key(json, "letters");
	letters_put_json(json, found->letters);
	if (found->summary.length > 0)
		put_text(json, "summary", &found->summary);
	put_pages(json, found);
	put_text(json, "text", &found->text);
	buf_puts(json, "}\n");
}

static int print(const struct extraction *found, int64_t duration_ns)
{
	autobuf struct buf json = BUF_INIT(OUTPUT_MAX);
	size_t written = 0;

	put_found(&json, found, duration_ns);
	if (buf_error(&json) < 0)
		return buf_error(&json);
	while (written < json.length) {
		ssize_t part = write(STDOUT_FILENO, json.data + written, json.length - written);

		if (part < 0 && errno != EINTR)
			return -errno;
		written += part > 0 ? (size_t)part : 0;
	}
	return 0;
}

/* The file goes where the sandbox lets the job's descriptor stay open. */
static int open_input(const char *path, struct stat *ret_stat)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret_stat) < 0)
		return -errno;
	if (!S_ISREG(ret_stat->st_mode))
		return -EISDIR;
	if (fd != SANDBOX_JOB_FD && dup2(fd, SANDBOX_JOB_FD) < 0)
		return -errno;
	if (fd == SANDBOX_JOB_FD)
		fd = -1;
	if (input_prepare_copy() < 0)
		return -errno;
	if (input_copy_fd() != SANDBOX_COPY_FD && dup2(input_copy_fd(), SANDBOX_COPY_FD) < 0)
		return -errno;
	input_set_copy_fd(SANDBOX_COPY_FD);
	return 0;
}

static int enter_sandbox(const struct command_options *options, const struct limits *limits, uint64_t size_bytes)
{
	struct sandbox_options sandbox = {.may_lack_landlock = options->may_lack_landlock, .is_orphan = true};
	int r;

	if (options->has_no_sandbox)
		return 0;
	r = sandbox_drop_root(NOBODY, NOBODY);
	if (r == 0)
		r = sandbox_prepare(&sandbox);
	if (r == 0)
		r = sandbox_enter(0);
	return r < 0 ? r : sandbox_limit(limits->memory_bytes, size_bytes, limits->time_ms);
}

static int extract_and_print(const struct command_options *options, const struct limits *limits, uint64_t size_bytes)
{
	struct run_request request = {.fd = SANDBOX_JOB_FD,
				      .size_bytes = size_bytes,
				      .name = options->file,
				      .sha256 = "",
				      .media_type = options->media_type,
				      .limits = *limits,
				      .is_ocr = options->is_ocr};
	struct extraction_bounds bounds = {limits->text_bytes + 4096, limits->data_bytes * 2, limits->pages};
	int64_t begun_ns = clock_monotonic_ns();
	struct extraction found;
	struct sink_output output = {collect, &found};
	int r;

	extraction_init(&found, &bounds);
	r = run_extraction(&request, &output);
	if (r == 0)
		r = print(&found, clock_monotonic_ns() - begun_ns);
	if (r == 0)
		r = found.error.length > 0;
	else
		r = complain(options->file, r);
	extraction_release(&found);
	return r;
}

int command_main(const struct command_options *options)
{
	struct limits limits = LIMITS_DEFAULT;
	struct stat stat;
	int r = open_input(options->file, &stat);

	if (r < 0)
		return complain(options->file, r);
	if (options->is_ocr) {
		limits.memory_bytes = LIMITS_OCR_MEMORY_BYTES;
		limits.time_ms = LIMITS_OCR_TIME_MS;
	}
	if (options->time_ms > 0)
		limits.time_ms = options->time_ms;
	setenv("OMP_THREAD_LIMIT", "1", 1);
	setenv("TZ", "UTC0", 1);
	json_object_seed(0);
	r = run_preload(options->is_ocr, options->ocr_languages, warn);
	if (r < 0)
		return complain("the types of files cannot be told apart (libmagic)", r);
	r = enter_sandbox(options, &limits, (uint64_t)stat.st_size);
	if (r < 0)
		return complain("no sandbox (see --no-sandbox, --degraded)", r);
	return extract_and_print(options, &limits, (uint64_t)stat.st_size);
}
