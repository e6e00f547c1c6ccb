-- migration_table: what keeps account of the migrations; there from the first one on.
-- in: nothing   out: nothing
CREATE TABLE IF NOT EXISTS schema_migration (
  number      integer PRIMARY KEY,
  name        text NOT NULL,
  checksum    bytea NOT NULL CHECK (octet_length(checksum) = 32),
  applied_at  timestamptz NOT NULL DEFAULT now()
);
