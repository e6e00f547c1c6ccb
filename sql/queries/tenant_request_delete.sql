-- tenant_request_delete: asks the lease holder to remove the tenant (the trigger on tenant notifies); asking twice is fine.
-- in: tenant_id   out: tenant_id
UPDATE tenant
   SET delete_requested_at = coalesce(delete_requested_at, now())
 WHERE tenant_id = $1
RETURNING tenant_id;
