-- api_uuid_tenant: the tenant that has an extraction, a job, a scan job or an upload, for callers who may see all tenants.
-- in: id   out: code
SELECT t.code
  FROM tenant t
 WHERE t.delete_requested_at IS NULL
   AND (EXISTS (SELECT 1 FROM extraction WHERE tenant_id = t.tenant_id AND extraction_id = $1)
        OR EXISTS (SELECT 1 FROM extraction_job WHERE tenant_id = t.tenant_id AND job_id = $1)
        OR EXISTS (SELECT 1 FROM scan_job WHERE tenant_id = t.tenant_id AND job_id = $1)
        OR EXISTS (SELECT 1 FROM upload WHERE tenant_id = t.tenant_id AND upload_id = $1))
 LIMIT 1;
