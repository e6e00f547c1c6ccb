-- lease_renew: prolongs leases that are still of these epochs, and moves the mark of the periodic syncfs.
-- in: tenant_ids, epochs, synced positions (-1: the mark stays), duration in ms, boot_id   out: tenant_id of those renewed
UPDATE tenant_lease l
   SET expires_at = clock_timestamp() + make_interval(secs => $4 / 1000.0),
       synced_position = CASE WHEN r.synced < 0 THEN l.synced_position ELSE r.synced END,
       synced_at = CASE WHEN r.synced < 0 THEN l.synced_at ELSE clock_timestamp() END,
       synced_boot_id = CASE WHEN r.synced < 0 THEN l.synced_boot_id ELSE $5 END
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) r (tenant_id, epoch, synced)
 WHERE l.tenant_id = r.tenant_id AND l.epoch = r.epoch
RETURNING l.tenant_id;
