-- apply_event_add: what happened, for the outbox, in order.
-- in: tenant_id, kinds, payloads   out: nothing
INSERT INTO outbox (tenant_id, kind, payload)
SELECT $1, e.* FROM unnest($2::text[], $3::jsonb[]) e;
