-- tenant_list: tenants in the order of their codes; also those that are being deleted.
-- in: code after which to begin, rows to skip, rows at most
-- out: as tenant_find
SELECT t.tenant_id, t.code, t.uuid, t.name, t.description, t.configuration, t.is_active,
       t.delete_requested_at IS NOT NULL AS is_deleting, t.storage_quota_bytes, t.file_count_limit, t.owner_uid,
       t.owner_gid, t.mode, t.root_inode, t.created_at, t.updated_at,
       coalesce(u.used_bytes, 0) AS used_bytes, coalesce(u.file_count, 0) AS file_count
  FROM tenant t
  LEFT JOIN tenant_usage u USING (tenant_id)
 WHERE t.code > $1::text
 ORDER BY t.code
OFFSET $2::bigint
 LIMIT $3::bigint;
