-- apply_spool_delete: spools that were published, given up or belong to nodes that are gone.
-- in: tenant_id, inodes   out: nothing
DELETE FROM spool WHERE tenant_id = $1 AND inode = ANY ($2::bigint[]);
