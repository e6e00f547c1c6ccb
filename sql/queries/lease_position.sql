-- lease_position: how far a tenant's journals have been applied.
-- in: tenant_id   out: journal_epoch, journal_position
SELECT journal_epoch, journal_position FROM tenant_lease WHERE tenant_id = $1;
