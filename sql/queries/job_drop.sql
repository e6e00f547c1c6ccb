-- job_drop: forgets a claimed job whose content no object holds any more. object_id as it was at the claim: whoever stores
-- the content again has put another one there, and the job stays.
-- in: tenant_id, sha256, extractor_version, token, object_id   out: job_id of what was dropped
DELETE FROM extraction_job j
 WHERE tenant_id = $1 AND sha256 = $2 AND extractor_version = $3 AND lease_token = $4::uuid AND object_id = $5
   AND NOT EXISTS (SELECT 1 FROM object o WHERE o.tenant_id = $1 AND o.sha256 = $2)
RETURNING job_id;
