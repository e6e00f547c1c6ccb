-- spool_names: the names of all spools that some tenant's row wants; for the sweep of the spool folder, which is one for all.
-- in: nothing   out: name
SELECT name FROM spool ORDER BY tenant_id, inode;
