/*
 * What a tenant may still take. Rows are charged in edit_commit(), in the record that changes them; what open files
 * hold beyond their rows is charged here, provisionally, while bytes are written. Lock held.
 */
#pragma once
#include "fusefs/tenant.h"

/* 0, -EDQUOT; -ENOSPC when the storage is at its emergency level. more may be 0 or negative: then it always fits. */
int quota_check(const struct tenant *tenant, int64_t more_bytes, int64_t more_files);
/* What an open file should be charged beyond its row. */
int64_t quota_provisional(const struct file *file);
/* Brings the provisional charge of an open file up to what it holds now. */
void quota_recharge(struct tenant *tenant, struct file *file);
/* Looks at the disk when the last look is more than a second old. No lock held: it is a system call. */
void quota_look_at_disk(struct mount *mount);
