/*
 * The settings of all four programs.
 *
 * SETTING(id, type, programs, default, minimum, maximum, aliases, sentence)
 *   type      STRING, SECRET, PATH, SIZE (bytes; 10G), COUNT (100k), INT, DURATION (ms inside; 10s, 8h), SECONDS (bare numbers are
 *             seconds; ms inside), BOOL, LIST (comma-separated), or a list of words in the sentence for ENUM
 *   programs  which of them read it
 *   aliases   names of the services this replaces, comma-separated
 * Included several times on purpose; no include guard.
 */
SETTING(DATABASE_URL, SECRET, PROGRAM_ALL, NULL, 0, 0, "", "PostgreSQL, as a URL (postgresql://user:password@host/db) or key=value pairs.")
SETTING(DB_HOST, STRING, PROGRAM_ALL, NULL, 0, 0, "", "Host or socket folder of PostgreSQL, when DATABASE_URL is not set.")
SETTING(DB_PORT, INT, PROGRAM_ALL, "5432", 1, 65535, "", "Port of PostgreSQL.")
SETTING(DB_NAME, STRING, PROGRAM_ALL, "tenantfs", 0, 0, "", "Database name.")
SETTING(DB_USER, STRING, PROGRAM_ALL, NULL, 0, 0, "", "Database user.")
SETTING(DB_PASSWORD, SECRET, PROGRAM_ALL, NULL, 0, 0, "DB_PASS", "Database password.")
SETTING(REDIS_URL, SECRET, PROGRAM_ALL, NULL, 0, 0, "", "Redis, as redis://host:port/db, rediss:// or unix:///path; empty: none.")
SETTING(REDIS_HOST, STRING, PROGRAM_ALL, NULL, 0, 0, "", "Host of Redis, when REDIS_URL is not set.")
SETTING(REDIS_PORT, INT, PROGRAM_ALL, "6379", 1, 65535, "", "Port of Redis.")
SETTING(STORAGE_BASE_PATH, PATH, PROGRAM_ALL, NULL, 0, 0, "LOCAL_STORAGE_PATH,FILE_STORAGE_PATH", "The folder that holds the bytes.")
SETTING(TENANTFS_MOUNT, PATH, PROGRAM_EXTRACTD | PROGRAM_ADMINCTL | PROGRAM_HTTPSHIM, NULL, 0, 0, "", "Where the file system is mounted.")
SETTING(MAX_FILE_SIZE, SIZE, PROGRAM_ALL, "104857600", 0, INT64_MAX, "MAX_FILE_SIZE_MB", "Largest file of a tenant that sets no limit of its own.")
SETTING(ALLOWED_EXTENSIONS, LIST, PROGRAM_ALL, NULL, 0, 0, "", "Extensions a tenant without a list of its own accepts; * is any.")
SETTING(MAX_ZIP_DEPTH, INT, PROGRAM_ALL, "3", 0, 32, "", "How deep archives may be nested.")
SETTING(FILE_RETENTION_DAYS, INT, PROGRAM_ALL, "0", 0, 36500, "", "Days after which retention may remove a file; 0 keeps.")
SETTING(RETENTION, BOOL, PROGRAM_ALL, "off", 0, 0, "", "Whether retention removes anything at all.")
SETTING(STORAGE_EMERGENCY_PERCENT, INT, PROGRAM_ALL, "95", 0, 100, "", "Disk use at which writes are refused; 0 is off.")
SETTING(DEFAULT_TENANT, STRING, PROGRAM_HTTPSHIM | PROGRAM_ADMINCTL, NULL, 0, 0, "", "Tenant of a token that names none.")
SETTING(JOB_CACHE_TTL, SECONDS, PROGRAM_EXTRACTD | PROGRAM_HTTPSHIM, "3600", 1000, 31536000000, "", "How long Redis keeps a job's status.")
SETTING(FILE_CACHE_TTL, SECONDS, PROGRAM_EXTRACTD | PROGRAM_HTTPSHIM, "86400", 1000, 31536000000, "", "How long Redis keeps a file's results.")
SETTING(SECRET_KEY, SECRET, PROGRAM_HTTPSHIM | PROGRAM_ADMINCTL, NULL, 32, 4096, "", "Key of tokens and signed URLs, 32 bytes at least.")
SETTING(ALGORITHM, STRING, PROGRAM_HTTPSHIM | PROGRAM_ADMINCTL, "HS256", 0, 0, "", "Signature of tokens: HS256.")
SETTING(ACCESS_TOKEN_EXPIRE_MINUTES, INT, PROGRAM_HTTPSHIM | PROGRAM_ADMINCTL, "480", 1, 5256000, "", "Life of a token without --ttl.")
SETTING(LOG_LEVEL, STRING, PROGRAM_ALL, "info", 0, 0, "", "debug, info, warning or error.")
SETTING(LOG_FORMAT, STRING, PROGRAM_ALL, "text", 0, 0, "", "text or json.")
SETTING(ENVIRONMENT, STRING, PROGRAM_ALL, "production", 0, 0, "", "A word for the logs: production, development.")
