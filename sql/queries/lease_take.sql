-- lease_take: takes a tenant's lease, or says why not (tenant_lease_take in 0001_core).
-- in: tenant_id, holder, place, base_id, duration in ms
-- out: verdict, epoch now, holder before, place before, base_id before, wait_ms, journal_epoch, journal_position,
--      synced_position, synced_at, synced_boot_id
SELECT t.verdict, (t.lease).epoch, (t.lease).holder, (t.lease).place, (t.lease).base_id, t.wait_ms, (t.lease).journal_epoch,
       (t.lease).journal_position, (t.lease).synced_position, (t.lease).synced_at, (t.lease).synced_boot_id
  FROM tenant_lease_take($1, $2, $3, $4, $5) t;
