/* One load: what is asked for, who is told, and how it is run on a loader thread's connection. Inside of loader.c. */
#pragma once
#include "fusefs/loader.h"
#include "shared/db/db.h"

enum load_kind {
	LOAD_ENTRY,
	LOAD_LIST,
	LOAD_NODE,
	LOAD_FILE,
	LOAD_ATTRIBUTES,
	LOAD_EXTRACTION,
	LOAD_TENANT,
	LOAD_TENANT_BY_ID,
	LOAD_TENANTS,
	LOAD_REJECTIONS,
	LOAD_TENANT_STATS,
};

struct pending_load {
	struct pending_load *next;
	enum load_kind kind;
	int64_t deadline_ns; /* monotonic */
	int64_t tenant_id, number, value;
	int limit;
	uint8_t sha256[DIGEST_SIZE];
	union {
		loader_entry_fn *entry;
		loader_attributes_fn *attributes;
		loader_extraction_fn *extraction;
		loader_tenants_fn *tenants;
		loader_text_fn *text;
	} done;
	void *context;
	size_t length;
	char text[]; /* a name, a file id, a code */
};

/* Runs it and calls back. 0: called back. Negative: not called back, the caller tries again or gives up with
 * load_fail(). */
int load_run(struct db *db, struct pending_load *load);
/* Calls back with an error. */
void load_fail(struct pending_load *load, int error);
