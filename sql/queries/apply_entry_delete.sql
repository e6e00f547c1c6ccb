-- apply_entry_delete: names that are gone.
-- in: tenant_id, parent_inodes, names   out: nothing
DELETE FROM entry e
 USING unnest($2::bigint[], $3::bytea[]) d (parent_inode, name)
 WHERE e.tenant_id = $1 AND e.parent_inode = d.parent_inode AND e.name = d.name;
