-- lease_give_back: ends a lease whose journal has nothing left to replay: anyone may take it now.
-- in: tenant_id, epoch   out: tenant_id, no row when it is another's by now
UPDATE tenant_lease SET holder = '', place = '', expires_at = clock_timestamp()
 WHERE tenant_id = $1 AND epoch = $2
RETURNING tenant_id;
