-- apply_object_equal: objects of equal content: for each that was put the newest older one, which is likely to share its bytes
-- with all the others already. Asked as a range of the index object_sha256, which says no without reading a row.
-- in: tenant_id, object_ids, inodes, paths, sizes, sha256s of what was put
-- out: older path, older inode, older object_id, newer path, newer inode, newer object_id
SELECT older.path, older.inode, older.object_id, newer.path, newer.inode, newer.object_id
  FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[]) newer (object_id, inode, path, size_bytes, sha256)
 CROSS JOIN LATERAL (SELECT path, inode, object_id, size_bytes FROM object o
                      WHERE o.tenant_id = $1 AND o.sha256 >= newer.sha256
                        AND (o.sha256, o.object_id) < (newer.sha256, newer.object_id)
                      ORDER BY o.sha256 DESC, o.object_id DESC LIMIT 1) older
 WHERE older.size_bytes = newer.size_bytes AND newer.size_bytes > 0;
