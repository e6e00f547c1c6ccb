/* Spools that fsync put on disk and no close followed: validated and published after the replay, as if they had been
 * closed. */
#pragma once
#include "fusefs/tenant.h"

/* No lock held. Works on the runner's threads; what fails is logged and the spool left. */
void recover_spools(struct tenant *tenant, const struct durable_spool *spools, int count);
