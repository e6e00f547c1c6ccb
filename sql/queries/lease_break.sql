-- lease_break: frees a lease by force, when its holder and its journal are gone for good: what that had answered and not
-- committed is lost. The epoch grows, so that a holder that is alive after all writes no more.
-- in: tenant_id   out: holder and base_id before
UPDATE tenant_lease l SET holder = '', place = '', base_id = '', epoch = l.epoch + 1, expires_at = clock_timestamp()
  FROM (SELECT tenant_id, holder, base_id FROM tenant_lease WHERE tenant_id = $1 FOR UPDATE) before
 WHERE l.tenant_id = before.tenant_id
RETURNING before.holder, before.base_id;
