-- apply_entry_delete: names that are gone. Found one by one (LIMIT), never by going through the tenant's.
-- in: tenant_id, parent_inodes, names   out: nothing
DELETE FROM entry
 WHERE tenant_id = $1
   AND ctid = ANY (ARRAY(SELECT e.ctid
                           FROM unnest($2::bigint[], $3::bytea[]) d (parent_inode, name)
                          CROSS JOIN LATERAL (SELECT ctid FROM entry
                                               WHERE tenant_id = $1 AND parent_inode = d.parent_inode AND name = d.name
                                               LIMIT 1) e));
