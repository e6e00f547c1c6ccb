#include "extractd/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/model/rows.h"

int object_base_open(const char *base_path)
{
	int fd = open(base_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int object_open(int base_fd, const char *tenant_code, const char *path, int *ret_fd)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	char relative[TENANT_CODE_SIZE + OBJECT_PATH_SIZE + 2];
	autoclose int fd = -1;
	struct stat stat;

	snprintf(relative, sizeof(relative), "%s/%s", tenant_code, path);
	fd = (int)syscall(SYS_openat2, base_fd, relative, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	*ret_fd = take_fd(&fd);
	return 0;
}
