#include "httpshim/assembly.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_rows.h"
#include "httpshim/working_file.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"
#include "shared/meta/files.h"
#include "shared/meta/tenants.h"

enum { COPY_BYTES = 256 << 10, DATABASE_WAIT_MS = 2000, SIGN_EVERY_S = 10, REASON_SIZE = 512 };

/* One upload that is being put together. */
struct assembly {
	struct server *server;
	struct tenant *tenant;
	const char *worker;
	char upload_id[UUID_SIZE], file_id[FILE_ID_SIZE], folder[UPLOAD_FOLDER_SIZE];
	json_t *request;
	int64_t size_bytes, signed_ns;
	bool is_public;
};

void assembly_chunk_path(const char *folder, long long index, char ret_path[CHUNK_PATH_SIZE])
{
	snprintf(ret_path, CHUNK_PATH_SIZE, "%s/.%lld", folder, index);
}

static void file_path(const char *folder, const char *extension, char ret_path[CHUNK_PATH_SIZE])
{
	snprintf(ret_path, CHUNK_PATH_SIZE, "%s/.file.%s", folder, extension);
}

int assembly_make_file(struct server *server, struct tenant *tenant, const struct upload_row *row, const char *extension,
		       char *ret_file_id)
{
	char path[CHUNK_PATH_SIZE];
	int fd autoclose = -1, r;

	file_path(row->folder, extension, path);
	r = mount_open(server->mount, tenant, path, O_CREAT | O_WRONLY, 0660, &fd);
	if (r == 0)
		r = mount_set_privileged(fd, "user.tenantfs.uploaded_by", row->subject, strlen(row->subject));
	return r < 0 ? r : mount_get_attribute(fd, "user.tenantfs.id", ret_file_id, FILE_ID_SIZE);
}

static int remove_one(const char *name, void *context)
{
	struct {
		struct server *server;
		struct tenant *tenant;
		const char *folder;
	} *where = context;
	char path[WORKING_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", where->folder, name);
	return mount_remove(where->server->mount, where->tenant, path);
}

int assembly_remove_folder(struct server *server, struct tenant *tenant, const char *folder)
{
	struct {
		struct server *server;
		struct tenant *tenant;
		const char *folder;
	} where = {server, tenant, folder};
	int r = mount_list(server->mount, tenant, folder, remove_one, &where);

	if (r == 0)
		r = mount_remove_folder(server->mount, tenant, folder);
	return r == -ENOENT ? 0 : r;
}

/* --- rows --- */

static void init_key(struct db_params *params, const struct assembly *assembly)
{
	db_params_init(params);
	db_param_int(params, assembly->tenant->id);
	db_param_uuid(params, assembly->upload_id);
}

/* Says now and then that the work goes on. -ESTALE: somebody else does it. */
static int sign(struct assembly *assembly)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	struct db *db;
	int r;

	if (clock_monotonic_ns() - assembly->signed_ns < SIGN_EVERY_S * NS_PER_S)
		return 0;
	init_key(&params, assembly);
	db_param_text(&params, assembly->worker);
	r = db_pool_get(assembly->server->database, DATABASE_WAIT_MS, &db);
	if (r < 0)
		return r;
	r = db_run(db, QUERY_API_UPLOAD_WORK, &params, &result);
	db_pool_put(assembly->server->database, db);
	assembly->signed_ns = clock_monotonic_ns();
	return r == 0 && db_rows(result) == 0 ? -ESTALE : r;
}

static int settle(struct assembly *assembly, struct db *db, const char *state, const char *error)
{
	struct db_params params autoparams = {0};

	init_key(&params, assembly);
	db_param_text(&params, assembly->worker);
	db_param_text(&params, state);
	db_param_text(&params, error);
	return db_run(db, QUERY_API_UPLOAD_SETTLE, &params, NULL);
}

static int forget_chunks(struct assembly *assembly, struct db *db)
{
	struct db_params params autoparams = {0};

	init_key(&params, assembly);
	return db_run(db, QUERY_API_UPLOAD_FORGET_CHUNKS, &params, NULL);
}

/* --- bytes --- */

static int copy_chunk(struct assembly *assembly, struct working_file *file, int64_t index, char *bytes)
{
	char path[CHUNK_PATH_SIZE];
	int fd autoclose = -1, r;
	ssize_t n;

	assembly_chunk_path(assembly->folder, (long long)index, path);
	r = mount_open(assembly->server->mount, assembly->tenant, path, O_RDONLY, 0, &fd);
	while (r == 0 && (n = read(fd, bytes, COPY_BYTES)) != 0)
		r = n < 0 ? -errno : working_file_write(file, bytes, (size_t)n);
	return r == 0 ? sign(assembly) : r;
}

static int copy_chunks(struct assembly *assembly, struct db *db, struct working_file *file)
{
	struct upload_chunk *chunks autofree = NULL;
	char *bytes autofree = malloc(COPY_BYTES);
	int count, r;

	if (!bytes)
		return -ENOMEM;
	r = upload_row_chunks(db, assembly->tenant->id, assembly->upload_id, &chunks, &count);
	for (int i = 0; r == 0 && i < count; i++)
		r = copy_chunk(assembly, file, chunks[i].index, bytes);
	if (r == 0 && file->size_bytes != (uint64_t)assembly->size_bytes)
		r = -EBADMSG;
	return r;
}

static int set_attributes(struct assembly *assembly, struct working_file *file)
{
	const json_t *detail = json_object_get(assembly->request, "detail");
	char *text autofree = json_is_object(detail) ? json_dumps(detail, JSON_COMPACT) : NULL;
	struct file_attributes attributes = {.is_public = assembly->is_public};

	if (text)
		attributes.metadata = (struct bytes){text, strlen(text)};
	return working_file_set_attributes(file, &attributes);
}

static const char *extension_of(const struct assembly *assembly)
{
	const char *extension = json_string_value(json_object_get(assembly->request, "file_extension"));

	return extension ? extension : "bin";
}

static int publish(struct assembly *assembly, struct working_file *file)
{
	char text[FILE_NAME_SIZE];
	struct bytes name;
	int n;

	n = snprintf(text, sizeof(text), "%s.%s", assembly->upload_id, extension_of(assembly));
	name = (struct bytes){text, (size_t)n};
	return working_file_publish(file, &name, &name, true);
}

/* Whether an earlier run came as far as the name. */
static bool has_its_name(struct assembly *assembly, struct db *db)
{
	struct file_list list autofiles = {0};

	return file_find(db, assembly->tenant->id, assembly->file_id, &list) == 0 && list.rows[0].name.length > UUID_SIZE &&
	       memcmp(list.rows[0].name.data, assembly->upload_id, UUID_SIZE - 1) == 0;
}

static int write_file(struct assembly *assembly, struct db *db, struct working_file *file)
{
	int r;

	file_path(assembly->folder, extension_of(assembly), file->path);
	clock_format_month(clock_realtime_ns(), file->folder);
	memcpy(file->file_id, assembly->file_id, sizeof(file->file_id));
	file->server = assembly->server;
	file->tenant = tenant_ref(assembly->tenant);
	r = mount_open(assembly->server->mount, assembly->tenant, file->path, O_WRONLY | O_TRUNC, 0, &file->fd);
	if (r == 0)
		r = copy_chunks(assembly, db, file);
	if (r == 0)
		r = set_attributes(assembly, file);
	if (r == 0)
		r = publish(assembly, file);
	return r == 0 ? working_file_wait(file) : r;
}

/* What will be the same however often it is tried. */
static bool is_final(int error)
{
	return error == -EPERM || error == -EFBIG || error == -EDQUOT || error == -ENOENT || error == -EBADMSG ||
	       error == -EEXIST || error == -EACCES;
}

static void describe(struct assembly *assembly, struct db *db, int error, char reason[REASON_SIZE])
{
	struct rejection_list list autorejections = {0};

	mount_wait_committed(assembly->server->mount, assembly->tenant);
	if (rejection_of_file(db, assembly->tenant->id, assembly->file_id, &list) == 0 && list.count > 0)
		snprintf(reason, REASON_SIZE, "%.*s", (int)list.rows[0].reason.length, list.rows[0].reason.data);
	else if (error == -EDQUOT)
		snprintf(reason, REASON_SIZE, "The tenant's quota is used up.");
	else if (error == -EBADMSG)
		snprintf(reason, REASON_SIZE, "The chunks together are not as long as was said.");
	else
		snprintf(reason, REASON_SIZE, "The file could not be stored: %s.", strerrordesc_np(-error));
}

static int run(struct assembly *assembly, struct db *db)
{
	struct working_file file = WORKING_FILE_NONE;
	char reason[REASON_SIZE];
	int r = 0;

	if (!has_its_name(assembly, db))
		r = write_file(assembly, db, &file);
	working_file_release(&file);
	if (r < 0 && !is_final(r)) {
		log_warn("an upload could not be assembled yet", "tenant", assembly->tenant->code, "upload", assembly->upload_id,
			 "error", log_errno(r));
		return r; /* the row stays as it is and is taken again in a minute */
	}
	metrics_add(assembly->server->metrics, r == 0 ? METRIC_ASSEMBLIES : METRIC_ASSEMBLY_FAILURES, 1);
	if (r < 0) {
		describe(assembly, db, r, reason);
		log_info("an upload failed", "tenant", assembly->tenant->code, "upload", assembly->upload_id, "reason", reason);
		return settle(assembly, db, "failed", reason);
	}
	r = settle(assembly, db, "done", NULL);
	if (r == 0)
		r = assembly_remove_folder(assembly->server, assembly->tenant, assembly->folder);
	return r == 0 ? forget_chunks(assembly, db) : r;
}

static int read_claim(struct server *server, const struct db_result *result, struct assembly *assembly)
{
	char code[TENANT_CODE_SIZE];
	size_t length;
	const char *text = db_get_bytes(result, 0, 5, &length);
	int r;

	column_text(result, 0, 1, code, sizeof(code));
	db_get_uuid(result, 0, 2, assembly->upload_id);
	column_text(result, 0, 3, assembly->file_id, sizeof(assembly->file_id));
	column_text(result, 0, 4, assembly->folder, sizeof(assembly->folder));
	assembly->size_bytes = db_get_int(result, 0, 6);
	assembly->is_public = db_get_bool(result, 0, 7);
	r = tenant_cache_get(server->tenants, code, &assembly->tenant);
	if (r < 0)
		return r;
	assembly->request = text ? json_loadb(text, length, 0, NULL) : NULL;
	return assembly->request ? 0 : -ENOMEM;
}

int assembly_run_one(struct server *server, const char *worker)
{
	struct assembly assembly = {.server = server, .worker = worker, .signed_ns = clock_monotonic_ns()};
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	struct db *db;
	int r;

	db_params_init(&params);
	db_param_text(&params, worker);
	r = db_pool_get(server->database, DATABASE_WAIT_MS, &db);
	if (r < 0)
		return r;
	r = db_run(db, QUERY_API_UPLOAD_CLAIM, &params, &result);
	if (r == 0 && db_rows(result) > 0) {
		r = read_claim(server, result, &assembly);
		if (r == 0)
			r = run(&assembly, db);
		r = r < 0 ? r : 1;
	}
	db_pool_put(server->database, db);
	json_decref(assembly.request);
	tenant_unref(assembly.tenant);
	return r;
}
