-- fsck_usage: the counters of a tenant beside what its rows add up to, in one snapshot.
-- in: tenant_id   out: used_bytes, file_count, row_bytes, row_files
SELECT coalesce(u.used_bytes, 0) AS used_bytes, coalesce(u.file_count, 0) AS file_count,
       (SELECT coalesce(sum(size_bytes), 0) FROM node WHERE tenant_id = $1 AND kind = 'f')::bigint
         + (SELECT coalesce(sum(octet_length(name) + octet_length(value)), 0)
              FROM attribute WHERE tenant_id = $1)::bigint AS row_bytes,
       (SELECT count(*) FROM node WHERE tenant_id = $1 AND kind = 'f') AS row_files
  FROM tenant t
  LEFT JOIN tenant_usage u USING (tenant_id)
 WHERE t.tenant_id = $1;
