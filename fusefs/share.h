/*
 * Equal content of a tenant is stored once: the committer finds equal objects, and here, on the runner, they are
 * compared byte for byte and become hard links of one. An object that is being appended to in place is left alone, and
 * none begins to be while a sharing is under way.
 */
#pragma once

struct apply_equal;
struct tenant;

/* Copies the pairs and returns at once. From any thread, no lock held. */
void share_later(struct tenant *tenant, const struct apply_equal *equal);
