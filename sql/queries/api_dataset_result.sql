-- api_dataset_result: how far the extraction of a content is, and whether a dataset came out of it.
-- in: tenant_id, sha256   out: state (of the job), extractor, summary, error
SELECT j.state, r.extractor, r.summary, coalesce(r.error, j.error) AS error
  FROM (SELECT state, error FROM extraction_job WHERE tenant_id = $1 AND sha256 = $2
         ORDER BY extractor_version DESC LIMIT 1) j
  FULL JOIN (SELECT extractor, summary, error FROM extraction_result
              WHERE tenant_id = $1 AND sha256 = $2 AND status = 'c'
              ORDER BY extractor_version DESC LIMIT 1) r ON true;
