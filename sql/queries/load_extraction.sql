-- load_extraction: what is known of a content's extraction: the newest job, and the newest result there is. The text only
-- up to a length.
-- in: tenant_id, sha256, text bytes at most
-- out: job state, job_id, processed_at, job error, extractor, media_type, text, text_bytes, pages, metadata,
--      structured_data, summary, confidence, warnings, error, duration_ms, completed_at
SELECT j.state, j.job_id, j.completed_at AS processed_at, j.error AS job_error, r.extractor, r.media_type,
       CASE WHEN r.text_bytes <= $3::bigint THEN r.extracted_text END AS extracted_text, r.text_bytes, r.pages,
       r.metadata, r.structured_data, r.summary, r.confidence, r.warnings, r.error, r.duration_ms, r.completed_at
  FROM (SELECT 1) AS one
  LEFT JOIN LATERAL (SELECT * FROM extraction_job
                      WHERE tenant_id = $1 AND sha256 = $2
                      ORDER BY extractor_version DESC LIMIT 1) j ON true
  LEFT JOIN LATERAL (SELECT * FROM extraction_result
                      WHERE tenant_id = $1 AND sha256 = $2
                      ORDER BY extractor_version DESC LIMIT 1) r ON true;
