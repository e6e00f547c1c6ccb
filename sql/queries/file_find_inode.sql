-- file_find_inode: one file, by its inode.
-- in: tenant_id, inode
-- out: inode, file_id, name, path, original_name, object_path, size_bytes, media_type, sha256, status, validation, mode, nlink,
--      uid, gid, mtime_ns, uploaded_at_ns, processed_at, uploaded_by, tags, description, metadata, visibility, job_state,
--      job_id, job_error
SELECT inode, file_id, name, entry_path(tenant_id, inode) AS path, original_name, object_path, size_bytes, media_type,
       sha256, status, validation, mode, nlink, uid, gid, mtime_ns, uploaded_at_ns, processed_at, uploaded_by, tags,
       description, metadata, visibility, job_state, job_id, job_error
  FROM file_detail
 WHERE tenant_id = $1 AND inode = $2;
