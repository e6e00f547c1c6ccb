-- migration_add: one migration was applied, in the transaction that applied it.
-- in: number, name, checksum   out: nothing
INSERT INTO schema_migration (number, name, checksum)
VALUES ($1::bigint, $2, $3);
