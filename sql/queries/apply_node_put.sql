-- apply_node_put: nodes as they are now, made or changed.
-- in: tenant_id, then an array a column in the order below   out: nothing
INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, rdev, size_bytes, atime_ns, mtime_ns, ctime_ns, btime_ns,
                  link_target, file_id, object_id, status, validation, uploaded_at_ns, uploaded_by, original_name,
                  visibility, tags, description, metadata)
SELECT $1, n.*
  FROM unnest($2::bigint[], $3::"char"[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], $15::text[],
              $16::bigint[], $17::"char"[], $18::"char"[], $19::bigint[], $20::text[], $21::bytea[], $22::"char"[],
              $23::text[], $24::text[], $25::jsonb[]) n
ON CONFLICT (tenant_id, inode) DO UPDATE
   SET kind = excluded.kind, mode = excluded.mode, nlink = excluded.nlink, uid = excluded.uid, gid = excluded.gid,
       rdev = excluded.rdev, size_bytes = excluded.size_bytes, atime_ns = excluded.atime_ns, mtime_ns =
       excluded.mtime_ns, ctime_ns = excluded.ctime_ns, btime_ns = excluded.btime_ns, link_target =
       excluded.link_target, file_id = excluded.file_id, object_id = excluded.object_id, status = excluded.status,
       validation = excluded.validation, uploaded_at_ns = excluded.uploaded_at_ns, uploaded_by = excluded.uploaded_by,
       original_name = excluded.original_name, visibility = excluded.visibility, tags = excluded.tags, description =
       excluded.description, metadata = excluded.metadata;
