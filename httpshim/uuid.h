/* Random UUIDs (version 4). */
#pragma once

enum { UUID_SIZE = 37 };
/* -EIO: the kernel gave no random bytes. */
int uuid_make(char ret_uuid[UUID_SIZE]);
/* Lower case, in place. */
void uuid_lower(char *uuid);
