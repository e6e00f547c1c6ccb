-- outbox_take: the oldest events, for the one carrier that holds the lock of this transaction; nothing for the others.
-- in: limit   out: tenant_id, tenant_code, event_id, kind, payload, created_at
SELECT o.tenant_id, t.code, o.event_id, o.kind, o.payload, o.created_at
  FROM (SELECT pg_try_advisory_xact_lock(1954047333, 0) AS is_mine) l
 CROSS JOIN LATERAL (SELECT * FROM outbox WHERE l.is_mine ORDER BY tenant_id, event_id LIMIT $1) o
  LEFT JOIN tenant t ON t.tenant_id = o.tenant_id
 ORDER BY o.tenant_id, o.event_id;
