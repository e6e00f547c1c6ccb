-- job_files: the files that hold some contents, to tell the mount and whoever listens that their extraction has changed.
-- in: tenant_ids, sha256s, limit   out: tenant_id, tenant_code, sha256, file_id
SELECT t.tenant_id, t.code, o.sha256, n.file_id
  FROM unnest($1::bigint[], $2::bytea[]) w (tenant_id, sha256)
  JOIN tenant t ON t.tenant_id = w.tenant_id
  JOIN object o ON o.tenant_id = w.tenant_id AND o.sha256 = w.sha256
  JOIN node n ON n.tenant_id = o.tenant_id AND n.object_id = o.object_id AND n.nlink > 0
 LIMIT $3;
