-- outbox_delete: events that have arrived in Redis.
-- in: tenant_ids, event_ids   out: nothing
DELETE FROM outbox o
 USING unnest($1::bigint[], $2::bigint[]) d (tenant_id, event_id)
 WHERE o.tenant_id = d.tenant_id AND o.event_id = d.event_id;
