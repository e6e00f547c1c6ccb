-- apply_object_equal: objects of equal content: for each that was put the newest older one, which is likely to share its bytes
-- with all the others already.
-- in: tenant_id, object_ids that were put
-- out: older path, older inode, older object_id, newer path, newer inode, newer object_id
SELECT older.path, older.inode, older.object_id, newer.path, newer.inode, newer.object_id
  FROM object newer
  JOIN LATERAL (SELECT path, inode, object_id, size_bytes FROM object o
                 WHERE o.tenant_id = $1 AND o.sha256 = newer.sha256 AND o.object_id < newer.object_id
                 ORDER BY o.object_id DESC LIMIT 1) older ON older.size_bytes = newer.size_bytes
 WHERE newer.tenant_id = $1 AND newer.object_id = ANY ($2::bigint[]) AND newer.size_bytes > 0;
