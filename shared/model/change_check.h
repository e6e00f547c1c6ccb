/* What a change must be before it is written, and after it was read: a record on disk may hold anything. */
#pragma once
#include <stdbool.h>
#include "shared/model/change.h"

/* Everything PostgreSQL or the store would refuse is refused here, so that it never reaches the journal. */
bool change_is_valid(const struct change *change);
