-- tenant_remove_rows: takes away a batch of a tenant's rows from every table, while the lease is held under this epoch and the
-- deletion was asked for; prolongs the lease.
-- in: tenant_id, epoch, rows of each table at most
-- out: is_held, files, folders, file_bytes, extractions, rows (all that went; 0: nothing is left)
WITH lease AS (
  UPDATE tenant_lease l
     SET expires_at = greatest(l.expires_at, now() + interval '60 seconds')
    FROM tenant t
   WHERE l.tenant_id = $1 AND l.epoch = $2 AND t.tenant_id = l.tenant_id AND t.delete_requested_at IS NOT NULL
  RETURNING l.tenant_id
), gone_entry AS (
  DELETE FROM entry WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM entry WHERE tenant_id = $1 LIMIT $3::bigint)) RETURNING 1
), gone_node AS (
  DELETE FROM node WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM node WHERE tenant_id = $1 LIMIT $3)) RETURNING kind, size_bytes
), gone_object AS (
  DELETE FROM object WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM object WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_attribute AS (
  DELETE FROM attribute WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM attribute WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_rejection AS (
  DELETE FROM rejection WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM rejection WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_job AS (
  DELETE FROM extraction_job WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM extraction_job WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_result AS (
  DELETE FROM extraction_result WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM extraction_result WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_extraction AS (
  DELETE FROM extraction WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM extraction WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_outbox AS (
  DELETE FROM outbox WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM outbox WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_chunk AS (
  DELETE FROM upload_chunk WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM upload_chunk WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_upload AS (
  DELETE FROM upload WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM upload WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_spool AS (
  DELETE FROM spool WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM spool WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_dataset AS (
  DELETE FROM dataset WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM dataset WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_active_file AS (
  DELETE FROM active_file WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM active_file WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
), gone_scan_job AS (
  DELETE FROM scan_job WHERE tenant_id = (SELECT tenant_id FROM lease)
     AND ctid = ANY (ARRAY(SELECT ctid FROM scan_job WHERE tenant_id = $1 LIMIT $3)) RETURNING 1
)
SELECT EXISTS (SELECT 1 FROM lease) AS is_held,
       (SELECT count(*) FROM gone_node WHERE kind = 'f') AS files,
       (SELECT count(*) FROM gone_node WHERE kind = 'd') AS folders,
       (SELECT coalesce(sum(size_bytes), 0)::bigint FROM gone_node WHERE kind = 'f') AS file_bytes,
       (SELECT count(*) FROM gone_result) AS extractions,
       (SELECT count(*) FROM gone_entry) + (SELECT count(*) FROM gone_node) + (SELECT count(*) FROM gone_object)
         + (SELECT count(*) FROM gone_attribute) + (SELECT count(*) FROM gone_rejection)
         + (SELECT count(*) FROM gone_job) + (SELECT count(*) FROM gone_result)
         + (SELECT count(*) FROM gone_extraction) + (SELECT count(*) FROM gone_outbox)
         + (SELECT count(*) FROM gone_chunk) + (SELECT count(*) FROM gone_upload)
         + (SELECT count(*) FROM gone_spool) + (SELECT count(*) FROM gone_dataset)
         + (SELECT count(*) FROM gone_active_file) + (SELECT count(*) FROM gone_scan_job) AS rows;
