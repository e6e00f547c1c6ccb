-- fsck_spool: whether a named spool is somebody's next content.
-- every tenant: the file on disk does not say whose it is.
-- in: name   out: tenant_id (no row: nobody's)
SELECT tenant_id FROM spool WHERE name = $1::text;
