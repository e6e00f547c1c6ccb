/* shared/validate/archive_judge.c, archive_cell.c: what goes wrong while an archive is read goes wrong elsewhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/validate/archive_cell.h"
#include "shared/validate/validate.h"
#include "tests/unit/support/archives.h"

#define MIB (1ULL << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LIMITS_MEMORY = 0 }; /* the sanitizers' shadows take terabytes of address space */
#else
enum { LIMITS_MEMORY = 1 };
#endif

static int start(void **state)
{
	(void)state;
	log_init("test", LOG_ERROR_, 0);
	return validate_start_judge();
}

static int stop(void **state)
{
	(void)state;
	validate_stop_judge();
	return 0;
}

static enum archive_finding judge(const struct made *made, int depth_max, struct archive_report *report)
{
	autoclose int fd = descriptor_of(made->bytes, made->length);
	struct archive_limits limits;
	const char *media_type;

	archive_limits_set(&limits, made->length, depth_max);
	archive_judge(fd, made->length, archive_kind_of(made->bytes, made->length, &media_type), &limits, report);
	return report->finding;
}

static void the_judge_finds_what_a_look_of_our_own_finds(void **state)
{
	struct made formats[] = {
		nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 2),
		nest(MADE_ZIP, make_one(MADE_7Z, "a", "x", 1), 1),
		make_one(MADE_TAR, "a", "x", 1),
		make_compressed("xz", "text", 4),
		make_compressed("gzip", "text", 4),
	};
	struct archive_report there, here;
	struct archive_limits limits;

	(void)state;
	formats[4].length -= 10;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		for (int depth = 0; depth < 3; depth++) {
			autoclose int fd = descriptor_of(formats[i].bytes, formats[i].length);
			const char *media_type;

			judge(&formats[i], depth, &there);
			archive_limits_set(&limits, formats[i].length, depth);
			archive_examine(fd, formats[i].length,
					archive_kind_of(formats[i].bytes, formats[i].length, &media_type), &limits,
					&here);
			assert_int_equal(there.finding, here.finding);
			assert_int_equal(there.depth, here.depth);
			assert_int_equal(there.entries, here.entries);
			assert_int_equal(there.inflated, here.inflated);
			assert_string_equal(there.words, here.words);
		}
		free(formats[i].bytes);
	}
}

/* --- a 7z file that claims a hundred million entries and takes 8 GiB of whoever believes it
 * ---------------------------- */

static uint32_t crc32_of(const unsigned char *bytes, size_t length)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static struct made claim_a_hundred_million_entries(void)
{
	enum { ENTRIES = 100000000, BITS = ENTRIES / 8, SIGNATURE = 32, AHEAD = 13, AFTER = 2 };
	uint32_t entries = ENTRIES, bits = BITS, crc;
	uint64_t header = AHEAD + BITS + AFTER;
	struct made made = {.length = SIGNATURE + header};
	unsigned char *at;

	made.bytes = calloc(1, made.length);
	assert_non_null(made.bytes);
	at = (unsigned char *)made.bytes + SIGNATURE;
	memcpy(at, "\1\5\xf0", 3); /* header, files; a number of four bytes follows */
	memcpy(at + 3, &entries, 4);
	memcpy(at + 7, "\x0e\xf0", 2); /* entries without content, a bit each */
	memcpy(at + 9, &bits, 4);
	memset(at + AHEAD, 0xff, BITS);
	crc = crc32_of(at, header);
	at = (unsigned char *)made.bytes;
	memcpy(at, "7z\xbc\xaf\x27\x1c\0\4", 8);
	memcpy(at + 20, &header, 8);
	memcpy(at + 28, &crc, 4);
	crc = crc32_of(at + 12, 20);
	memcpy(at + 8, &crc, 4);
	return made;
}

static void an_archive_that_eats_memory_gets_no_more_than_its_share(void **state)
{
	struct archive_report report;
	struct rusage usage;
	struct made made;

	(void)state;
	if (!LIMITS_MEMORY)
		skip();
	made = claim_a_hundred_million_entries();
	assert_int_equal(judge(&made, 3, &report), ARCHIVE_TOO_HUNGRY);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_true(usage.ru_maxrss < 256 * 1024);
	free(made.bytes);
}

/* --- the judge itself ------------------------------------------------------------------------------------------------
 */

static pid_t child_of_ours(void)
{
	char path[64];
	int pid = -1;
	FILE *children;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "r");
	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	return pid;
}

static void without_its_judge_a_program_looks_itself(void **state)
{
	struct made made = nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 2);
	struct archive_report report;
	pid_t child = child_of_ours();

	(void)state;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(judge(&made, 1, &report), ARCHIVE_TOO_DEEP);
	assert_int_equal(judge(&made, 2, &report), ARCHIVE_FINE);
	free(made.bytes);
}

static void the_judge_ends_with_the_program(void **state)
{
	pid_t child = child_of_ours();
	int status;

	(void)state;
	validate_stop_judge();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void *judge_often(void *context)
{
	struct made *made = context;
	struct archive_report report;

	for (int i = 0; i < 20; i++)
		assert_int_equal(judge(made, 3, &report), ARCHIVE_FINE);
	return NULL;
}

static void many_threads_ask_at_once(void **state)
{
	enum { THREADS = 8 };
	struct made made = make_one(MADE_ZIP, "a", "x", 1);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, judge_often, &made), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	free(made.bytes);
}

static void a_descriptor_that_cannot_be_read_is_told(void **state)
{
	struct archive_limits limits;
	struct archive_report report;

	(void)state;
	archive_limits_set(&limits, 100, 3);
	archive_judge(-1, 100, ARCHIVE_ZIP, &limits, &report);
	assert_int_equal(report.finding, ARCHIVE_UNREADABLE);
	assert_int_equal(report.error, -EBADF);
}

/* --- the cell: its inmate tries what it must not do ------------------------------------------------------------------
 */

enum {
	OPENED_A_FILE = 1,
	MADE_A_SOCKET = 2,
	FORKED = 4,
	TRACED = 8,
	TOOK_MEMORY = 16,
	SAW_A_DESCRIPTOR = 32,
	KILLED = 64,
	GOT_OUT = 128, /* all of it ran */
};

static unsigned try_everything(pid_t parent)
{
	unsigned done = GOT_OUT;

	done |= open("/etc/passwd", O_RDONLY) >= 0 ? OPENED_A_FILE : 0;
	done |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? MADE_A_SOCKET : 0;
	done |= fork() >= 0 ? FORKED : 0;
	done |= ptrace(PTRACE_ATTACH, parent, NULL, NULL) == 0 ? TRACED : 0;
	done |= malloc(2048 * MIB) != NULL ? TOOK_MEMORY : 0;
	done |= kill(parent, 0) == 0 ? KILLED : 0;
	for (int fd = 4; fd < 64; fd++) {
		char byte;

		done |= read(fd, &byte, 1) >= 0 ? SAW_A_DESCRIPTOR : 0;
	}
	return done;
}

static void an_inmate_reaches_nothing(void **state)
{
	struct archive_limits limits;
	autoclose int secret = open("/etc/passwd", O_RDONLY);
	int pipe_fds[2];
	unsigned done = 0;
	pid_t child, parent = getpid();

	(void)state;
	archive_limits_set(&limits, 100, 3);
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	if (child == 0) {
		if (cell_prepare(pipe_fds[1]) < 0 || cell_enter(&limits) < 0)
			_exit(1);
		done = try_everything(parent);
		_exit(write(STDERR_FILENO + 1, &done, sizeof(done)) == sizeof(done) ? 0 : 1);
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &done, sizeof(done)), sizeof(done));
	close(pipe_fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	if (!LIMITS_MEMORY)
		done &= ~(unsigned)TOOK_MEMORY;
	assert_int_equal(done, GOT_OUT);
}

#define WITH_JUDGE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JUDGE(the_judge_finds_what_a_look_of_our_own_finds),
		WITH_JUDGE(an_archive_that_eats_memory_gets_no_more_than_its_share),
		WITH_JUDGE(without_its_judge_a_program_looks_itself),
		WITH_JUDGE(the_judge_ends_with_the_program),
		WITH_JUDGE(many_threads_ask_at_once),
		WITH_JUDGE(a_descriptor_that_cannot_be_read_is_told),
		cmocka_unit_test(an_inmate_reaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
