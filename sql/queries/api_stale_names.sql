-- api_stale_names: working names of uploads that no upload knows any more: their shim was killed. They lie in the month folders.
-- in: seconds since they were made at least, limit   out: tenant_id, code, path, kind
SELECT t.tenant_id, t.code, m.name || '/'::bytea || e.name AS path, e.kind
  FROM tenant t
  JOIN entry m ON m.tenant_id = t.tenant_id AND m.parent_inode = t.root_inode AND m.kind = 'd'
  JOIN entry e ON e.tenant_id = t.tenant_id AND e.parent_inode = m.inode
              AND e.name >= '.upload-'::bytea AND e.name < '.upload.'::bytea AND e.kind IN ('f', 'd')
  JOIN node n ON n.tenant_id = e.tenant_id AND n.inode = e.inode
 WHERE t.is_active AND t.delete_requested_at IS NULL
   AND n.btime_ns < (extract(epoch FROM now()) - $1::bigint) * 1e9
   AND NOT EXISTS (SELECT 1 FROM upload u
                    WHERE u.tenant_id = t.tenant_id AND convert_to(u.folder, 'UTF8') = m.name || '/'::bytea || e.name)
 LIMIT $2::bigint;
