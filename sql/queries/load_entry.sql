-- load_entry: one name in one folder, with its node and, for a file, its object.
-- in: tenant_id, parent_inode, name
-- out: parent_inode, name, inode, kind, sequence, mode, nlink, uid, gid, rdev, size_bytes, atime_ns, mtime_ns, ctime_ns,
--      btime_ns, link_target, file_id, object_id, status, validation, uploaded_at_ns, uploaded_by, original_name,
--      visibility, tags, description, metadata, object path, size_bytes, sha256, media_type, published_at_ns,
--      attribute_bytes, attribute_count
SELECT e.parent_inode, e.name, n.inode, n.kind, e.sequence, n.mode, n.nlink, n.uid, n.gid, n.rdev, n.size_bytes,
       n.atime_ns, n.mtime_ns, n.ctime_ns, n.btime_ns, n.link_target, n.file_id, n.object_id, n.status, n.validation,
       n.uploaded_at_ns, n.uploaded_by, n.original_name, n.visibility, n.tags, n.description, n.metadata,
       o.path, o.size_bytes AS object_size_bytes, o.sha256, o.media_type, o.published_at_ns,
       a.attribute_bytes, a.attribute_count
  FROM entry e
  JOIN node n ON n.tenant_id = e.tenant_id AND n.inode = e.inode
  LEFT JOIN object o ON o.tenant_id = n.tenant_id AND o.object_id = n.object_id
 CROSS JOIN LATERAL (SELECT coalesce(sum(octet_length(name) + octet_length(value)), 0)::bigint AS attribute_bytes,
                            count(*) AS attribute_count
                       FROM attribute WHERE tenant_id = n.tenant_id AND inode = n.inode) a
 WHERE e.tenant_id = $1 AND e.parent_inode = $2 AND e.name = $3;
