-- rejection_list: the last refused files of a tenant, the newest first; with a file id, only what was refused under it.
-- in: tenant_id, file_id or null, rows at most   out: file_id, name, rule, reason, uid, rejected_at
SELECT coalesce(file_id, '') AS file_id, name, rule, reason, uid, rejected_at
  FROM rejection
 WHERE tenant_id = $1 AND ($2::text IS NULL OR file_id = $2)
 ORDER BY rejection_id DESC
 LIMIT $3::bigint;
