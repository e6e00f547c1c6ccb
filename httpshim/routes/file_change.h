/* Changing and removing one file through the mount. */
#pragma once
#include "httpshim/schema.h"

struct request;

extern const struct schema file_change_schema;
int file_change(struct request *request); /* the handler of PATCH and PUT */
/* Removes a file of the request's tenant and waits until that is committed. -ENOENT. */
int file_remove(struct request *request, const char *file_id);
