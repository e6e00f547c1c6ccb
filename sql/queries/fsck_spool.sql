-- fsck_spool: whether a named spool is somebody's next content.
-- in: name   out: tenant_id (no row: nobody's)
SELECT tenant_id FROM spool WHERE name = $1::text;
