-- unlinked_list: nodes that had no name any more but were open when their mount died, with what they charge and their objects.
-- in: tenant_id   out: inode, kind, size_bytes, attribute_bytes, object_id, path (a row for each object; NULL for none)
SELECT n.inode, n.kind, n.size_bytes, coalesce(a.bytes, 0) AS attribute_bytes, o.object_id, o.path
  FROM node n
  LEFT JOIN LATERAL (SELECT sum(octet_length(name) + octet_length(value))::bigint AS bytes
                       FROM attribute WHERE tenant_id = $1 AND inode = n.inode) a ON true
  LEFT JOIN object o ON o.tenant_id = $1 AND o.inode = n.inode
 WHERE n.tenant_id = $1 AND n.nlink = 0
 ORDER BY n.inode, o.object_id;
