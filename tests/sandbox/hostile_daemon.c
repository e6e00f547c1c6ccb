/* Attacks on whoever reads the answer: written past the sink, straight onto the wire. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "extractd/worker/sandbox.h"
#include "shared/base/frame.h"
#include "tests/sandbox/hostile.h"

static void put(enum frame_type type, const void *payload, size_t length)
{
	if (frame_write(SANDBOX_JOB_FD, type, payload, length) < 0)
		_exit(0); /* nobody reads any more: that is the daemon's good right */
}

static void put_text(enum frame_type type, const char *text)
{
	put(type, text, strlen(text));
}

static void put_bytes(const void *bytes, size_t length)
{
	if (write(SANDBOX_JOB_FD, bytes, length) < 0)
		_exit(0);
}

__attribute__((noreturn)) static void linger(void)
{
	const struct timespec minute = {60, 0};

	for (;;)
		nanosleep(&minute, NULL);
}

/* What stands behind is well formed, so that only the nonsense can be what is refused. */
__attribute__((noreturn)) static void end(void)
{
	put(FRAME_DONE, NULL, 0);
	_exit(0);
}

static int unknown_type(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_bytes("\0\0\0\0\x7F\0\0\0", 8);
	end();
}

static int huge_length(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_bytes("\xFF\xFF\xFF\xFF\x04\0\0\0", 8);
	linger();
}

static int half_a_frame(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_bytes("\x00\x01\0\0\x04\0\0\0half", 12);
	_exit(0);
}

static int silence(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	_exit(0);
}

static int closed_end(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	close(SANDBOX_JOB_FD);
	linger();
}

static int invalid_utf8(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_text(FRAME_TEXT, "\xC3\x28");
	end();
}

static int nul_byte(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put(FRAME_TEXT, "a\0b", 3);
	end();
}

static int broken_json(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_text(FRAME_DATA, "{\"a\":1},{\"b\":2}");
	end();
}

static int nul_json(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_text(FRAME_DATA, "{\"a\":\"\\u0000\"}");
	end();
}

static int array_json(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_text(FRAME_METADATA, "[1]");
	end();
}

static int deep_json(struct extract_input *in, struct sink *sink, const char *argument)
{
	enum { DEPTH = 100000 };
	char *json = malloc(DEPTH * 2 + 6);

	(void)in, (void)sink, (void)argument;
	if (!json)
		return -ENOMEM;
	memcpy(json, "{\"a\":", 5);
	memset(json + 5, '[', DEPTH);
	memset(json + 5 + DEPTH, ']', DEPTH);
	json[5 + DEPTH * 2] = '}';
	put(FRAME_DATA, json, DEPTH * 2 + 6);
	end();
}

static int own_job(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	put_text(FRAME_JOB, "{\"size\":1}");
	end();
}

static int behind_the_end(struct extract_input *in, struct sink *sink, const char *argument)
{
	static const char frames[] = "\0\0\0\0\x0E\0\0\0\x01\0\0\0\x04\0\0\0x";

	(void)in, (void)sink, (void)argument;
	put_bytes(frames, sizeof(frames) - 1);
	linger();
}

__attribute__((noreturn)) static int endless_text(struct extract_input *in, struct sink *sink, const char *argument)
{
	static char block[64 << 10];

	(void)in, (void)sink, (void)argument;
	memset(block, 'x', sizeof(block));
	for (;;)
		put(FRAME_TEXT, block, sizeof(block));
}

__attribute__((noreturn)) static int endless_data(struct extract_input *in, struct sink *sink, const char *argument)
{
	static char block[64 << 10];

	(void)in, (void)sink, (void)argument;
	memset(block, 'x', sizeof(block));
	memcpy(block, "{\"a\":\"", 6);
	memcpy(block + sizeof(block) - 2, "\"}", 2);
	for (;;)
		put(FRAME_DATA, block, sizeof(block));
}

__attribute__((noreturn)) static int endless_pages(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	for (;;)
		put(FRAME_PAGE, NULL, 0);
}

__attribute__((noreturn)) static int endless_warnings(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	for (;;)
		put_text(FRAME_WARNING, "beware");
}

static int long_name(struct extract_input *in, struct sink *sink, const char *argument)
{
	static char name[2000];

	(void)in, (void)sink, (void)argument;
	memset(name, 'n', sizeof(name));
	memcpy(name + sizeof(name) - 2, " 1", 2);
	put(FRAME_EXTRACTOR, name, sizeof(name));
	end();
}

static int two_pages_then_spin(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	sink_page(sink);
	sink_puts(sink, "the first page\n");
	sink_page(sink);
	sink_puts(sink, "the second page\n");
	sink_page(sink);
	for (;;)
		;
	return 0;
}

static int two_pages_then_crash(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	sink_page(sink);
	sink_puts(sink, "the first page\n");
	sink_page(sink);
	sink_puts(sink, "the second page\n");
	sink_page(sink);
	crash_here();
	return 0;
}

/* Well behaved: stops when it is told that time is nearly up. */
static int pages_without_end(struct extract_input *in, struct sink *sink, const char *argument)
{
	const struct timespec moment = {0, 20000000};
	int r = 0;

	(void)in, (void)argument;
	while (r == 0) {
		r = sink_page(sink);
		if (r == 0)
			r = sink_puts(sink, "one more page\n");
		nanosleep(&moment, NULL);
	}
	return r;
}

static int encrypted(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	return sink_error(sink, "encrypted: a password is needed");
}

static int wants_ocr(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)argument;
	sink_page(sink);
	if (in->is_ocr)
		return sink_puts(sink, "recognised text\n");
	sink_want_ocr(sink);
	return 0;
}

static int crash_in_ocr(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)argument;
	if (in->is_ocr)
		abort();
	sink_page(sink);
	sink_puts(sink, "the text that is there without OCR\n");
	sink_want_ocr(sink);
	return 0;
}

const struct attack attacks_on_daemon[] = {
	{"unknown-type", unknown_type},
	{"huge-length", huge_length},
	{"half-a-frame", half_a_frame},
	{"silence", silence},
	{"closed-end", closed_end},
	{"invalid-utf8", invalid_utf8},
	{"nul-byte", nul_byte},
	{"broken-json", broken_json},
	{"nul-json", nul_json},
	{"array-json", array_json},
	{"deep-json", deep_json},
	{"own-job", own_job},
	{"behind-the-end", behind_the_end},
	{"endless-text", endless_text},
	{"endless-data", endless_data},
	{"endless-pages", endless_pages},
	{"endless-warnings", endless_warnings},
	{"long-name", long_name},
	{"pages-then-spin", two_pages_then_spin},
	{"pages-then-crash", two_pages_then_crash},
	{"pages-without-end", pages_without_end},
	{"encrypted", encrypted},
	{"wants-ocr", wants_ocr},
	{"crash-in-ocr", crash_in_ocr},
	{NULL, NULL},
};
