-- apply_node_delete: nodes that are gone.
-- in: tenant_id, inodes   out: nothing
DELETE FROM node WHERE tenant_id = $1 AND inode = ANY ($2::bigint[]);
