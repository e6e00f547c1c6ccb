-- migration_list: the migrations this database has seen, in order.
-- in: nothing   out: number, name, checksum
SELECT number, name, checksum
  FROM schema_migration
 ORDER BY number;
