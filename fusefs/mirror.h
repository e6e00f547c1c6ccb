/*
 * .extract: a read-only mirror of the months in which each file is a folder of what was extracted from it. Owner and
 * mode are those of the source, less x for files and less w for all.
 *
 * Its nodes stand behind no row; each is (inode, part, page) of the tenant and gets a number when the kernel first asks
 * for it. Names live 0 s in the kernel, so that the mirror follows renames.
 */
#pragma once
#include "fusefs/request.h"
#include "fusefs/tenant.h"

int mirrors_init(struct tenant *tenant);
void mirrors_release(struct tenant *tenant);
/* Operations on nodes of NODE_KIND_MIRROR; no lock held. */
int mirror_lookup(struct request *request);
int mirror_getattr(struct request *request);
int mirror_open(struct request *request);
int mirror_read(struct request *request);
void mirror_release(struct request *request);
int mirror_readdir(struct request *request);
void mirror_forget(struct tenant *tenant, uint64_t node, uint64_t count);
