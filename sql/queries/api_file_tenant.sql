-- api_file_tenant: the tenant that has a file, for callers who may see all tenants: one look into each tenant's index.
-- in: file_id   out: code
SELECT t.code
  FROM tenant t
  JOIN node n ON n.tenant_id = t.tenant_id AND n.file_id = $1
 WHERE t.delete_requested_at IS NULL;
