-- tenant_remove_row: the last of a tenant: its own row, with its counters and the lease.
-- in: tenant_id, epoch   out: tenant_id
DELETE FROM tenant t
 USING tenant_lease l
 WHERE t.tenant_id = $1 AND l.tenant_id = t.tenant_id AND l.epoch = $2 AND t.delete_requested_at IS NOT NULL
RETURNING t.tenant_id;
