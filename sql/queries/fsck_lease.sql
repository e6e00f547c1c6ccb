-- fsck_lease: who writes to a tenant, and how far its journal has been applied.
-- in: tenant_id   out: holder, epoch, is_live, journal_epoch, journal_position (no row: never mounted)
SELECT holder, epoch, expires_at > now() AS is_live, journal_epoch, journal_position
  FROM tenant_lease
 WHERE tenant_id = $1;
