-- apply_begin: checks that the lease is ours and that nothing of the batch was applied before, and moves the position; ends the
-- transaction otherwise (tenant_lease_move in 0001_core).
-- in: tenant_id, epoch, journal_epoch, position of the first record, position of the last   out: nothing
SELECT tenant_lease_move($1, $2, $3, $4, $5);
