/*
 * Times of reading. They change in memory alone and go with the next record of their inode; what has waited for a
 * minute gets a record of its own. So a crash loses at most a minute of them, and nothing else is written because of a
 * read.
 */
#pragma once
#include "fusefs/tenant.h"

/* Lock held. False: too many wait already, or there is no lease; then memory alone has it and may forget it. */
bool atimes_note(struct tenant *tenant, int64_t inode);
void atimes_record(struct tenant *tenant); /* takes the lock */
void atimes_start(struct mount *mount);	   /* from now on once a minute */
