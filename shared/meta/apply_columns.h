/* The statements of a batch: which, in which order, and their columns. */
#pragma once
#include "shared/meta/apply_collect.h"

enum { APPLY_QUERIES_MAX = 24 };

struct apply_pipeline {
	struct db *db;
	int64_t tenant_id;
	int count;	 /* queries in the pipeline */
	int equal_index; /* of the one that finds equal objects; -1: not asked */
};

/* Adds all that the collection asks for to the pipeline that was begun. Errors stick in the pipeline. */
void apply_pipeline_add(struct apply_pipeline *pipeline, const struct collection *collection, int extractor_version);
