/* Taking names away, as unlink, rmdir and rename do it. Lock held. */
#pragma once
#include "fusefs/edit.h"

/* Stages the end of a name; with a file's last name the event of its deletion. */
void edit_remove(struct edit *edit, struct entry *entry);
/* 0: it has no entries. -ENOTEMPTY; REQUEST_PARKED: that must be asked. */
int check_empty(struct request *request, struct tenant *tenant, struct folder *folder);
