-- apply_object_put: published contents.
-- in: tenant_id, then an array a column in the order below   out: nothing
INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
SELECT $1, o.*
  FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::bigint[]) o
ON CONFLICT (tenant_id, object_id) DO UPDATE
   SET inode = excluded.inode, path = excluded.path, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
       media_type = excluded.media_type, published_at_ns = excluded.published_at_ns;
