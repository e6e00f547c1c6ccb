-- fsck_objects: the objects of a tenant by their number, a page of them.
-- in: tenant_id, object_id after which to begin, rows at most   out: object_id, path, size_bytes, sha256
SELECT object_id, path, size_bytes, sha256
  FROM object
 WHERE tenant_id = $1 AND object_id > $2::bigint
 ORDER BY object_id
 LIMIT $3::bigint;
