-- migration_table_exists: whether anything was ever applied to this database.
-- in: nothing   out: exists
SELECT to_regclass('schema_migration') IS NOT NULL AS exists;
