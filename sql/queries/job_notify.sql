-- job_notify: tells listeners which contents have a new extraction: "TENANT_ID HEX,HEX,…" on tenantfs_extracted.
-- in: payloads   out: nothing of use
SELECT pg_notify('tenantfs_extracted', payload) FROM unnest($1::text[]) payload;
