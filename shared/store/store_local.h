/*
 * The store in a plain tree. Private to shared/store; one struct, its calls spread over store_local.c (opening),
 * store_probe.c, store_folder.c (folders of months), store_object.c, store_share.c, store_list.c, store_sweep.c and
 * spool_local.c.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "shared/model/rows.h"
#include "shared/store/store_layer.h"

enum { FOLDER_SLOTS = 128, FOLDER_KEY_SIZE = TENANT_CODE_SIZE + STORE_MONTH_LENGTH + 1 };

/* The open folder of one month of one tenant, shared by whoever works in it. */
struct folder {
	char key[FOLDER_KEY_SIZE]; /* "acme/2026-11" */
	int fd;
	unsigned references; /* lock of folders; the slot holds one */
	uint64_t used;	     /* lock of folders; the clock of the slots when it was asked for */
};

struct folders {
	pthread_mutex_t lock; /* never held across a system call that may reach the disk */
	struct folder *slots[FOLDER_SLOTS];
	uint64_t clock;
};

struct store_local {
	struct store store;
	char *base_path;	  /* for log lines */
	int base_fd, private_fd;  /* <base>, <base>/.tenantfs */
	int spool_fd, journal_fd; /* below .tenantfs */
	int trash_fd;		  /* tenants on their way out; -1 when read only */
	int lock_fd;		  /* -1 when read only */
	bool is_read_only, has_empty_path_link;
	dev_t device;
	uint32_t machine;      /* marks the spools of this machine where several share the tree */
	uint64_t first_number; /* of this process; lower ones are of an earlier one */
	atomic_uint_fast64_t next_number;
	atomic_bool has_foreign;		     /* a folder of a month on another file system was seen */
	atomic_int_fast64_t reported_ns, unreported; /* see store_report() */
	struct store_abilities abilities;
	struct folders folders;
};

#define LOCAL(store_pointer) ((struct store_local *)(void *)(store_pointer))

/* store_probe.c */
void store_probe(struct store_local *local);
void store_tell(const struct store_local *local); /* the line of the log */
/* Logs, at most once a second, when r says that the storage below failed; returns r. */
int store_report(struct store_local *local, const char *operation, const struct object_place *place, int r);

/* store_folder.c: -errno. openat2 beneath a folder, through no symbolic link. */
int beneath_open(int folder_fd, const char *path, int flags, int *ret_fd);
int folders_init(struct folders *folders);
void folders_release(struct folders *folders);
/* makes: creates what is missing. The caller gives it back with folder_put(). */
int folder_get(struct store_local *local, const struct object_place *place, bool makes, struct folder **ret_folder);
void folder_put(struct store_local *local, struct folder *folder);
/* Whoever asks next opens it again. path NULL: all of the tenant. */
void folder_forget(struct store_local *local, const char *tenant_code, const char *path);
/* True when the folder behind the descriptor has been removed under us; it is forgotten then. */
bool folder_is_gone(struct store_local *local, const struct object_place *place, const struct folder *folder);

/* spool_local.c */
void spool_format_name(const struct store_local *local, uint64_t number, char ret_name[SPOOL_NAME_SIZE]);
/* False for a name of another machine, or none of ours at all. */
bool spool_parse_name(const struct store_local *local, const char *name, uint64_t *ret_number);
int local_link(const struct store_local *local, int fd, int folder_fd, const char *name);
int local_rename_new(const struct store_local *local, int from_fd, const char *from, int to_fd, const char *to);
int local_spool_create(struct store *store, struct spool *ret_spool);
void local_spool_discard(struct store *store, struct spool *spool);
int local_spool_name(struct store *store, struct spool *spool);
int local_spool_sync(struct store *store, struct spool *spool);
int local_spool_open_named(struct store *store, const char *name, struct spool *ret_spool);
int local_spool_clone(struct store *store, struct spool *spool, const struct object_place *place, uint64_t size_bytes);
int local_spool_publish(struct store *store, struct spool *spool, const struct object_place *place);

/* store_object.c, store_share.c */
int local_open(struct store *store, const struct object_place *place, int flags, int *ret_fd);
int local_stat(struct store *store, const struct object_place *place, struct stat *ret_stat);
int local_remove(struct store *store, const struct object_place *place);
int local_sync(struct store *store, const struct object_place *place);
int local_sync_all(struct store *store);
int local_share(struct store *store, const struct object_place *first, const struct object_place *second);

/* store_list.c, store_sweep.c */
int local_list(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context);
int local_list_tenants(struct store *store, store_visit_fn *visit, void *context);
/* Every entry of one folder, "." and ".." not; visit gets the plain name. */
int folder_each(int folder_fd, store_visit_fn *visit, void *context);
int local_remove_tenant(struct store *store, const char *tenant_code);
int local_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context);
