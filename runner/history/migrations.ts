/** The `application_id` of a history in SQLite: `DSPC`. */
export const APPLICATION_ID = 0x44535043;

/**
 * The SQL that creates and changes the schema, one entry for each version. `user_version` is the
 * number of entries that a file has had. Entries are only ever added, never changed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE recipe_case (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (server, file, name)
  ) STRICT;
  CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES recipe_case ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    flaky INTEGER NOT NULL,
    duration_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX run_of_case ON run (case_id, id);
  CREATE TABLE step (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    phase TEXT NOT NULL,
    number TEXT NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX step_of_run ON step (run_id);
  `,
];
