-- apply_object_equal: objects of equal content: for each that was put the newest older one, which is likely to share its bytes
-- with all the others already. It is the one just before in the order of the index object_sha256, if its content is the same.
-- in: tenant_id, object_ids that were put
-- out: older path, older inode, older object_id, newer path, newer inode, newer object_id
SELECT older.path, older.inode, older.object_id, newer.path, newer.inode, newer.object_id
  FROM unnest($2::bigint[]) put (object_id)
 CROSS JOIN LATERAL (SELECT path, inode, object_id, size_bytes, sha256 FROM object
                      WHERE tenant_id = $1 AND object_id = put.object_id LIMIT 1) newer
 CROSS JOIN LATERAL (SELECT path, inode, object_id, size_bytes, sha256 FROM object o
                      WHERE o.tenant_id = $1 AND (o.sha256, o.object_id) < (newer.sha256, newer.object_id)
                      ORDER BY o.sha256 DESC, o.object_id DESC LIMIT 1) older
 WHERE older.sha256 = newer.sha256 AND older.size_bytes = newer.size_bytes AND newer.size_bytes > 0;
