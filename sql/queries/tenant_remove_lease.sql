-- tenant_remove_lease: takes the lease of a tenant whose deletion was asked for, when nobody holds it.
-- in: tenant_id, holder   out: epoch (no row: it is held, or its deletion was not asked for)
INSERT INTO tenant_lease AS l (tenant_id, holder, epoch, expires_at)
SELECT tenant_id, $2::text, 1, now() + interval '60 seconds'
  FROM tenant WHERE tenant_id = $1 AND delete_requested_at IS NOT NULL
ON CONFLICT (tenant_id) DO UPDATE
   SET holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
 WHERE l.expires_at < now()
RETURNING epoch;
