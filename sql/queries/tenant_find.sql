-- tenant_find: one tenant, by its number, else by its code or UUID; also one that is being deleted.
-- in: tenant_id or null, code or UUID or null
-- out: tenant_id, code, uuid, name, description, configuration, is_active, is_deleting, storage_quota_bytes,
--      file_count_limit, owner_uid, owner_gid, mode, root_inode, created_at, updated_at, used_bytes, file_count
SELECT t.tenant_id, t.code, t.uuid, t.name, t.description, t.configuration, t.is_active,
       t.delete_requested_at IS NOT NULL AS is_deleting, t.storage_quota_bytes, t.file_count_limit, t.owner_uid,
       t.owner_gid, t.mode, t.root_inode, t.created_at, t.updated_at,
       coalesce(u.used_bytes, 0) AS used_bytes, coalesce(u.file_count, 0) AS file_count
  FROM tenant t
  LEFT JOIN tenant_usage u USING (tenant_id)
 WHERE t.tenant_id = $1::bigint
    OR ($1::bigint IS NULL AND (t.code = $2::text OR t.uuid::text = lower($2::text)));
