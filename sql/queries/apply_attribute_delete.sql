-- apply_attribute_delete: attributes that were removed.
-- in: tenant_id, inodes, names   out: nothing
DELETE FROM attribute a
 USING unnest($2::bigint[], $3::bytea[]) d (inode, name)
 WHERE a.tenant_id = $1 AND a.inode = d.inode AND a.name = d.name;
