-- 0001_core: tenants, the name space, objects, leases, rejections, the extraction queue and its results.
--
-- Every key and every index starts with tenant_id, so no statement can wander from one tenant into another. Names are
-- bytea: a file name is bytes, not text. There are no foreign keys among the hot tables: fusefs writes them in batches
-- whose order is fixed (tenant, parent, inode), and a foreign key would take a row lock on the tenant for each row;
-- `adminctl fsck` checks what they would have.

-- Inode numbers are handed to mounts in blocks of 65536: inode = block << 16 | n. They are unique over all tenants and
-- never used twice, because they are also the FUSE node ids.
CREATE SEQUENCE inode_block AS bigint START 16;

CREATE TABLE tenant (
  tenant_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uuid                 uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  code                 text COLLATE "C" NOT NULL UNIQUE
                       CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$' AND code !~ '^[0-9]{4}-[0-9]{2}$'
                              AND lower(code) NOT IN ('current')),
  name                 text NOT NULL DEFAULT '',
  description          text NOT NULL DEFAULT '',
  is_active            boolean NOT NULL DEFAULT true,
  storage_quota_bytes  bigint CHECK (storage_quota_bytes >= 0),          -- NULL: no limit
  file_count_limit     bigint CHECK (file_count_limit >= 0),             -- NULL: no limit
  configuration        jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(configuration) = 'object'),
  owner_uid            bigint NOT NULL DEFAULT 0,
  owner_gid            bigint NOT NULL DEFAULT 0,
  mode                 integer NOT NULL DEFAULT 504,                     -- 0770
  root_inode           bigint NOT NULL UNIQUE DEFAULT (nextval('inode_block') << 16),
  delete_requested_at  timestamptz,                                      -- set: the lease holder removes everything
  created_at           timestamptz NOT NULL DEFAULT now(),
  updated_at           timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION tenant_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.code IS DISTINCT FROM OLD.code THEN
    RAISE EXCEPTION 'a tenant code never changes' USING ERRCODE = 'check_violation';
  END IF;
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER tenant_guard BEFORE UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION tenant_guard();

-- Mounts listen here and see a changed setting within a second. The payload is the tenant_id.
CREATE FUNCTION tenant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tenantfs_tenant', coalesce(NEW.tenant_id, OLD.tenant_id)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER tenant_changed AFTER INSERT OR UPDATE OR DELETE ON tenant FOR EACH ROW EXECUTE FUNCTION tenant_changed();

-- What the tenant holds, written in the same transaction as what it counts, by the lease holder alone.
CREATE TABLE tenant_usage (
  tenant_id   bigint PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
  used_bytes  bigint NOT NULL DEFAULT 0,
  file_count  bigint NOT NULL DEFAULT 0,
  -- What the next holder goes on from: above everything ever given, also to what is gone again.
  next_sequence   bigint NOT NULL DEFAULT 1,
  next_object_id  bigint NOT NULL DEFAULT 1
);

-- One writer a tenant. epoch grows with each holder; every commit checks it. (journal_epoch, journal_position) is how
-- far that holder's journal has been applied, so that a replay is exactly-once. base_id names the folder with the bytes and
-- the journal: what it says was answered may be nowhere else yet, so only who has that folder may succeed. holder = '' means
-- given back, with nothing left to replay.
CREATE TABLE tenant_lease (
  tenant_id         bigint PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
  holder            text NOT NULL,
  epoch             bigint NOT NULL DEFAULT 1,
  expires_at        timestamptz NOT NULL,
  journal_epoch     bigint NOT NULL DEFAULT 0,
  journal_position  bigint NOT NULL DEFAULT 0,
  place             text NOT NULL DEFAULT '',                            -- the holder's start of its machine, and directory
  base_id           text NOT NULL DEFAULT '',
  synced_position   bigint NOT NULL DEFAULT 0,                           -- the mark of the periodic syncfs: all published
  synced_at         timestamptz,                                         -- up to then is on disk, should the machine start
  synced_boot_id    text NOT NULL DEFAULT ''                             -- again
) WITH (fillfactor = 50);

-- Takes the lease: free, expired, or that of a process which is known to be dead: it ran on the same machine since the same
-- start with the same folder, and the caller has the lock on that folder that it would hold. verdict: t taken, h held until
-- expires_at, b last served from another folder whose journal is not here, n no such tenant.
CREATE FUNCTION tenant_lease_take(tenant bigint, new_holder text, new_place text, new_base_id text, duration_ms bigint,
                                  OUT verdict "char", OUT lease tenant_lease, OUT wait_ms bigint)
LANGUAGE plpgsql AS $$
BEGIN
  verdict := 'n';
  PERFORM 1 FROM tenant t WHERE t.tenant_id = tenant FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  INSERT INTO tenant_lease (tenant_id, holder, epoch, expires_at) VALUES (tenant, '', 0, 'epoch')
  ON CONFLICT (tenant_id) DO NOTHING;
  SELECT * INTO lease FROM tenant_lease l WHERE l.tenant_id = tenant FOR UPDATE;
  wait_ms := greatest(0, ceil(extract(epoch FROM least(lease.expires_at, clock_timestamp() + interval '1 day')
                                                 - clock_timestamp()) * 1000));
  IF lease.holder NOT IN ('', new_holder) AND lease.base_id NOT IN ('', new_base_id) THEN
    verdict := 'b';
  ELSIF lease.holder NOT IN ('', new_holder) AND lease.expires_at > clock_timestamp()
        AND (lease.place = '' OR lease.place <> new_place OR lease.base_id <> new_base_id) THEN
    verdict := 'h';
  ELSE
    verdict := 't';
    UPDATE tenant_lease l
       SET holder = new_holder, epoch = l.epoch + 1, place = new_place, base_id = new_base_id,
           expires_at = clock_timestamp() + make_interval(secs => duration_ms / 1000.0)
     WHERE l.tenant_id = tenant
    RETURNING l.epoch INTO lease.epoch;
  END IF;
END $$;

-- The first statement of every batch: checks the epoch and moves the position, or ends the transaction. A statement that
-- merely matches no row would let the rest of a pipeline commit, so it raises. The row stays locked until the commit:
-- a successor that raises the epoch comes before the whole batch or after it.
--   TF001 the lease is another's   TF002 all of it was applied before   TF003 some of it was
CREATE FUNCTION tenant_lease_move(tenant bigint, held_epoch bigint, of_epoch bigint, first_position bigint,
                                  last_position bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  lease tenant_lease;
BEGIN
  UPDATE tenant_lease SET journal_epoch = of_epoch, journal_position = last_position
   WHERE tenant_id = tenant AND epoch = held_epoch
     AND (journal_epoch < of_epoch OR (journal_epoch = of_epoch AND journal_position < first_position));
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO lease FROM tenant_lease WHERE tenant_id = tenant FOR UPDATE;
  IF lease.epoch IS DISTINCT FROM held_epoch THEN
    RAISE EXCEPTION 'the lease of tenant % is no longer that of epoch %', tenant, held_epoch USING ERRCODE = 'TF001';
  ELSIF lease.journal_epoch > of_epoch OR lease.journal_position >= last_position THEN
    RAISE EXCEPTION 'applied before' USING ERRCODE = 'TF002';
  END IF;
  RAISE EXCEPTION 'applied in part: % lies between % and %', lease.journal_position, first_position, last_position
    USING ERRCODE = 'TF003';
END $$;

-- kind: f file, d folder, l symbolic link, p fifo, s socket, c and b devices.
-- Times are nanoseconds since 1970 (timestamptz has microseconds only). nlink = 0: unlinked while open; swept at start.
-- The columns from file_id on belong to regular files.
CREATE TABLE node (
  tenant_id      bigint NOT NULL,
  inode          bigint NOT NULL,
  kind           "char" NOT NULL,
  mode           integer NOT NULL,
  nlink          integer NOT NULL,
  uid            bigint NOT NULL,
  gid            bigint NOT NULL,
  rdev           bigint NOT NULL DEFAULT 0,
  size_bytes     bigint NOT NULL DEFAULT 0,
  atime_ns       bigint NOT NULL,
  mtime_ns       bigint NOT NULL,
  ctime_ns       bigint NOT NULL,
  btime_ns       bigint NOT NULL,
  link_target    bytea,
  file_id        text COLLATE "C",
  object_id      bigint,                                                 -- NULL: nothing published, or empty
  status         "char",                                                 -- u uploading, p published, e error
  validation     "char",                                                 -- p pending, o passed, f failed
  uploaded_at_ns bigint,
  uploaded_by    text,
  original_name  bytea,                                                  -- as sent, where it differs from the entry
  visibility     "char" NOT NULL DEFAULT 'r',                            -- r private, u public
  tags           text,                                                   -- user.xdg.tags, comma-separated
  description    text,                                                   -- user.xdg.comment
  metadata       jsonb,                                                  -- user.tenantfs.metadata
  PRIMARY KEY (tenant_id, inode)
);
CREATE UNIQUE INDEX node_file_id ON node (tenant_id, file_id) WHERE file_id IS NOT NULL;
CREATE INDEX node_unlinked ON node (tenant_id, inode) WHERE nlink = 0;
CREATE INDEX node_object ON node (tenant_id, object_id) WHERE object_id IS NOT NULL;

-- One name in one folder. A hard link is a second entry of the same inode. sequence is the readdir offset: it is given
-- once, grows with every entry of the tenant, and is never used again.
CREATE TABLE entry (
  tenant_id     bigint NOT NULL,
  parent_inode  bigint NOT NULL,
  name          bytea NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 255),
  inode         bigint NOT NULL,
  kind          "char" NOT NULL,
  sequence      bigint NOT NULL,
  PRIMARY KEY (tenant_id, parent_inode, name)
);
CREATE INDEX entry_sequence ON entry (tenant_id, parent_inode, sequence);
CREATE INDEX entry_inode ON entry (tenant_id, inode);

-- One published content of one file: path is relative to <base>/<tenant_code>/. The row goes in the transaction that
-- stops naming the object; only then is the object removed from disk.
CREATE TABLE object (
  tenant_id     bigint NOT NULL,
  object_id     bigint NOT NULL,
  inode         bigint NOT NULL,
  path          text COLLATE "C" NOT NULL,
  size_bytes    bigint NOT NULL,
  sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
  media_type    text NOT NULL,
  published_at_ns bigint NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
);
CREATE INDEX object_sha256 ON object (tenant_id, sha256, object_id);
CREATE INDEX object_inode ON object (tenant_id, inode);

-- Every other user.* attribute, byte for byte.
CREATE TABLE attribute (
  tenant_id  bigint NOT NULL,
  inode      bigint NOT NULL,
  name       bytea NOT NULL,
  value      bytea NOT NULL,
  PRIMARY KEY (tenant_id, inode, name)
);

-- Content being written that an fsync made durable before any close: after a crash it is published as if closed.
CREATE TABLE spool (
  tenant_id   bigint NOT NULL,
  inode       bigint NOT NULL,
  name        text COLLATE "C" NOT NULL,                                  -- in <base>/.tenantfs/spool/
  size_bytes  bigint NOT NULL,
  PRIMARY KEY (tenant_id, inode)
);

-- What was refused, since an errno cannot say why.
CREATE TABLE rejection (
  tenant_id     bigint NOT NULL,
  rejection_id  bigint GENERATED ALWAYS AS IDENTITY,
  file_id       text COLLATE "C",
  name          bytea NOT NULL,
  rule          text NOT NULL,
  reason        text NOT NULL,
  uid           bigint NOT NULL,
  rejected_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, rejection_id)
);
CREATE INDEX rejection_file ON rejection (tenant_id, file_id);

-- Each start of extractd takes a number and holds the advisory lock (1954047332, number) while it lives, so that jobs of one
-- that was killed are taken over at once and not when their leases expire.
CREATE SEQUENCE extractor_instance AS integer CYCLE;

-- The extraction queue: one job for a content in a tenant and an extractor version. NOTIFY tenantfs_job wakes extractd.
-- state: q queued, r running, d done, f failed, x cancelled.
CREATE TABLE extraction_job (
  tenant_id         bigint NOT NULL,
  sha256            bytea NOT NULL,
  extractor_version integer NOT NULL,
  job_id            uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  lane              "char" NOT NULL DEFAULT 'n',                          -- n normal, o OCR
  state             "char" NOT NULL DEFAULT 'q',
  attempt           integer NOT NULL DEFAULT 0,                           -- claims so far
  failures          integer NOT NULL DEFAULT 0,                           -- of them, those the file itself ended: crash, time, memory
  claimed_by        integer,                                              -- the extractd that runs it: extractor_instance
  lease_token       uuid,
  lease_expires_at  timestamptz,
  not_before        timestamptz NOT NULL DEFAULT now(),
  object_id         bigint NOT NULL,                                      -- an object that held it when queued
  size_bytes        bigint NOT NULL DEFAULT 0,
  error             text,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  completed_at      timestamptz,
  PRIMARY KEY (tenant_id, sha256, extractor_version)
);
CREATE INDEX extraction_job_ready ON extraction_job (tenant_id, lane, not_before, created_at) WHERE state = 'q';
CREATE INDEX extraction_job_running ON extraction_job (tenant_id, lease_expires_at) WHERE state = 'r';
CREATE INDEX extraction_job_state ON extraction_job (tenant_id, state, created_at);

-- One result a content, always full. pages holds the byte offset in text where each page begins.
CREATE TABLE extraction_result (
  tenant_id          bigint NOT NULL,
  sha256             bytea NOT NULL,
  extractor_version  integer NOT NULL,
  extractor          text NOT NULL,                                       -- the table entry that read it: pdf, csv, …
  status             "char" NOT NULL,                                     -- c completed, f failed
  media_type         text NOT NULL,
  extracted_text     text,
  text_bytes         bigint NOT NULL DEFAULT 0,
  pages              bigint[] NOT NULL DEFAULT '{}',
  metadata           jsonb NOT NULL DEFAULT '{}',
  structured_data    jsonb NOT NULL DEFAULT '{}',
  summary            text,
  letters            jsonb,                                               -- {"A": n … "Z": n}
  confidence         real NOT NULL DEFAULT 1,
  warnings           jsonb NOT NULL DEFAULT '[]',
  error              text,
  duration_ms        integer NOT NULL DEFAULT 0,
  completed_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, sha256, extractor_version)
);

-- A request of the API that shows a result; the type chooses what is shown. Its state is that of the job.
CREATE TABLE extraction (
  tenant_id        bigint NOT NULL,
  extraction_id    uuid NOT NULL DEFAULT gen_random_uuid(),
  file_id          text COLLATE "C" NOT NULL,
  sha256           bytea NOT NULL,
  extraction_type  text NOT NULL CHECK (extraction_type IN ('text', 'metadata', 'structured_data', 'full')),
  created_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, extraction_id)
);
CREATE INDEX extraction_file ON extraction (tenant_id, file_id, created_at);

-- What happened, in the transaction in which it happened; extractd carries it to the Redis stream tenantfs:events.
CREATE TABLE outbox (
  tenant_id  bigint NOT NULL,
  event_id   bigint GENERATED ALWAYS AS IDENTITY,
  kind       text NOT NULL,                                               -- file.uploaded, file.deleted, …
  payload    jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id)
);

-- Unfinished uploads of the HTTP API: chunked (seed 003) and tus share the table. offset_bytes is what tus has appended.
CREATE TABLE upload (
  tenant_id      bigint NOT NULL,
  upload_id      uuid NOT NULL DEFAULT gen_random_uuid(),
  protocol       "char" NOT NULL,                                         -- c chunked, t tus
  state          text NOT NULL DEFAULT 'open',                            -- open, assembling, done, failed
  sub            text NOT NULL,
  name           bytea,
  size_bytes     bigint,
  offset_bytes   bigint NOT NULL DEFAULT 0,
  file_id        text COLLATE "C",
  request        jsonb NOT NULL DEFAULT '{}',                             -- what init and complete were sent
  error          text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  expires_at     timestamptz NOT NULL DEFAULT now() + interval '24 hours',
  PRIMARY KEY (tenant_id, upload_id)
);
CREATE INDEX upload_expiry ON upload (tenant_id, expires_at);

CREATE TABLE upload_chunk (
  tenant_id    bigint NOT NULL,
  upload_id    uuid NOT NULL,
  chunk_index  integer NOT NULL CHECK (chunk_index >= 0),
  size_bytes   bigint NOT NULL,
  sha256       bytea,
  PRIMARY KEY (tenant_id, upload_id, chunk_index)
);

-- --- reading the name space from outside the mount ---------------------------------------------------------------------

-- The path of an inode below its tenant's folder, by its first name: '2026-11/scans/a.png'. NULL when it has no name.
-- The depth is bounded so that a damaged tree, which fsck reports, cannot hold up whoever asks.
CREATE FUNCTION entry_path(bigint, bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
  WITH RECURSIVE up (parent_inode, path, depth) AS (
    (SELECT parent_inode, name, 1 FROM entry WHERE tenant_id = $1 AND inode = $2 ORDER BY sequence LIMIT 1)
    UNION ALL
    SELECT e.parent_inode, e.name || '/'::bytea || up.path, up.depth + 1
      FROM up JOIN entry e ON e.tenant_id = $1 AND e.inode = up.parent_inode
     WHERE up.depth < 1000
  )
  SELECT path FROM up ORDER BY depth DESC LIMIT 1
$$;

-- A name as text. Bytes that are no UTF-8 become \xNN behind a mark (U+FFFD), as the programs write them in JSON: visible,
-- and the way back is known.
CREATE FUNCTION name_text(bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  marked text := U&'\FFFD';
  byte integer;
BEGIN
  RETURN convert_from($1, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
  FOR i IN 0 .. octet_length($1) - 1 LOOP
    byte := get_byte($1, i);
    marked := marked || CASE WHEN byte = 92 THEN '\\' WHEN byte BETWEEN 32 AND 126 THEN chr(byte)
                             ELSE '\x' || lpad(to_hex(byte), 2, '0') END;
  END LOOP;
  RETURN marked;
END $$;

-- One row for each file that has a name: what `files` shows to people and programs, before its texts are made.
CREATE VIEW file_detail AS
SELECT n.tenant_id, n.inode, n.file_id, e.name, n.original_name, o.path AS object_path, n.size_bytes, o.media_type,
       o.sha256,
       CASE WHEN n.status = 'u' THEN 'uploading' WHEN n.status = 'e' THEN 'error'
            WHEN j.state = 'r' THEN 'processing' WHEN j.state IN ('d', 'f') THEN 'completed'
            ELSE 'uploaded' END AS status,
       n.validation, n.mode, n.nlink, n.uid, n.gid, n.mtime_ns, n.uploaded_at_ns, j.completed_at AS processed_at,
       n.uploaded_by, n.tags, n.description, n.metadata, n.visibility, j.state AS job_state, j.job_id,
       j.error AS job_error
  FROM node n
  JOIN LATERAL (SELECT name FROM entry WHERE tenant_id = n.tenant_id AND inode = n.inode
                 ORDER BY sequence LIMIT 1) e ON true
  LEFT JOIN object o ON o.tenant_id = n.tenant_id AND o.object_id = n.object_id
  LEFT JOIN LATERAL (SELECT state, completed_at, job_id, error FROM extraction_job
                      WHERE tenant_id = n.tenant_id AND sha256 = o.sha256
                      ORDER BY extractor_version DESC LIMIT 1) j ON true
 WHERE n.kind = 'f' AND n.nlink > 0;

-- --- views that read like the tables of the services this replaces ---------------------------------------------------

CREATE VIEW tenants AS
SELECT uuid AS id, code, name, description, is_active, storage_quota_bytes, file_count_limit, configuration,
       created_at, updated_at
  FROM tenant WHERE delete_requested_at IS NULL;

-- The result that counts for an object: that of the newest extractor version.
CREATE VIEW current_result AS
SELECT DISTINCT ON (tenant_id, sha256) *
  FROM extraction_result ORDER BY tenant_id, sha256, extractor_version DESC;

CREATE VIEW files AS
SELECT d.file_id AS id, t.uuid AS tenant_id, t.code AS tenant_code,
       name_text(coalesce(d.original_name, d.name)) AS original_filename,
       regexp_replace(d.object_path, '^.*/', '') AS stored_filename,
       t.code || '/' || d.object_path AS file_path,
       d.size_bytes AS file_size, d.media_type AS mime_type,
       coalesce(substring(d.object_path from '\.([a-z0-9]+)$'), '') AS file_extension,
       encode(d.sha256, 'hex') AS file_hash, d.status,
       CASE d.validation WHEN 'o' THEN 'passed' WHEN 'f' THEN 'failed' ELSE 'pending' END AS validation_status,
       to_timestamp(d.uploaded_at_ns / 1e9) AS uploaded_at,
       d.processed_at
  FROM file_detail d
  JOIN tenant t USING (tenant_id);

CREATE VIEW extraction_results AS
SELECT x.extraction_id AS id, x.file_id, t.uuid AS tenant_id, x.extraction_type,
       CASE j.state WHEN 'd' THEN 'completed' WHEN 'f' THEN 'failed' WHEN 'x' THEN 'failed'
                    WHEN 'r' THEN 'processing' ELSE 'pending' END AS status,
       r.extracted_text, r.structured_data, r.metadata, r.confidence AS confidence_score,
       r.duration_ms AS processing_time_ms, x.created_at, j.completed_at
  FROM extraction x
  JOIN tenant t USING (tenant_id)
  LEFT JOIN LATERAL (SELECT state, completed_at FROM extraction_job
                      WHERE tenant_id = x.tenant_id AND sha256 = x.sha256
                      ORDER BY extractor_version DESC LIMIT 1) j ON true
  LEFT JOIN current_result r ON r.tenant_id = x.tenant_id AND r.sha256 = x.sha256;

CREATE VIEW jobs AS
SELECT j.job_id, t.code AS tenant_code, encode(j.sha256, 'hex') AS file_hash, j.size_bytes AS file_size,
       CASE j.state WHEN 'q' THEN 'pending' WHEN 'r' THEN 'processing' WHEN 'd' THEN 'completed' ELSE 'failed' END AS status,
       r.letters AS results, j.error AS error_message, greatest(j.attempt - 1, 0) AS retry_count,
       j.created_at, j.updated_at, j.completed_at
  FROM extraction_job j
  JOIN tenant t USING (tenant_id)
  LEFT JOIN extraction_result r USING (tenant_id, sha256, extractor_version);
