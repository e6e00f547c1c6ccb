-- 0003_api: what the HTTP API keeps beside the files: datasets, active files, scan jobs, revoked tokens, and what an unfinished
-- upload needs to go on after a restart.

-- A dataset is a file with a name of its own: one of that name for a user (sub), over all months. The row is made before the file
-- gets its name, so that two uploads at once cannot both win; file_id is NULL until then. A dataset whose file was removed
-- through the mount is gone: readers join the file, and a new upload takes the row over.
CREATE TABLE dataset (
  tenant_id    bigint NOT NULL,
  sub          text NOT NULL,
  file_name    text NOT NULL,
  file_id      text COLLATE "C",
  description  text NOT NULL DEFAULT '',
  upload_id    uuid NOT NULL,                                             -- of the upload that made the row
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, sub, file_name)
);
CREATE INDEX dataset_file ON dataset (tenant_id, file_id);

-- One active file for a user and a session; Redis holds the same for as long.
CREATE TABLE active_file (
  tenant_id   bigint NOT NULL,
  sub         text NOT NULL,
  session_id  uuid NOT NULL,
  file_id     text COLLATE "C" NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, sub, session_id)
);
CREATE INDEX active_file_expiry ON active_file (tenant_id, expires_at);

-- Every upload for scanning has a job of its own; its state and its letters are those of the content.
CREATE TABLE scan_job (
  tenant_id      bigint NOT NULL,
  job_id         uuid NOT NULL DEFAULT gen_random_uuid(),
  file_id        text COLLATE "C" NOT NULL,
  sha256         bytea,                                                   -- NULL: an empty file
  original_name  bytea NOT NULL,
  size_bytes     bigint NOT NULL,
  sub            text NOT NULL,
  is_duplicate   boolean NOT NULL DEFAULT false,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, job_id)
);
CREATE INDEX scan_job_created ON scan_job (tenant_id, created_at);

-- Tokens that no longer count although they have not expired. A token may be for all tenants, so this is no tenant's.
CREATE TABLE revoked_token (
  token_id    text COLLATE "C" PRIMARY KEY CHECK (token_id <> '' AND octet_length(token_id) < 64),  -- the claim jti
  expires_at  timestamptz NOT NULL,                                       -- the token's; the row may go then
  revoked_at  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION token_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tenantfs_token', '');
  RETURN NULL;
END $$;
CREATE TRIGGER token_revoked AFTER INSERT OR DELETE ON revoked_token FOR EACH STATEMENT EXECUTE FUNCTION token_revoked();

-- folder: the month below which the upload's working files lie. file_ids: every id its file had; a retry of one that was refused makes
-- a new file, and clients go on asking for the first. worker and worked_at: who assembles it, and since when.
ALTER TABLE upload
  ADD COLUMN folder       text NOT NULL DEFAULT '',
  ADD COLUMN file_ids     text[] COLLATE "C" NOT NULL DEFAULT '{}',
  ADD COLUMN credential   jsonb,
  ADD COLUMN is_partial   boolean NOT NULL DEFAULT false,                 -- tus: a part of a later concatenation
  ADD COLUMN worker       text,
  ADD COLUMN worked_at    timestamptz;
CREATE INDEX upload_file ON upload USING gin (file_ids);
CREATE INDEX upload_assembling ON upload (tenant_id, updated_at) WHERE state = 'assembling';

-- Newest first is how files are listed.
CREATE INDEX node_uploaded ON node (tenant_id, (coalesce(uploaded_at_ns, 0)), inode) WHERE kind = 'f' AND nlink > 0;

-- Between two indexes that look equally good, as they all do before the first ANALYZE, PostgreSQL takes the younger one: a file by its
-- id, or an entry by its name, must not be looked for by going through all of a tenant or a folder.
DROP INDEX node_file_id;
CREATE UNIQUE INDEX node_file_id ON node (tenant_id, file_id) WHERE file_id IS NOT NULL;
ALTER TABLE entry DROP CONSTRAINT entry_pkey, ADD PRIMARY KEY (tenant_id, parent_inode, name);

-- Extractions as the API shows them: those that were asked for, and, for every file, the one that runs by itself (kind j), whose id is
-- its job's. An empty file has nothing to extract and is done.
CREATE VIEW extraction_detail AS
SELECT x.tenant_id, x.extraction_id AS id, 'x'::"char" AS kind, x.file_id, x.extraction_type, x.sha256, x.created_at,
       CASE WHEN j.state = 'd' OR x.sha256 = sha256('') THEN 'completed' WHEN j.state IN ('f', 'x') THEN 'failed'
            WHEN j.state = 'r' THEN 'processing' ELSE 'pending' END AS status,
       r.extracted_text, r.structured_data, r.metadata, r.summary, r.warnings, r.confidence, r.duration_ms,
       coalesce(j.error, r.error) AS error, greatest(coalesce(j.attempt, 0) - 1, 0) AS retry_count, j.completed_at
  FROM extraction x
  LEFT JOIN LATERAL (SELECT state, error, attempt, completed_at FROM extraction_job
                      WHERE tenant_id = x.tenant_id AND sha256 = x.sha256
                      ORDER BY extractor_version DESC LIMIT 1) j ON true
  LEFT JOIN LATERAL (SELECT * FROM extraction_result
                      WHERE tenant_id = x.tenant_id AND sha256 = x.sha256
                      ORDER BY extractor_version DESC LIMIT 1) r ON true
UNION ALL
SELECT j.tenant_id, j.job_id, 'j', f.file_id, 'full', j.sha256, j.created_at,
       CASE j.state WHEN 'd' THEN 'completed' WHEN 'r' THEN 'processing' WHEN 'q' THEN 'pending' ELSE 'failed' END,
       r.extracted_text, r.structured_data, r.metadata, r.summary, r.warnings, r.confidence, r.duration_ms,
       coalesce(j.error, r.error), greatest(j.attempt - 1, 0), j.completed_at
  FROM extraction_job j
  JOIN object o ON o.tenant_id = j.tenant_id AND o.sha256 = j.sha256
  JOIN node f ON f.tenant_id = o.tenant_id AND f.inode = o.inode AND f.object_id = o.object_id AND f.nlink > 0
  LEFT JOIN extraction_result r ON r.tenant_id = j.tenant_id AND r.sha256 = j.sha256
                               AND r.extractor_version = j.extractor_version;
