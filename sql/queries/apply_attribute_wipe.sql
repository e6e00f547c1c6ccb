-- apply_attribute_wipe: the attributes of nodes that are gone.
-- in: tenant_id, inodes   out: nothing
DELETE FROM attribute WHERE tenant_id = $1 AND inode = ANY ($2::bigint[]);
