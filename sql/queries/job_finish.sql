-- job_finish: what became of claimed jobs, with their results and events, all or nothing. A job whose lease was taken away is
-- passed over, and so is its result. next_state: d done, f failed, q again (later, or in the OCR lane). has_result: r the
-- row is written, n none: then the error of a job that is done is one more warning of the row that is there.
-- in: tenant_ids, sha256s, versions, tokens, next_states, lanes, delays_ms, failures, attempt_changes, errors, has_results,
--     extractors, statuses, media_types, texts, pages, metadata, data, summaries, letters, confidences, warnings, durations_ms
-- out: tenant_id, sha256 of those accepted
WITH input AS MATERIALIZED (
  SELECT *
    FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::"char"[], $6::"char"[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::text[], $11::"char"[], $12::text[], $13::"char"[], $14::text[], $15::text[], $16::text[],
                $17::jsonb[], $18::jsonb[], $19::text[], $20::jsonb[], $21::bigint[], $22::jsonb[], $23::bigint[])
      AS i (tenant_id, sha256, extractor_version, token, next_state, lane, delay_ms, failures, attempt_change, error, has_result,
            extractor, status, media_type, extracted_text, pages, metadata, structured_data, summary, letters, confidence,
            warnings, duration_ms)
), accepted AS (
  UPDATE extraction_job j
     SET state = i.next_state, lane = i.lane, failures = i.failures, attempt = j.attempt + i.attempt_change::integer,
         error = CASE WHEN i.next_state <> 'd' THEN i.error END, lease_token = NULL, lease_expires_at = NULL, claimed_by = NULL, updated_at = now(),
         not_before = CASE WHEN i.next_state = 'q' THEN now() + make_interval(secs => i.delay_ms / 1000.0)
                           ELSE j.not_before END,
         completed_at = CASE WHEN i.next_state = 'q' THEN NULL ELSE now() END
    FROM input i
   WHERE j.tenant_id = i.tenant_id AND j.sha256 = i.sha256 AND j.extractor_version = i.extractor_version
     AND j.lease_token = i.token::uuid AND j.state = 'r'
  RETURNING i.*
), written AS (
  INSERT INTO extraction_result (tenant_id, sha256, extractor_version, extractor, status, media_type, extracted_text, text_bytes,
                                 pages, metadata, structured_data, summary, letters, confidence, warnings, error, duration_ms)
  SELECT tenant_id, sha256, extractor_version, extractor, status, media_type, extracted_text,
         coalesce(octet_length(extracted_text), 0), pages::bigint[], metadata, structured_data, summary, letters,
         confidence / 1000.0, warnings, CASE WHEN status = 'f' THEN error END, duration_ms
    FROM accepted
   WHERE has_result = 'r'
  ON CONFLICT (tenant_id, sha256, extractor_version) DO UPDATE
     SET extractor = EXCLUDED.extractor, status = EXCLUDED.status, media_type = EXCLUDED.media_type,
         extracted_text = EXCLUDED.extracted_text, text_bytes = EXCLUDED.text_bytes, pages = EXCLUDED.pages,
         metadata = EXCLUDED.metadata, structured_data = EXCLUDED.structured_data, summary = EXCLUDED.summary,
         letters = EXCLUDED.letters, confidence = EXCLUDED.confidence, warnings = EXCLUDED.warnings, error = EXCLUDED.error,
         duration_ms = EXCLUDED.duration_ms, completed_at = now()
  RETURNING tenant_id
), warned AS (
  UPDATE extraction_result r
     SET warnings = r.warnings || jsonb_build_array(i.error), completed_at = now()
    FROM accepted i
   WHERE r.tenant_id = i.tenant_id AND r.sha256 = i.sha256 AND r.extractor_version = i.extractor_version
     AND i.next_state = 'd' AND i.has_result = 'n'
  RETURNING r.tenant_id
), events AS (
  INSERT INTO outbox (tenant_id, kind, payload)
  SELECT i.tenant_id, CASE i.next_state WHEN 'd' THEN 'extraction.completed' ELSE 'extraction.failed' END,
         jsonb_strip_nulls(jsonb_build_object(
           'file_id', n.file_id, 'sha256', encode(i.sha256, 'hex'), 'extractor', nullif(i.extractor, ''),
           'media_type', nullif(i.media_type, ''),
           'error', i.error, 'duration_ms', i.duration_ms))
    FROM accepted i
    JOIN object o ON o.tenant_id = i.tenant_id AND o.sha256 = i.sha256
    JOIN node n ON n.tenant_id = o.tenant_id AND n.object_id = o.object_id AND n.nlink > 0
   WHERE i.next_state IN ('d', 'f')
  RETURNING tenant_id
)
SELECT accepted.tenant_id, accepted.sha256
  FROM accepted
 CROSS JOIN (SELECT count(*) FROM written) w
 CROSS JOIN (SELECT count(*) FROM warned) v
 CROSS JOIN (SELECT count(*) FROM events) e;
