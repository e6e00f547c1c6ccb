/*
 * mdbench FOLDER COUNT SIZE: how many metadata operations a second a file system answers to one process. Prints a line
 * "operation<TAB>per_second" for each phase; leaves the folder as it was.
 *
 * Every file has SIZE bytes of its own, so that nothing can be stored once for all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

struct bench {
	int folder_fd;
	long count;
	size_t size_bytes;
	char *content, *scratch;
};

static void give_up(const char *what)
{
	fprintf(stderr, "mdbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* "a000001.txt": the names of one round differ from those of the other in their first letter. */
static const char *file_name(char letter, long number)
{
	static char name[32];

	snprintf(name, sizeof(name), "%c%06ld.txt", letter, number);
	return name;
}

static void create_file(struct bench *bench, long number)
{
	int fd = openat(bench->folder_fd, file_name('a', number), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		give_up("create");
	snprintf(bench->content, 32, "%ld of %ld ", number, (long)getpid());
	bench->content[strlen(bench->content)] = 'x';
	if (write(fd, bench->content, bench->size_bytes) != (ssize_t)bench->size_bytes)
		give_up("write");
	if (close(fd) < 0)
		give_up("close");
}

static void stat_file(struct bench *bench, long number)
{
	struct stat stat;

	if (fstatat(bench->folder_fd, file_name('a', number), &stat, 0) < 0 || stat.st_size != (off_t)bench->size_bytes)
		give_up("stat");
}

static void read_file(struct bench *bench, long number)
{
	int fd = openat(bench->folder_fd, file_name('a', number), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, bench->scratch, bench->size_bytes) != (ssize_t)bench->size_bytes || close(fd) < 0)
		give_up("read");
}

/* An attribute of the file system's own where it has one, else the answer that there is none: a round trip either way.
 */
static void read_attribute(struct bench *bench, long number)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", bench->folder_fd, file_name('a', number));
	if (getxattr(path, "user.mime_type", bench->scratch, 256) < 0 && errno != ENODATA && errno != ENOTSUP)
		give_up("getxattr");
}

static void rename_file(struct bench *bench, long number)
{
	char other[32];

	snprintf(other, sizeof(other), "%s", file_name('b', number));
	if (renameat(bench->folder_fd, file_name('a', number), bench->folder_fd, other) < 0)
		give_up("rename");
}

static void remove_file(struct bench *bench, long number)
{
	if (unlinkat(bench->folder_fd, file_name('b', number), 0) < 0)
		give_up("unlink");
}

static void report(const char *operation, long count, double started_s)
{
	printf("%s\t%.0f\n", operation, (double)count / (now_s() - started_s));
}

static void measure(struct bench *bench, const char *operation, void (*operate)(struct bench *bench, long number))
{
	double started_s = now_s();

	for (long number = 0; number < bench->count; number++)
		operate(bench, number);
	report(operation, bench->count, started_s);
}

static void measure_readdir(const struct bench *bench)
{
	double started_s = now_s();
	int fd = openat(bench->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	long seen = 0;

	if (folder == NULL)
		give_up("opendir");
	while (readdir(folder) != NULL)
		seen++;
	closedir(folder);
	if (seen < bench->count)
		give_up("readdir: names are missing");
	report("readdir", seen, started_s);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};

	if (argc != 4)
		return fputs("usage: mdbench FOLDER COUNT SIZE\n", stderr), 2;
	bench.folder_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench.count = strtol(argv[2], NULL, 10);
	bench.size_bytes = strtoul(argv[3], NULL, 10);
	if (bench.folder_fd < 0 || bench.count <= 0 || bench.size_bytes < 32)
		return fputs("mdbench: no such folder, or a count or size that is too small\n", stderr), 2;
	bench.content = malloc(bench.size_bytes);
	bench.scratch = malloc(bench.size_bytes + 256);
	if (bench.content == NULL || bench.scratch == NULL)
		give_up("memory");
	memset(bench.content, 'x', bench.size_bytes);
	measure(&bench, "create+write+close", create_file);
	measure(&bench, "stat", stat_file);
	measure_readdir(&bench);
	measure(&bench, "open+read+close", read_file);
	measure(&bench, "getxattr", read_attribute);
	measure(&bench, "rename", rename_file);
	measure(&bench, "unlink", remove_file);
	return 0;
}
