/*
 * latency FOLDER COUNT SIZE: from the close of a text file of SIZE bytes to the moment its extraction can be read.
 * Prints "p50<TAB>ms" and "p99<TAB>ms". The files are removed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_S = 10, POLL_US = 200 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static int write_file(const char *path, long number, size_t size_bytes)
{
	FILE *file = fopen(path, "wx");

	if (file == NULL)
		return -1;
	for (size_t written = 0; written < size_bytes;)
		written += (size_t)fprintf(file, "line %zu of file %ld, process %ld, with some words in it\n", written,
					   number, (long)getpid());
	return fclose(file);
}

static int is_extracted(const char *path)
{
	char status[32];
	ssize_t length = getxattr(path, "user.extract.status", status, sizeof(status) - 1);

	return length == (ssize_t)strlen("completed") && memcmp(status, "completed", (size_t)length) == 0;
}

/* Milliseconds, or -1 after a complaint. */
static double measure(const char *folder, long number, size_t size_bytes)
{
	char path[4096];
	double closed_ms, waited_ms;

	snprintf(path, sizeof(path), "%s/latency-%ld-%ld.txt", folder, (long)getpid(), number);
	if (write_file(path, number, size_bytes) < 0) {
		fprintf(stderr, "latency: %s: %s\n", path, strerror(errno));
		return -1;
	}
	closed_ms = now_ms();
	do {
		usleep(POLL_US);
		waited_ms = now_ms() - closed_ms;
	} while (!is_extracted(path) && waited_ms < TIMEOUT_S * 1000);
	unlink(path);
	if (waited_ms >= TIMEOUT_S * 1000) {
		fprintf(stderr, "latency: %s was not extracted within %d s\n", path, TIMEOUT_S);
		return -1;
	}
	return waited_ms;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	double *waited_ms = count > 0 ? calloc((size_t)count, sizeof(*waited_ms)) : NULL;

	if (waited_ms == NULL)
		return fputs("usage: latency FOLDER COUNT SIZE\n", stderr), 2;
	for (long number = 0; number < count; number++) {
		waited_ms[number] = measure(argv[1], number, strtoul(argv[3], NULL, 10));
		if (waited_ms[number] < 0)
			return 1;
		usleep(20000); /* one at a time, on a system that is otherwise idle */
	}
	qsort(waited_ms, (size_t)count, sizeof(*waited_ms), compare);
	printf("p50\t%.1f\np99\t%.1f\n", waited_ms[count / 2], waited_ms[count * 99 / 100]);
	free(waited_ms);
	return 0;
}
