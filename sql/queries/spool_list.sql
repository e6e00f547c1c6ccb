-- spool_list: content that an fsync made durable and no close has published, of files that still have a name.
-- in: tenant_id   out: inode, name, size_bytes
SELECT s.inode, s.name, s.size_bytes
  FROM spool s JOIN node n ON n.tenant_id = s.tenant_id AND n.inode = s.inode
 WHERE s.tenant_id = $1 AND n.nlink > 0
 ORDER BY s.inode;
