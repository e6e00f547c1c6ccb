/* What lies on disk, for fsck and sweeps: complete, or an error. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/store/store_local.h"

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What vanished between its name and its attributes was removed by someone entitled to. */
static int visit_name(int folder_fd, const char *name, store_visit_fn *visit, void *context)
{
	struct stat stat;

	if (is_dot(name))
		return 0;
	if (fstatat(folder_fd, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return visit(name, &stat, context);
}

/* A descriptor of its own: listing moves its position, and the folder's may be shared. */
int folder_each(int folder_fd, store_visit_fn *visit, void *context)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!listing) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	do {
		errno = 0;
		entry = readdir(listing);
		if (entry)
			r = visit_name(fd, entry->d_name, visit, context);
		else
			r = -errno;
	} while (r == 0 && entry);
	closedir(listing);
	return r;
}

struct month_listing {
	struct store_local *local;
	int tenant_fd;
	const char *month; /* NULL: in the tenant's own folder */
	store_visit_fn *visit;
	void *context;
};

static int visit_in_month(const char *name, const struct stat *stat, void *context)
{
	const struct month_listing *listing = context;
	char path[STORE_MONTH_LENGTH + 1 + NAME_MAX + 1];

	snprintf(path, sizeof(path), "%s/%s", listing->month, name);
	return listing->visit(path, stat, listing->context);
}

static int visit_in_tenant(const char *name, const struct stat *stat, void *context)
{
	struct month_listing month = *(struct month_listing *)context;
	autoclose int month_fd = -1;
	int r;

	if (!S_ISDIR(stat->st_mode) || !clock_is_month(name, strlen(name)))
		return month.visit(name, stat, month.context);
	r = beneath_open(month.tenant_fd, name, O_RDONLY | O_DIRECTORY, &month_fd);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	month.month = name;
	return folder_each(month_fd, visit_in_month, &month);
}

int local_list(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context)
{
	struct store_local *local = LOCAL(store);
	struct month_listing listing = {.local = local, .visit = visit, .context = context};
	autoclose int tenant_fd = -1;
	int r;

	if (!tenant_code)
		return folder_each(local->spool_fd, visit, context);
	r = beneath_open(local->base_fd, tenant_code, O_RDONLY | O_DIRECTORY, &tenant_fd);
	if (r < 0)
		return r;
	listing.tenant_fd = tenant_fd;
	return folder_each(tenant_fd, visit_in_tenant, &listing);
}

struct tenant_listing {
	store_visit_fn *visit;
	void *context;
};

static int visit_in_base(const char *name, const struct stat *stat, void *context)
{
	const struct tenant_listing *listing = context;

	if (strcmp(name, ".tenantfs") == 0 || strcmp(name, "lost+found") == 0)
		return 0;
	return listing->visit(name, stat, listing->context);
}

int local_list_tenants(struct store *store, store_visit_fn *visit, void *context)
{
	struct tenant_listing listing = {visit, context};

	return folder_each(LOCAL(store)->base_fd, visit_in_base, &listing);
}
